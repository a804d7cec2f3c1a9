"""The check for undefined names in templates, which Django renders as empty text."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from streaming.models import Movie
from tests.helpers.template_lookups import failed_lookups


@pytest.mark.parametrize(
    ("source", "failures"),
    [
        ("{{ movie.title }}{{ movie.get_type_display }}", []),
        ("{% if position %}{{ position }}{% endif %}{{ nobody.name }}", []),
        ("{{ movie.titel }}", ["movie.html: titel of Movie"]),
        ("{% if movie.titel %}yes{% endif %}", ["movie.html: titel of Movie"]),
        ("{% for link in movie.lynx %}{{ link }}{% endfor %}", ["movie.html: lynx of Movie"]),
        ("{{ mowie|default:'-' }}", ["movie.html: mowie of Context"]),
    ],
)
def test_an_undefined_name_is_noticed(source, failures):
    with failed_lookups() as found:
        template = Template(source, name="movie.html")
        template.render(Context({"movie": Movie(title="Nosferatu"), "nobody": None}))
    assert found == failures


def test_templates_of_libraries_are_not_checked():
    with failed_lookups() as found:
        Template("{{ nothing }}", name="admin/base.html").render(Context({}))
    assert found == []
