"""The wording of a scrape job: its title, the row of each source, the help text and the final toast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC

from django.utils import dateformat

from scraper.sources import source_name
from streaming.formatting import counted, display_text
from streaming.models import Movie, ScrapeJob
from streaming.models.job import FINISHED, SourceResult

State, Outcome = ScrapeJob.State, ScrapeJob.Outcome

FAILED_TITLE = "Refresh did not finish."
CANCELLED_TITLE = "Refresh was cancelled."


@dataclass(frozen=True, slots=True)
class Icon:
    """An icon of the sprite with its colour class; without a name it is a spinner."""

    name: str = ""
    kind: str = ""

    @property
    def is_spinner(self) -> bool:
        return not self.name


SPINNER = Icon()
STEP_ICONS = {
    "searching": SPINNER,
    "found": Icon("check"),
    "nothing": Icon("minus"),
    "failed": Icon("x"),
    "blocked": Icon("x"),
}
WAITING_ICON = Icon("dot")
# The text for a source that gave no reason of its own.
UNEXPLAINED = {"nothing": "no match", "failed": "did not respond", "blocked": "blocked"}


@dataclass(frozen=True, slots=True)
class StepView:
    """One source's row."""

    name: str
    state: str
    icon: Icon
    text: str


@dataclass(frozen=True, slots=True)
class JobView:
    """The texts of the job panel; empty ones are not shown. `announcement` is for screen readers, at the end.

    `links_to_sources`: the help text ends with a link to the status of the sources.
    """

    title: str
    icon: Icon
    steps: tuple[StepView, ...]
    help: str
    links_to_sources: bool
    announcement: str


def job_view(job: ScrapeJob, *, movie: Movie, working_links: int | None = None) -> JobView:
    """The panel of `job`, which searches for `movie`.

    `working_links`: the number in the announcement; None: there is none.
    """
    return JobView(
        title=_title(job),
        icon=_icon(job),
        steps=tuple(_step(row) for row in job.sources),
        help=_help(job, movie=movie),
        links_to_sources=job.state == State.FAILED,
        announcement=_announcement(job, movie=movie, working_links=working_links),
    )


def _title(job: ScrapeJob) -> str:
    if job.state == State.QUEUED:
        return "Waiting to start…"
    if job.state == State.RUNNING:
        is_searched = bool(job.sources) and all(row["state"] in FINISHED for row in job.sources)
        return "Checking the links…" if is_searched else "Looking for links…"
    if job.state == State.SUCCEEDED:
        return _result(job)
    return _unfinished(job)


def _result(job: ScrapeJob) -> str:
    if job.outcome == Outcome.NOTHING:
        return "No source has this title today."
    if job.links_new >= job.links_found:
        return f"Found {counted(job.links_new, 'new link')}." if job.links_new else "Found no links."
    new = f"{job.links_new:,} of them new" if job.links_new else "none of them new"
    return f"Found {counted(job.links_found, 'link')}, {new}."


def _unfinished(job: ScrapeJob) -> str:
    if job.state == State.CANCELLED:
        return CANCELLED_TITLE
    return f"{FAILED_TITLE} {_failure(job)}".rstrip()


def _failure(job: ScrapeJob) -> str:
    """Why a job is incomplete: the number of failed sources, or the error of the job itself."""
    failed = len(job.failed_sources)
    return f"{failed} of {counted(len(job.sources), 'source')} did not respond." if failed else job.error


def _icon(job: ScrapeJob) -> Icon:
    if job.is_open:
        return SPINNER
    if job.state == State.FAILED:
        return Icon("alert", "icon-bad")
    if job.state == State.CANCELLED or job.outcome == Outcome.NOTHING:
        return Icon("minus")
    return Icon("check", "icon-good")


def _step(row: SourceResult) -> StepView:
    state = row["state"]
    return StepView(
        name=source_name(row["source"]), state=state, icon=STEP_ICONS.get(state, WAITING_ICON), text=_step_text(row)
    )


def _step_text(row: SourceResult) -> str:
    state = row["state"]
    if state == "found":
        return counted(row["links"], "link")
    if state in UNEXPLAINED:
        return display_text(row["error"]) or UNEXPLAINED[state]
    return "searching" if state == "searching" else "waiting"


def _help(job: ScrapeJob, *, movie: Movie) -> str:
    if job.state == State.FAILED:
        return "Links found so far are saved."
    if job.state != State.SUCCEEDED:
        return ""
    if job.outcome == Outcome.NOTHING:
        return _next_search(movie)
    if job.outcome == Outcome.FOUND and job.failed_sources:
        return f"{_failure(job)} Links from the others are saved."
    return ""


def _next_search(movie: Movie) -> str:
    again = movie.next_scrape_at
    after = f" after {dateformat.format(again.astimezone(UTC), 'j M, H:i')} UTC" if again else ""
    return f"We search again when this page is opened{after}."


def _announcement(job: ScrapeJob, *, movie: Movie, working_links: int | None) -> str:
    if job.is_open or working_links is None:
        return ""
    if job.state != State.SUCCEEDED:
        return _unfinished(job)
    return (
        f"Links refreshed: {working_links} working."
        if working_links
        else f"No link found for {display_text(movie.title)}."
    )
