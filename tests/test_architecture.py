"""The shape of the code: what is there is used."""

from __future__ import annotations

import pytest

from tests.helpers.dead_code import Project

# Settings that a library reads under a name that it works out, or of which Django has no default.
READ_BY_LIBRARIES = {
    "MovieBackend.settings.ROOT_URLCONF": "Django has no default for it",
    "MovieBackend.settings.REST_FRAMEWORK": "read by rest_framework.settings",
    "MovieBackend.settings.SPECTACULAR_SETTINGS": "read by drf_spectacular.settings",
    "MovieBackend.settings.WHITENOISE_KEEP_ONLY_HASHED_FILES": "read by whitenoise.storage",
    "MovieBackend.settings.WHITENOISE_USE_FINDERS": "read by whitenoise.middleware",
}


def test_production_code_is_used_by_production_code():
    """What only tests use, or nobody, is deleted. See `tests.helpers.dead_code` for what counts as a use."""
    assert Project().unused() == set(READ_BY_LIBRARIES)


USED = """
from dataclasses import dataclass
from django.conf import settings
from django.forms import Form
from django.utils.module_loading import import_string
from streaming import other
from streaming.models import Kept

LIMIT = 3

@dataclass
class Value:
    read: int

class KeptForm(Form):
    def clean_name(self): return self.helper()
    def helper(self): return LIMIT

PATH = "streaming.other"
print(other.called(Value(read=1).read), import_string(f"{PATH}.by_path"), Kept, KeptForm, settings.HOOK)
"""
UNUSED = """
from dataclasses import dataclass
import streaming.other

LIMIT = 3

@dataclass
class Value:
    never_read: int = 0

    def never_called(self):
        return self.never_called()

def recursive(limit):
    return recursive(limit - 1)

Value(never_read=1)
"""
OTHER = """
def called(value): return value
def by_path(): pass
def limit(): pass
"""


@pytest.fixture
def project(tmp_path):
    """A small project: half of what it defines is used, in each of the ways that count."""
    files = {
        "MovieBackend/settings.py": "HOOK = 'streaming.hooks.by_setting'\nUNREAD = 1\nDEBUG = True\n",
        "streaming/used.py": USED,
        "streaming/unused.py": UNUSED,
        "streaming/other.py": OTHER,
        "streaming/hooks.py": "def by_setting(): pass\ndef forgotten(): pass\n",
        "streaming/models/__init__.py": "from streaming.models.kept import Kept, Lost\n__all__ = ['Kept', 'Lost']\n",
        "streaming/models/kept.py": "class Kept:\n    def on_page(self): pass\nclass Lost: pass\n",
        "templates/page.html": "{% if movie.on_page %}forgotten{% endif %}",
        "tests/test_all.py": "from streaming.hooks import forgotten\nforgotten()\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Project(tmp_path)


def test_what_nobody_uses_is_found_and_what_is_used_in_any_way_is_not(project):
    assert project.unused() == {
        "MovieBackend.settings.UNREAD",
        "streaming.hooks.forgotten",
        "streaming.models.kept.Lost",
        "streaming.other.limit",
        "streaming.unused.LIMIT",
        "streaming.unused.Value.never_called",
        "streaming.unused.Value.never_read",
        "streaming.unused.recursive",
    }
