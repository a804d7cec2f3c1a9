"""How a job ended, read from its sources' rows; and what of the child's log is kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from streaming.models.job import MAX_LOG_BYTES, UNFINISHED, ScrapeJob, SourceResult, SourceState

State, Outcome = ScrapeJob.State, ScrapeJob.Outcome
MAX_ERROR_LENGTH = 300
UNANSWERED = (SourceState.FAILED, SourceState.BLOCKED)
ANSWERED = (SourceState.FOUND, SourceState.NOTHING, SourceState.BLOCKED)
INTERRUPTED_ERROR = "The search ended before this source had answered."
NO_SOURCE_ERROR = "No source is enabled."
PROCESS_DIED_ERROR = "The search stopped unexpectedly"
LOG_TOO_LONG_ERROR = "The search wrote too much and was stopped."
WORD_PATTERN = re.compile(r"[^\s\"'<>]+")
# What a terminal would obey and what PostgreSQL cannot hold; line feeds and tabs stay.
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What is written when a job is closed; `error` is empty when it succeeded."""

    state: str
    outcome: str = ""
    error: str = ""
    sources: tuple[SourceResult, ...] = ()

    @property
    def links_found(self) -> int:
        return sum(row["links"] for row in self.sources)

    @property
    def links_new(self) -> int:
        return sum(row["new"] for row in self.sources)


def waiting_results(slugs: Iterable[str]) -> list[SourceResult]:
    """The rows of a job that has not begun."""
    state = SourceState.WAITING
    return [SourceResult(source=x, state=state, links=0, new=0, seconds=None, error="") for x in slugs]


def results_for_retry(rows: Iterable[SourceResult]) -> list[SourceResult]:
    """The rows of a job that is tried again: who answered need not answer twice."""
    return [row if row["state"] in ANSWERED else waiting_results([row["source"]])[0] for row in rows]


def outcome_of_sources(rows: Sequence[SourceResult], *, cut_short: str = INTERRUPTED_ERROR) -> JobOutcome:
    """How a job whose crawl is over ended; it fails only when no source answered. Whoever has not ended has failed."""
    ended = tuple(_finished_result(row, cut_short) for row in rows)
    if any(row["state"] == SourceState.FOUND for row in ended):
        return JobOutcome(State.SUCCEEDED, Outcome.FOUND, sources=ended)
    if not ended:
        return JobOutcome(State.FAILED, error=NO_SOURCE_ERROR)
    failed = [row for row in ended if row["state"] == SourceState.FAILED]
    if failed and all(row["state"] in UNANSWERED for row in ended):
        return JobOutcome(State.FAILED, error=_summary_error(failed), sources=ended)
    return JobOutcome(State.SUCCEEDED, Outcome.NOTHING, sources=ended)


def forced_outcome(state: str, rows: Sequence[SourceResult], *, error: str) -> JobOutcome:
    """A job that is over whatever its sources said: it was cancelled, or its process died once too often."""
    return JobOutcome(
        state, error=error[:MAX_ERROR_LENGTH], sources=tuple(_finished_result(row, error) for row in rows)
    )


def _finished_result(row: SourceResult, error: str) -> SourceResult:
    return (
        {**row, "state": SourceState.FAILED, "error": error[:MAX_ERROR_LENGTH]} if row["state"] in UNFINISHED else row
    )


def _summary_error(failed: Sequence[SourceResult]) -> str:
    errors = list(dict.fromkeys(row["error"] for row in failed if row["error"]))
    return (errors[0] if len(errors) == 1 else "No source could be searched.")[:MAX_ERROR_LENGTH]


def process_death_error(status: int) -> str:
    """The sentence for a process that ended with this status (below 0: the signal that killed it)."""
    return f"{PROCESS_DIED_ERROR} ({f'killed by signal {-status}' if status < 0 else f'exit status {status}'})."


def timeout_error(limit: timedelta) -> str:
    return f"Stopped after {limit.total_seconds():g} seconds without an end."


def log_tail(raw: bytes, *, secrets: Iterable[str] = ()) -> str:
    """The last 64 KiB of a log, fit to be shown: no secrets, no credentials or query strings, no control characters."""
    text = raw[-2 * MAX_LOG_BYTES :].decode("utf-8", errors="replace").replace("\r\n", "\n")
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "[secret]")
    text = WORD_PATTERN.sub(lambda match: _redact_url(match[0]), text)
    text = UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)
    return text.encode()[-MAX_LOG_BYTES:].decode("utf-8", errors="ignore")


def _redact_url(word: str) -> str:
    """An address without credentials, query and fragment; any other word as it is. Linear, whatever a site sends."""
    scheme, mark, rest = word.partition("://")
    if not mark:
        return word
    rest = rest.partition("?")[0].partition("#")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
