"""Decide how a job ended from the results of its sources, and which part of its log is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from streaming.models.job import MAX_LOG_BYTES, UNFINISHED, ScrapeJob, SourceResult, SourceState

State, Outcome = ScrapeJob.State, ScrapeJob.Outcome
MAX_ERROR_LENGTH = 300
NOT_SEARCHED = (SourceState.FAILED, SourceState.BLOCKED)
SEARCHED = (SourceState.FOUND, SourceState.NOTHING, SourceState.BLOCKED)
INTERRUPTED_ERROR = "The scrape ended before this source responded."
NO_SOURCE_ERROR = "No source is enabled."
PROCESS_DIED_ERROR = "The scrape stopped unexpectedly"
LOG_TOO_LONG_ERROR = "The scrape wrote too much to its log and was stopped."
WORD_PATTERN = re.compile(r"[^\s\"'<>]+")
# What a terminal would interpret and PostgreSQL cannot store; line feeds and tabs stay.
CONTROL_CHARACTERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """What closing a job writes on its row; `error` is empty when it succeeded."""

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
    """Return the results of a job that has not started: all sources waiting."""
    state = SourceState.WAITING
    return [SourceResult(source=slug, state=state, links=0, new=0, seconds=None, error="") for slug in slugs]


def results_for_retry(rows: Iterable[SourceResult]) -> list[SourceResult]:
    """Return the results of a job that is tried again: sources that were searched keep theirs."""
    return [row if row["state"] in SEARCHED else waiting_results([row["source"]])[0] for row in rows]


def outcome_of_sources(rows: Sequence[SourceResult], *, cut_short: str = INTERRUPTED_ERROR) -> JobOutcome:
    """Return the outcome of a job whose crawl is over. The job fails only when no source was searched.

    Sources that have not ended count as failed, with the error `cut_short`.
    """
    ended = tuple(_finished_result(row, cut_short) for row in rows)
    if any(row["state"] == SourceState.FOUND for row in ended):
        return JobOutcome(State.SUCCEEDED, Outcome.FOUND, sources=ended)
    if not ended:
        return JobOutcome(State.FAILED, error=NO_SOURCE_ERROR)
    failed = [row for row in ended if row["state"] == SourceState.FAILED]
    if failed and all(row["state"] in NOT_SEARCHED for row in ended):
        return JobOutcome(State.FAILED, error=_summary_error(failed), sources=ended)
    return JobOutcome(State.SUCCEEDED, Outcome.NOTHING, sources=ended)


def forced_outcome(state: str, rows: Sequence[SourceResult], *, error: str) -> JobOutcome:
    """Return the outcome of a job that ends regardless of its results: it was cancelled, or its process died."""
    sources = tuple(_finished_result(row, error) for row in rows)
    return JobOutcome(state, error=error[:MAX_ERROR_LENGTH], sources=sources)


def _finished_result(row: SourceResult, error: str) -> SourceResult:
    if row["state"] not in UNFINISHED:
        return row
    return {**row, "state": SourceState.FAILED, "error": error[:MAX_ERROR_LENGTH]}


def _summary_error(failed: Sequence[SourceResult]) -> str:
    errors = list(dict.fromkeys(row["error"] for row in failed if row["error"]))
    return (errors[0] if len(errors) == 1 else "No source could be searched.")[:MAX_ERROR_LENGTH]


def process_death_error(status: int) -> str:
    """Return the error of a job whose process ended with this exit status (below 0: the signal that killed it)."""
    return f"{PROCESS_DIED_ERROR} ({f'killed by signal {-status}' if status < 0 else f'exit status {status}'})."


def timeout_error(limit: timedelta) -> str:
    """Return the error of a job that ran for longer than `limit`."""
    return f"Stopped after {limit.total_seconds():g} seconds without finishing."


def log_tail(raw: bytes, *, secrets: Iterable[str] = ()) -> str:
    """Return the last 64 KiB of a log, safe to display: redacted, and without the given secrets.

    With `LOG_FORMAT=json`, secrets are spelled as JSON spells them.
    """
    text = raw[-2 * MAX_LOG_BYTES :].decode("utf-8", errors="replace").replace("\r\n", "\n")
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "[secret]").replace(json.dumps(secret)[1:-1], "[secret]")
    return redact(text).encode()[-MAX_LOG_BYTES:].decode("utf-8", errors="ignore")


def redact(text: str) -> str:
    """Return the text without credentials and query strings of URLs, with control characters escaped."""
    text = WORD_PATTERN.sub(lambda match: _redact_url(match[0]), text)
    return CONTROL_CHARACTERS.sub(lambda match: ascii(match[0])[1:-1], text)


def _redact_url(word: str) -> str:
    """Return a URL without credentials, query and fragment, any other word unchanged; in linear time."""
    scheme, mark, rest = word.partition("://")
    if not mark:
        return word
    rest = rest.partition("?")[0].partition("#")[0]
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"
