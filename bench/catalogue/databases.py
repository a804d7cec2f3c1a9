"""The databases of the benchmark: the same films in Openreel's tables and in a tutorial's, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.catalogue.facts import with_facts
from bench.catalogue.films import generate, write_catalogue
from bench.instance import ROOT

SQLITE, POSTGRES = "SQLite", "PostgreSQL"
POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/{name}"
NO_POSTGRES = "no PostgreSQL on 127.0.0.1:5432 for the user postgres: its rows are left out"
OPENREEL, TUTORIAL, BARE = "Openreel", "tutorial", "raw SQL + JSON"
SETTINGS = {
    OPENREEL: "bench.catalogue.with_empty_view",
    TUTORIAL: "bench.catalogue.tutorial.settings",
    BARE: "MovieBackend.settings",
}
APPLICATIONS = {
    OPENREEL: "MovieBackend.wsgi",
    TUTORIAL: "django.core.wsgi:get_wsgi_application()",
    BARE: "bench.catalogue.bare",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """This many films in a folder, on one kind of database.

    No more than `imported` of them are imported, and the rest are copies of those. `facts`: films have genres, people
    and more, links a health, and Openreel's database the history of a year.
    """

    folder: Path
    kind: str
    films: int
    imported: int
    facts: bool

    @property
    def copies(self) -> int:
        """How many copies there are of each imported film."""
        return max(0, self.films // self.imported - 1)

    def environment(self, build: str) -> Mapping[str, str]:
        """The environment in which a build runs on its database; the raw one reads Openreel's."""
        var = self.folder / f"var-{self.kind}-{self.films}"
        return {
            **os.environ,
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "only-for-timing-and-long-enough-to-start",
            "VAR_DIR": str(var),
            "DATABASE_URL": self._url("tutorial" if build == TUTORIAL else "ours"),
            "SOURCES": "internet_archive",
            "DJANGO_SETTINGS_MODULE": SETTINGS[build],
            "PYTHONPATH": str(ROOT),
        }

    def fill(self) -> float:
        """Create both databases, unless they are there; return the seconds of the import into Openreel, or 0."""
        seconds = 0.0
        if self._create("ours"):
            seconds = self._fill_ours()
            self._stamp("ours").touch()
        if self._create("tutorial"):
            self._run(TUTORIAL, "-m", "bench.catalogue.tutorial.load", str(self._file()), str(self.copies))
            self._stamp("tutorial").touch()
        return seconds

    def _fill_ours(self) -> float:
        """Import and copy the films, and prove the catalogue; return the seconds of the import."""
        self._run(OPENREEL, "manage.py", "migrate", "--verbosity=0")
        began = time.monotonic()
        self._run(OPENREEL, "manage.py", "import_catalogue", str(self._file()))
        seconds = time.monotonic() - began
        if self.facts:
            self._run(OPENREEL, "-m", "bench.catalogue.history", "health")
        if self.copies:
            facts = ["--facts"] if self.facts else []
            self._run(OPENREEL, "-m", "bench.catalogue.copy_rows", str(self.copies), *facts)
            self._run(OPENREEL, "manage.py", "rebuild_search_index")
        if self.facts:
            self._run(OPENREEL, "-m", "bench.catalogue.history", "year")
        self._run(OPENREEL, "manage.py", "check_catalogue")
        return seconds

    def drop(self) -> None:
        """Drop the databases of PostgreSQL; SQLite's go with the folder."""
        if self.kind == POSTGRES:
            for tables in ("ours", "tutorial"):
                _on_postgres(f"DROP DATABASE IF EXISTS {self._name(tables)} WITH (FORCE)")

    def _create(self, tables: str) -> bool:
        """Prepare the database for new tables; False if they are there and complete."""
        if self._stamp(tables).exists():
            return False
        if self.kind == POSTGRES:
            _on_postgres(f"DROP DATABASE IF EXISTS {self._name(tables)} WITH (FORCE)")
            _on_postgres(f"CREATE DATABASE {self._name(tables)}")
        else:
            for file in self.folder.glob(f"{self._name(tables)}.sqlite3*"):
                file.unlink()
        return True

    def _run(self, build: str, *words: str) -> None:
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self.environment(build), check=True, stdout=sys.stderr)

    def _file(self) -> Path:
        """The films as a file, made when it is first needed."""
        imported = self.films // (self.copies + 1)
        file = self.folder / f"films-{imported}{self._suffix}.jsonl"
        if not file.exists():
            films = generate(imported)
            if self.facts:
                films = (with_facts(film, number) for number, film in enumerate(films, start=1))
            write_catalogue(films, file.with_suffix(".new")).rename(file)
        return file

    @property
    def _suffix(self) -> str:
        return "_facts" if self.facts else ""

    def _name(self, tables: str) -> str:
        return f"openreel_bench_{tables}_{self.films}{self._suffix}"

    def _stamp(self, tables: str) -> Path:
        return self.folder / f"{self._name(tables)}-{self.kind}.complete"

    def _url(self, tables: str) -> str:
        if self.kind == POSTGRES:
            return POSTGRES_URL.format(name=self._name(tables))
        return f"sqlite:///{self.folder}/{self._name(tables)}.sqlite3"


def postgres_answers() -> bool:
    """Whether there is a server on which databases can be made."""
    try:
        _on_postgres("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _on_postgres(statement: str) -> None:
    with psycopg.connect(POSTGRES_URL.format(name="postgres"), autocommit=True, connect_timeout=3) as admin:
        admin.execute(statement)


def gunicorn_command(build: str, port: int, *, workers: int, threads: int) -> Sequence[str]:
    """The web server as `make run` starts it, with another application."""
    worker = "MovieBackend.web_worker.BufferedWorker" if build == OPENREEL else "bench.catalogue.worker.PlainWorker"
    return (
        sys.executable, "-m", "gunicorn", f"--bind=127.0.0.1:{port}",
        f"--worker-class={worker}", f"--workers={workers}", f"--threads={threads}",
        "--preload", "--no-control-socket", "--log-level=warning", APPLICATIONS[build],
    )  # fmt: skip
