"""What job processes do in tests instead of a crawl; the last word of the job's target URL chooses."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from streaming.models import ScrapeJob, StreamingLink


def fake_crawl(job_id: int) -> None:
    """Behave as the job's target URL says."""
    job = ScrapeJob.objects.select_related("movie").get(pk=job_id)
    word = job.target_url.rsplit("/", 1)[-1] or "found"
    log_line(f"{job_id} {word}")
    BEHAVIOURS[word](job)


def log_line(line: str) -> None:
    with (Path(settings.SCRAPE_DIR) / "events.txt").open("a") as file:
        file.write(f"{os.getpid()} {line}\n")


def write_results(job: ScrapeJob, state: str, *, links: int = 0, error: str = "") -> None:
    rows = [
        {**row, "state": state, "links": links, "new": links, "seconds": 0.1, "error": error} for row in job.sources
    ]
    ScrapeJob.objects.filter(pk=job.pk).update(sources=rows)


def found(job: ScrapeJob) -> None:
    url = f"http://127.0.0.1/{job.movie.imdb_id}"
    StreamingLink.objects.get_or_create(
        movie=job.movie,
        source_url=url,
        defaults={"source": "example", "host": "127.0.0.1", "last_seen": timezone.now()},
    )
    print("read http://user:word@127.0.0.1/page?token=hidden and", settings.SECRET_KEY, "\x1b[31m")
    write_results(job, "found", links=1)


def nothing(job: ScrapeJob) -> None:
    write_results(job, "nothing")


def failed(job: ScrapeJob) -> None:
    write_results(job, "failed", error="The site answered HTML for JSON.")


def crash(job: ScrapeJob) -> None:
    raise RuntimeError("the crawl broke")


def die_once(job: ScrapeJob) -> None:
    if job.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    found(job)


def hang_once(job: ScrapeJob) -> None:
    if job.attempt == 1:
        hang(job)
    found(job)


def slow(job: ScrapeJob) -> None:
    write_results(job, "searching")
    connection.close()
    time.sleep(1.5)
    found(job)


def long(job: ScrapeJob) -> None:
    """Run for twice the lease of the tests."""
    write_results(job, "searching")
    connection.close()
    select.select([], [], [], 4)  # libfaketime (0.9.10) cannot handle `time.sleep`
    found(job)


def hang(job: ScrapeJob) -> None:
    write_results(job, "searching")
    connection.close()
    time.sleep(60)


def stubborn(job: ScrapeJob) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    grandchild = subprocess.Popen([sys.executable, "-c", "import signal,time; signal.signal(15,1); time.sleep(60)"])
    log_line(f"{job.pk} grandchild={grandchild.pid}")
    hang(job)


def leaves_one(job: ScrapeJob) -> None:
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    log_line(f"{job.pk} grandchild={grandchild.pid}")
    found(job)
    os._exit(0)


def chatter(job: ScrapeJob) -> None:
    while True:
        os.write(1, b"x" * 65536)
        time.sleep(0.001)


def short(job: ScrapeJob) -> None:
    log_line(f"{job.pk} begins={time.monotonic():.3f}")
    time.sleep(0.15)
    found(job)
    log_line(f"{job.pk} ends={time.monotonic():.3f}")


def kills_runner(job: ScrapeJob) -> None:
    """Kill the supervisor during the first attempt; the kernel then kills this process too."""
    write_results(job, "searching")
    if job.attempt == 1:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    found(job)


def kills_runner_mid_batch(job: ScrapeJob) -> None:
    """Kill the supervisor in the middle of a batch of links."""
    with transaction.atomic():
        for number in range(4):
            if number == 2 and job.attempt == 1:
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
            url = f"http://127.0.0.1/{job.movie.imdb_id}/{number}"
            StreamingLink.objects.create(
                movie=job.movie, source_url=url, source="example", host="127.0.0.1", last_seen=timezone.now()
            )
    write_results(job, "found", links=4)


BEHAVIOURS = {
    way.__name__: way
    for way in (
        found, nothing, failed, crash, die_once, hang_once, slow, long, hang, stubborn, leaves_one, chatter, short,
        kills_runner, kills_runner_mid_batch,
    )
}  # fmt: skip
