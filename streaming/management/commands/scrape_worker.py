"""Run queued scrape jobs on this machine; several machines can use one PostgreSQL database."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.module_loading import import_string

from streaming import file_locks
from streaming.management.base import OpenreelCommand
from streaming.scraping.supervisor import control, job_processes
from streaming.scraping.supervisor.loop import serve


class Command(OpenreelCommand):
    help = (
        "Run queued scrape jobs until stopped. The web server starts a worker by itself when it needs one; run this on "
        "further machines with the same PostgreSQL database."
    )
    example = "python manage.py scrape_worker"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stop", action="store_true", help="let this machine's worker requeue its jobs and exit")
        parser.add_argument("--wake", action="store_true", help="start this machine's worker unless it is running")
        parser.add_argument(
            "--spawn", action="store_true", help="start a new Python process for each job instead of forking"
        )
        parser.add_argument("--embedded", action="store_true", help="exit after SCRAPE_IDLE_SECONDS without a job")
        parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--job", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)

    def handle(self, *args: Any, stop: bool, wake: bool, job: int | None, parent: int, **options: Any) -> None:
        if stop:
            self.stop_worker()
        elif wake:
            control.ensure_supervisor()
        elif job is not None:
            job_processes.run_in_process(job, job_callable=import_string(settings.SCRAPE_CRAWL), parent=parent)
        else:
            self.run_worker(**options)

    def stop_worker(self) -> None:
        pid = control.stop_supervisor()
        self.stdout.write("No worker is running on this machine." if pid is None else f"Worker {pid} is stopping.")

    def run_worker(self, *, lock: int | None, embedded: bool, spawn: bool, **options: Any) -> None:
        lock_file = file_locks.try_lock(control.lock_path()) if lock is None else file_locks.lock_from_descriptor(lock)
        if lock_file is None:
            self.stdout.write("Another worker is already running on this machine.")
            return
        idle = settings.SCRAPE_IDLE_SECONDS if embedded or lock is not None else None
        serve(lock=lock_file, idle_seconds=idle, spawning=spawn)
