"""The wording of a scrape job: its title, the row of each source, the help text and the final toast."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop, ngettext

from scraper.sources import source_name
from streaming.formatting import display_text
from streaming.localization import links_text, moment_text, number_text
from streaming.models import Movie, ScrapeJob
from streaming.models.job import FINISHED, SourceResult
from streaming.web.titles import shown_title

State, Outcome = ScrapeJob.State, ScrapeJob.Outcome

FAILED_TITLE = gettext_noop("Refresh did not finish.")
CANCELLED_TITLE = gettext_noop("Refresh was cancelled.")


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
UNEXPLAINED = {
    "nothing": gettext_noop("no match"),
    "failed": gettext_noop("did not respond"),
    "blocked": gettext_noop("blocked"),
}


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
        title=job_title(job),
        icon=_icon(job),
        steps=step_views(job),
        help=_help(job, movie=movie),
        links_to_sources=job.state == State.FAILED,
        announcement=_announcement(job, movie=movie, working_links=working_links),
    )


def job_title(job: ScrapeJob) -> str:
    """What the job does, or what it has come to."""
    if job.state == State.QUEUED:
        return gettext("Waiting to start…")
    if job.state == State.RUNNING:
        is_searched = bool(job.sources) and all(row["state"] in FINISHED for row in job.sources)
        return gettext("Checking the links…") if is_searched else gettext("Looking for links…")
    if job.state == State.SUCCEEDED:
        return _result(job)
    return _unfinished(job)


def _result(job: ScrapeJob) -> str:
    if job.outcome == Outcome.NOTHING:
        return gettext("No source has this title today.")
    values = {"number": number_text(job.links_found), "new": number_text(job.links_new)}
    if job.links_new >= job.links_found:
        if not job.links_new:
            return gettext("Found no links.")
        return ngettext("Found %(new)s new link.", "Found %(new)s new links.", job.links_new) % values
    if not job.links_new:
        text = ngettext(
            "Found %(number)s link, none of them new.", "Found %(number)s links, none of them new.", job.links_found
        )
        return text % values
    text = ngettext(
        "Found %(number)s link, %(new)s of them new.", "Found %(number)s links, %(new)s of them new.", job.links_found
    )
    return text % values


def _unfinished(job: ScrapeJob) -> str:
    if job.state == State.CANCELLED:
        return gettext(CANCELLED_TITLE)
    return f"{gettext(FAILED_TITLE)} {_failure(job)}".rstrip()


def _failure(job: ScrapeJob) -> str:
    """Why a job is incomplete: the number of failed sources, or the error of the job itself."""
    failed, number = len(job.failed_sources), len(job.sources)
    if not failed:
        return job.error
    text = ngettext(
        "%(failed)s of %(number)s source did not respond.", "%(failed)s of %(number)s sources did not respond.", number
    )
    return text % {"failed": failed, "number": number}


def _icon(job: ScrapeJob) -> Icon:
    if job.is_open:
        return SPINNER
    if job.state == State.FAILED:
        return Icon("alert", "icon-bad")
    if job.state == State.CANCELLED or job.outcome == Outcome.NOTHING:
        return Icon("minus")
    return Icon("check", "icon-good")


def step_views(job: ScrapeJob) -> tuple[StepView, ...]:
    """The rows of the sources that the job searches."""
    return tuple(_step(row) for row in job.sources)


def _step(row: SourceResult) -> StepView:
    state = row["state"]
    return StepView(
        name=source_name(row["source"]), state=state, icon=STEP_ICONS.get(state, WAITING_ICON), text=_step_text(row)
    )


def _step_text(row: SourceResult) -> str:
    state = row["state"]
    if state == "found":
        return links_text(row["links"])
    if state in UNEXPLAINED:
        return display_text(row["error"]) or gettext(UNEXPLAINED[state])
    return gettext("searching") if state == "searching" else gettext("waiting")


def _help(job: ScrapeJob, *, movie: Movie) -> str:
    if job.state == State.FAILED:
        return gettext("Links found so far are saved.")
    if job.state != State.SUCCEEDED:
        return ""
    if job.outcome == Outcome.NOTHING:
        return _next_search(movie)
    if job.outcome == Outcome.FOUND and job.failed_sources:
        saved = gettext("Links from the others are saved.")
        return f"{_failure(job)} {saved}"
    return ""


def _next_search(movie: Movie) -> str:
    again = movie.next_scrape_at
    if not again:
        return gettext("We search again when this page is opened.")
    return gettext("We search again when this page is opened after %(time)s.") % {"time": moment_text(again)}


def _announcement(job: ScrapeJob, *, movie: Movie, working_links: int | None) -> str:
    if job.is_open or working_links is None:
        return ""
    if job.state != State.SUCCEEDED:
        return _unfinished(job)
    if not working_links:
        return gettext("No link found for %(title)s.") % {"title": shown_title(movie).text}
    text = ngettext("Links refreshed: %(number)s working.", "Links refreshed: %(number)s working.", working_links)
    return text % {"number": number_text(working_links)}
