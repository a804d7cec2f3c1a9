"""Who runs the schedule, and when each of its commands is due."""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from streaming.leases import RUNNING, LeaseClaim, expired, lease_end

OWNER_ID = 1


class ScheduleOwnerQuerySet(models.QuerySet["ScheduleOwner"]):
    """The right to run the schedule, which one process has."""

    def claim(self, owner: str) -> LeaseClaim | None:
        """Become the owner if there is none, or if its lease has expired; None if another process is it."""
        self.bulk_create([ScheduleOwner(pk=OWNER_ID)], ignore_conflicts=True)
        attempt = self.values_list("attempt", flat=True).get(pk=OWNER_ID) + 1
        free = self.filter(~Q(state=RUNNING) | expired(), pk=OWNER_ID, attempt=attempt - 1)
        claimed = free.update(state=RUNNING, owner=owner, attempt=attempt, lease_until=lease_end())
        return LeaseClaim(owner=owner, attempt=attempt) if claimed else None

    def renew(self, claim: LeaseClaim) -> bool:
        """Renew the lease; False if another process owns the schedule now."""
        return claim.restrict(self.filter(pk=OWNER_ID)).update(lease_until=lease_end()) == 1

    def release(self, claim: LeaseClaim) -> None:
        """Let another process own the schedule at once."""
        claim.restrict(self.filter(pk=OWNER_ID)).update(state="", lease_until=None)

    def is_alive(self) -> bool:
        """Whether a process runs the schedule now."""
        return self.filter(~expired(), pk=OWNER_ID, state=RUNNING, lease_until__gt=Now()).exists()


class ScheduleOwner(models.Model):
    """The one process that runs the schedule of this database, and its lease; one row."""

    state = models.CharField(max_length=10, blank=True, default="")
    owner = models.CharField(max_length=100, blank=True, default="")
    attempt = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = ScheduleOwnerQuerySet.as_manager()

    def __str__(self) -> str:
        return self.owner


class ScheduledTaskQuerySet(models.QuerySet["ScheduledTask"]):
    """Transitions of one task."""

    def start(self, task: ScheduledTask, *, next_due_at: datetime, now: datetime) -> bool:
        """Record that the task runs and when it is due again; False if another process has started it."""
        due = self.filter(pk=task.pk, due_at=task.due_at)
        return due.update(due_at=next_due_at, started_at=now, finished_at=None, exit_status=None) == 1

    def finish(self, name: str, *, exit_status: int, now: datetime) -> None:
        """Record how the task ended."""
        self.filter(pk=name, finished_at=None).update(finished_at=now, exit_status=exit_status)


class ScheduledTask(models.Model):
    """One command of the schedule. `finished_at` and `exit_status` are None until its last run has ended."""

    name = models.CharField(max_length=20, primary_key=True)
    due_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    exit_status = models.SmallIntegerField(null=True, blank=True)

    objects = ScheduledTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
