"""What the guard has to remember between runs: links turned off within a day, and hosts that are down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q

from scraper.net.url_policy import host_of
from streaming.health.judging.guard import (
    BRAKE_WINDOW,
    MASS_LOSS_GRACES,
    OUTAGE_GRACES,
    History,
    crowded_moments,
    mass_loss_threshold,
)
from streaming.health.judging.removal import counted_seconds
from streaming.models import HostOutage, LinkFlip, StreamingLink
from streaming.reason_codes import Reason

MAX_HOST_LENGTH = 255
DEFAULT_GRACE_HOURS = 24


def load_history(*, now: datetime) -> History:
    """Load what a decision about the run of `now` needs of the runs before it; moments after it are ignored."""
    outages = dict(HostOutage.objects.values_list("host", "failing_seconds"))
    history = History(active_links=0, outages=outages, outage_limit=outage_limit().total_seconds())
    closed = {host_of(f"//{netloc}") for netloc in history.long_outages()}
    recent = LinkFlip.objects.turned_off_by_checks(after=now - BRAKE_WINDOW, until=now).besides_hosts(closed)
    off = recent.aggregate(
        all=Count("link", distinct=True), still=Count("link", distinct=True, filter=Q(link__is_active=False))
    )
    active = StreamingLink.objects.filter(is_active=True).count() + off["still"]
    return replace(history, active_links=active, turned_off=off["all"], mass_losses=_mass_losses(active, now=now))


def _mass_losses(active_links: int, *, now: datetime) -> frozenset[datetime]:
    """Return the moments of runs that together, within a day, turned off very many links that are still off.

    Those of a host that changed are left out: they count later anyway.
    """
    start = now - MASS_LOSS_GRACES * timedelta(hours=settings.LINK_GRACE_HOURS)
    flips = LinkFlip.objects.turned_off_by_checks(after=start - BRAKE_WINDOW, until=now)
    flips = flips.filter(link__is_active=False).exclude(reason=Reason.HOST_CHANGED)
    counts = flips.order_by("at").values_list("at").annotate(links=Count("link"))
    moments = crowded_moments(counts, threshold=mass_loss_threshold(active_links), window=BRAKE_WINDOW)
    return frozenset(moment for moment in moments if moment > start)


def long_outages() -> frozenset[str]:
    """Return the hosts that have been down for so long that their failures are accepted."""
    seconds = int(outage_limit().total_seconds())
    return frozenset(HostOutage.objects.filter(failing_seconds__gte=seconds).values_list("host", flat=True))


def newest_check() -> datetime | None:
    """Return the time of the newest check of a link, even if it lies in the future; None: there is none."""
    newest: datetime | None = StreamingLink.objects.aggregate(newest=Max("last_checked"))["newest"]
    return newest


def outage_limit() -> timedelta:
    """How long a host must have been down until its failures are accepted.

    `LINK_GRACE_HOURS=0` takes the grace from links that died, not from hosts that are down.
    """
    return OUTAGE_GRACES * timedelta(hours=settings.LINK_GRACE_HOURS or DEFAULT_GRACE_HOURS)


def record_outages(failing: Iterable[str], *, recovered: Iterable[str], now: datetime) -> None:
    """Write that these hosts failed in the run of `now`, and that others respond again."""
    HostOutage.objects.filter(host__in=list(recovered)).delete()
    names = [netloc for netloc in failing if len(netloc) <= MAX_HOST_LENGTH]
    known = HostOutage.objects.in_bulk(names)
    for outage in known.values():
        outage.failing_seconds += counted_seconds(since=outage.last_failed_at, now=now)
        outage.last_failed_at = now
    HostOutage.objects.bulk_update(known.values(), ["failing_seconds", "last_failed_at"], batch_size=500)
    new = [HostOutage(host=name, began_at=now, last_failed_at=now) for name in names if name not in known]
    HostOutage.objects.bulk_create(new, batch_size=500)
