"""Find out what began and ended, once over all processes, and keep the messages until they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from streaming.alarms.conditions import REMOVED, current_conditions, first_seen_id, removals_after
from streaming.alarms.message_text import News, as_content, compose
from streaming.alarms.targets import NotifyTarget
from streaming.models import AlarmMessage, AlarmState

RETRY_MINUTES = (5, 15, 60, 180, 360, 720, 1440)
"""Before the second attempt, the third, and so on; after the last one the message is dropped."""
MAX_PENDING = 20
"""Messages that wait for one service that is down; older ones are dropped."""


def record_news(targets: Sequence[NotifyTarget], *, now: datetime) -> bool:
    """Look at all conditions; queue one message to each target if something began or ended. Whether it did.

    The transition and its message are one transaction, so neither a kill nor another process loses or repeats one.
    """
    AlarmState.objects.bulk_create([AlarmState(code=REMOVED, seen_id=first_seen_id(now=now))], ignore_conflicts=True)
    with transaction.atomic():
        # One process looks at a time: another one's older look must not end what this one begins.
        seen = AlarmState.objects.select_for_update().get(pk=REMOVED).seen_id
        conditions = current_conditions(now=now)
        AlarmState.objects.bulk_create([AlarmState(code=one.code) for one in conditions], ignore_conflicts=True)
        ordered = sorted(conditions, key=lambda condition: condition.code)
        began = [one for one in ordered if one.holds and AlarmState.objects.begin(one.code, now=now)]
        ended = [one for one in ordered if not one.holds and AlarmState.objects.end(one.code)]
        removals = removals_after(seen)
        AlarmState.objects.advance(REMOVED, to=removals.last_id)
        news = News(
            began=tuple((one.code, one.text) for one in began),
            ended=tuple((one.code, one.text) for one in ended),
            removed_count=removals.count,
            films=removals.films,
        )
        if news:
            _queue(news, targets, now=now)
    return bool(news)


def make_test_message(target: NotifyTarget, *, now: datetime) -> AlarmMessage:
    """Return a message that says that messages arrive; it is not stored."""
    text = "This is a test: messages of Openreel arrive here."
    content = {"site": _site(), "test": True, "began": [], "ended": [], "removed_count": 0, "removed": []}
    body = f"{text}\n\nFrom {_site()}"
    return AlarmMessage(target=target.key, subject="Openreel: a test", body=body, content=content, created_at=now)


def claim_due(targets: Sequence[NotifyTarget], *, now: datetime) -> list[AlarmMessage]:
    """Return the messages that this process is to send now, and drop those that no service of today waits for."""
    AlarmMessage.objects.exclude(target__in=[target.key for target in targets]).delete()
    return [
        message
        for message in AlarmMessage.objects.due(now)
        if AlarmMessage.objects.claim(message, until=_retry(message, now))
    ]


def close_sent(message: AlarmMessage, *, is_accepted: bool) -> None:
    """Delete a message that was accepted, and one that no further attempt is made for."""
    if is_accepted or message.attempts >= len(RETRY_MINUTES):
        AlarmMessage.objects.filter(pk=message.pk).delete()


def has_due(*, now: datetime) -> bool:
    """Whether a message is to be sent."""
    return AlarmMessage.objects.due(now).exists()


def _retry(message: AlarmMessage, now: datetime) -> datetime:
    return now + timedelta(minutes=RETRY_MINUTES[min(message.attempts, len(RETRY_MINUTES) - 1)])


def _queue(news: News, targets: Sequence[NotifyTarget], *, now: datetime) -> None:
    text, content = compose(news, site=_site()), as_content(news, site=_site())
    for target in targets:
        AlarmMessage.objects.create(
            target=target.key,
            subject=text.subject,
            body=text.body,
            content=content,
            created_at=now,
            next_attempt_at=now,
        )
        waiting = AlarmMessage.objects.filter(target=target.key).order_by("-pk").values_list("pk", flat=True)
        AlarmMessage.objects.filter(pk__in=list(waiting[MAX_PENDING:])).delete()


def _site() -> str:
    return settings.SITE_URL or "Openreel"
