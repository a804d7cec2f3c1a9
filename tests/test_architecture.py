"""The shape of the code: what is there is used, small, named in the project's terms, and pure where it says so."""

from __future__ import annotations

import pytest

from tests.helpers import code_metrics
from tests.helpers.code_metrics import PACKAGES, PROJECT_ROOT, python_files, relative
from tests.helpers.dead_code import Project

# Settings that a library reads under a name that it works out, or of which Django has no default.
READ_BY_LIBRARIES = {
    **{
        f"MovieBackend.settings.CORS_{name}": "read by corsheaders.conf"
        for name in ("URLS_REGEX", "ALLOW_ALL_ORIGINS", "ALLOW_METHODS", "ALLOW_HEADERS", "EXPOSE_HEADERS")
    },
    **{
        f"MovieBackend.formats.en.formats.{name}": "read by Django, from FORMAT_MODULE_PATH"
        for name in ("TIME_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT")
    },
    "MovieBackend.settings.ROOT_URLCONF": "Django has no default for it",
    "MovieBackend.settings.REST_FRAMEWORK": "read by rest_framework.settings",
    "MovieBackend.settings.SPECTACULAR_SETTINGS": "read by drf_spectacular.settings",
    "MovieBackend.settings.WHITENOISE_KEEP_ONLY_HASHED_FILES": "read by whitenoise.storage",
    "MovieBackend.settings.WHITENOISE_ROOT": "read by whitenoise.middleware",
    "MovieBackend.settings.WHITENOISE_USE_FINDERS": "read by whitenoise.middleware",
    "streaming.models.id_list.IdList.as_sqlite": "called by Django's SQL compiler",
    "streaming.models.id_list.IdList.as_postgresql": "called by Django's SQL compiler",
    "streaming.models.id_list.TextList.as_sqlite": "called by Django's SQL compiler",
    "streaming.models.id_list.TextList.as_postgresql": "called by Django's SQL compiler",
}


def test_production_code_is_used_by_production_code():
    """What only tests use, or nobody, is deleted. See `tests.helpers.dead_code` for what counts as a use."""
    assert Project().unused() == set(READ_BY_LIBRARIES)


def test_a_module_is_found_by_its_name_alone():
    assert code_metrics.repeated(code_metrics.module_names("streaming", "scraper")) == {}


def test_a_class_is_found_by_its_name_alone():
    assert code_metrics.repeated(code_metrics.class_names(*PACKAGES)) == {}


def test_no_function_is_over_30_lines_and_no_class_over_15_methods():
    files = python_files(*PACKAGES)
    assert [one for path in files for one in code_metrics.long_functions(path, max_lines=30)] == []
    assert [one for path in files for one in code_metrics.large_classes(path, max_methods=15)] == []


def test_link_health_is_a_handful_of_packages_and_modules():
    shown = [path for path in (PROJECT_ROOT / "streaming" / "health").iterdir() if not path.name.startswith("__")]
    assert len(shown) <= 12


# Whatever a pure module imports, however far away, must not reach these.
IMPURE = ("django", "rest_framework", "scrapy", "twisted", "pycurl", "requests", "psycopg", "redis", "celery", "socket")
PURE = [path for path in python_files(*PACKAGES) if code_metrics.is_marked_pure(path)]


@pytest.mark.parametrize("path", PURE, ids=relative)
def test_a_module_that_calls_itself_pure_reaches_no_database_and_no_network(path):
    reached = code_metrics.reachable_imports(path)
    assert {name for name in reached if name.split(".")[0] in IMPURE} == set()


def test_purity_is_claimed_where_decisions_are_made():
    claimed = {relative(path) for path in PURE}
    judging = {relative(path) for path in python_files("streaming/health/judging") if path.name != "__init__.py"}
    assert judging <= claimed


RETIRED = frozenset(
    [
        "house",
        "houses",
        "room",
        "rooms",
        "door",
        "doors",
        "vouch",
        "vouched",
        "voucher",
        "vouchers",
        "vouches",
        "hub",
        "hubs",
        "deed",
        "deeds",
        "bell",
        "bells",
        "ring",
        "rings",
        "ringing",
        "rung",
        "bury",
        "buried",
        "underway",
        "onward",
        "heard",
        "standing",
        "gathering",
        "shelf",
        "shelves",
        "belief",
        "beliefs",
        "believed",
        "witness",
        "witnesses",
        "share",
        "shares",
        "muster",
        "lane",
        "lanes",
        "aside",
        "brisk",
        "manners",
        "bookmark",
        "bookmarks",
        "told",
    ]
)
"""The words of the third column of docs/glossary.md's rules that are retired in every sense."""
# Stored values, names of Celery tasks and HTML elements, SQL, a title.
FIXED = frozenset(
    {"heard", "onward", "streaming.tasks.ring_again", "ring_again", "aside", "IN SHARE MODE", "House on Haunted Hill"}
)
TEXTS = sorted(
    path
    for pattern in (
        "*.md",
        "docs/*.md",
        "docs/roles/*.md",
        "deploy/**/*",
        "templates/*.html",
        "static/css/*",
        "static/js/*",
        "Makefile",
    )
    for path in PROJECT_ROOT.glob(pattern)
    if path.name != "CHANGELOG.md" and path.is_file()
)


@pytest.mark.parametrize("folder", [*PACKAGES, "bench"])
def test_no_retired_word_in_code_and_its_texts(folder):
    files = python_files(folder)
    found = [one for path in files for one in code_metrics.retired_words(path, RETIRED, fixed=FIXED, with_strings=True)]
    assert found == []


def test_no_retired_word_in_identifiers_and_comments_of_tests():
    files = [path for path in python_files("tests") if path != PROJECT_ROOT / "tests" / "test_architecture.py"]
    found = [
        one for path in files for one in code_metrics.retired_words(path, RETIRED, fixed=FIXED, with_strings=False)
    ]
    assert found == []


@pytest.mark.parametrize("path", TEXTS, ids=relative)
def test_no_retired_word_in_documents_templates_and_styles(path):
    text = path.read_text(encoding="utf-8")
    for name in ("<aside", "</aside", "navigator.share"):  # of HTML and of browsers
        text = text.replace(name, "")
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if code_metrics.words_in(line) & RETIRED
    ]
    assert found == []


def test_a_retired_word_is_found_in_each_place_where_it_can_stand(tmp_path, monkeypatch):
    monkeypatch.setattr(code_metrics, "PROJECT_ROOT", tmp_path)
    path = tmp_path / "module.py"
    path.write_text(
        '"""Rings the bell."""\n\nMAX_LANES = 3  # as told\n\n\ndef f(theDoor):\n    return "heard", f"{1} hub"\n'
    )
    found = list(code_metrics.retired_words(path, RETIRED, fixed=frozenset({"heard"}), with_strings=True))
    assert found == [
        "module.py:1: bell, rings", "module.py:3: lanes", "module.py:3: told", "module.py:6: door", "module.py:7: hub",
    ]  # fmt: skip


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
