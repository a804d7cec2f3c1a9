"""Which commands the schedule runs, how often, and when each is due next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from streaming.models import ScheduledTask, ScheduleOwner

FIRST_DELAY = timedelta(minutes=2)
"""After the very first start, so that a demo is up before it is checked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledCommand:
    """A command of manage.py that is run once per `every`; `label` names it on /health/."""

    name: str
    label: str
    every: timedelta
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """A task as the page shows it: its label, its row, and whether it runs now."""

    label: str
    row: ScheduledTask
    is_running: bool

    @property
    def has_failed(self) -> bool:
        """Whether its last run ended with an error."""
        return bool(self.row.exit_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleStatus:
    """The schedule as others see it. `is_alive`: a process runs it."""

    is_alive: bool
    tasks: tuple[TaskStatus, ...]


def scheduled_commands() -> list[ScheduledCommand]:
    """Return the commands that this installation needs. The check verifies links, removes movies and deletes old
    history at its end."""
    hour = timedelta(hours=1)
    words = ("check_link_health", "--max-runtime", "50")
    titles = ("look_for", "--due")
    commands = [
        ScheduledCommand(name="check", label=_("Link check"), every=hour, words=words),
        ScheduledCommand(name="titles", label=_("Titles that were asked for"), every=hour, words=titles),
    ]
    if source := _metadata_provider():
        describe = ("describe_movies", "--source", source, "--rotate")
        commands.append(
            ScheduledCommand(name="describe", label=_("Film descriptions"), every=timedelta(days=1), words=describe)
        )
    if settings.FOLLOW_URLS:
        every = timedelta(minutes=15)
        commands.append(ScheduledCommand(name="follow", label=_("Followed instances"), every=every, words=("follow",)))
    if settings.NOTIFY_URLS or settings.NOTIFY_WEBHOOK_URL:
        every = timedelta(minutes=5)
        commands.append(
            ScheduledCommand(name="notify", label=_("Messages to the operator"), every=every, words=("notify",))
        )
    return commands


def prepare_tasks(commands: Iterable[ScheduledCommand], *, now: datetime) -> None:
    """Create the rows of commands that have none, and bring back those that a fast clock put far into the future."""
    for command in commands:
        ScheduledTask.objects.bulk_create(
            [ScheduledTask(name=command.name, due_at=now + FIRST_DELAY)], ignore_conflicts=True
        )
        ScheduledTask.objects.filter(pk=command.name, due_at__gt=now + command.every + FIRST_DELAY).update(due_at=now)


def start_due(command: ScheduledCommand, *, now: datetime) -> bool:
    """Whether this process is to run the command now. Missed times are made up for by one run."""
    task = ScheduledTask.objects.filter(pk=command.name, due_at__lte=now).first()
    if task is None:
        return False
    missed = (now - task.due_at) // command.every
    next_due_at = task.due_at + (missed + 1) * command.every
    return ScheduledTask.objects.start(task, next_due_at=next_due_at, now=now)


def schedule_status() -> ScheduleStatus | None:
    """Return the state of the schedule; None where it has never run, or is off."""
    rows = {row.name: row for row in ScheduledTask.objects.all()}
    is_alive = ScheduleOwner.objects.is_alive()
    if not rows or not (is_alive or settings.SCHEDULE):
        return None
    tasks = [
        TaskStatus(
            label=command.label,
            row=rows[command.name],
            is_running=is_alive
            and rows[command.name].started_at is not None
            and rows[command.name].finished_at is None,
        )
        for command in scheduled_commands()
        if command.name in rows
    ]
    return ScheduleStatus(is_alive=is_alive, tasks=tuple(tasks))


def _metadata_provider() -> str:
    """The provider of descriptions: one with a key, else TVmaze unless only the demo's source is enabled."""
    if settings.TMDB_API_KEY:
        return "tmdb"
    if settings.OMDB_API_KEY:
        return "omdb"
    return "tvmaze" if set(settings.SOURCES) - {"example"} else ""
