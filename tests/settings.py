"""Settings of the tests: a real SQLite file of their own, nothing of the machine's environment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

KEPT = {name: os.environ[name] for name in ("DATABASE_URL", "CACHE_URL") if name in os.environ}
FOLDER = Path(os.environ.setdefault("OPENREEL_TEST_FOLDER", tempfile.mkdtemp(prefix="openreel-tests-")))
# The process that began the session: it removes at the end what the session shared.
os.environ.setdefault("OPENREEL_TEST_OWNER", str(os.getpid()))
os.environ.update(
    ENV_FILE=os.devnull,
    SECRET_KEY="only-for-tests-not-for-a-public-site",
    DEBUG="0",
    ALLOW_PRIVATE_HOSTS="127.0.0.0/8",
    REFRESH_RATE="1000/min",
    CONTACT="tests@example.org",
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{FOLDER}/main.sqlite3")
os.environ.setdefault("SCRAPE_IDLE_SECONDS", "20")
os.environ.setdefault("CACHE_URL", "memory://")

from MovieBackend.settings import *  # noqa: E402, F403

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
DATABASES["default"]["TEST"] = (  # noqa: F405
    {"NAME": str(FOLDER / f"test-{WORKER}.sqlite3")}
    if str(DATABASES["default"]["ENGINE"]).endswith("sqlite3")  # noqa: F405
    else {"TEMPLATE": os.environ.get("OPENREEL_TEST_TEMPLATE")}
)
if str(DATABASES["default"]["ENGINE"]).endswith("postgresql"):  # noqa: F405
    # Tests kill processes of ours, never the server, so no commit has to wait for its disk.
    DATABASES["default"]["OPTIONS"] = {"options": "-c synchronous_commit=off"}  # noqa: F405
CACHES["pictures"]["LOCATION"] = str(FOLDER / "pictures")  # noqa: F405
CACHES["captions"]["LOCATION"] = str(FOLDER / "captions")  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # noqa: F405
WHITENOISE_AUTOREFRESH = True
# A supervisor serves one database only, so each test worker has its own.
SCRAPE_DIR = Path(os.environ.get("SCRAPE_DIR") or FOLDER / f"scrape-{WORKER}")
EXPORT_DIR = FOLDER / f"exports-{WORKER}"
# Tests of the engine let its processes do something of their own.
SCRAPE_CRAWL = os.environ.get("SCRAPE_CRAWL", SCRAPE_CRAWL)  # noqa: F405
# Tests of crawls look at what the crawl has written; those of the check turn it on.
SCRAPE_LINK_CHECK = ""
