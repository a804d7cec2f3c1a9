"""Add `StreamingLink.strength` and `failing_seconds`; fill them for failing links from their reason and dates."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

REASONS_BY_STRENGTH = {
    'proven': ('http_404', 'http_410', 'dark', 'missing', 'private', 'moved'),
    'soft': ('soft_404', 'redirect_home', 'redirect_loop', 'wrong_type', 'empty'),
    'blocked': ('http_401', 'http_403', 'http_451', 'http_999', 'http_4xx', 'bot_wall', 'login', 'abroad'),
    'unreachable': ('timeout', 'refused', 'reset', 'dns', 'tls', 'http_5xx', 'protocol', 'too_many_redirects', 'bad_redirect'),
}
MAX_INTERVAL = timedelta(hours=12)
BATCH_SIZE = 500


def fill_strengths(apps, schema_editor):
    links = apps.get_model('streaming', 'StreamingLink').objects.using(schema_editor.connection.alias)
    for strength, reasons in REASONS_BY_STRENGTH.items():
        links.filter(is_active=False, reason__in=reasons).update(strength=strength)


def fill_failing_times(apps, schema_editor):
    """No more than the time between the first and the last failure, and half a day for each pair of checks.

    So no link counts towards the removal of its movie that did not count before.
    """
    links = apps.get_model('streaming', 'StreamingLink').objects.using(schema_editor.connection.alias)
    failing = links.filter(is_active=False, failures__gt=1, state_since__isnull=False, last_checked__isnull=False)
    failing = failing.only('failures', 'state_since', 'last_checked').order_by('pk')
    now, last = timezone.now(), 0
    while batch := list(failing.filter(pk__gt=last)[:BATCH_SIZE]):
        last = batch[-1].pk
        for link in batch:
            failing_for = min(link.last_checked, now) - link.state_since
            intervals = min(link.failures - 1, failing_for // MAX_INTERVAL + 1)
            link.failing_seconds = max(0, int(min(failing_for, intervals * MAX_INTERVAL).total_seconds()))
        links.bulk_update(batch, ['failing_seconds'])


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0008_kind_of_a_pause'),
    ]

    operations = [
        migrations.AddField(
            model_name='streaminglink',
            name='strength',
            field=models.CharField(blank=True, choices=[('proven', 'Certain'), ('soft', 'Likely'), ('blocked', 'Blocked'), ('unreachable', 'No response')], default='', max_length=11),
        ),
        migrations.AddField(
            model_name='streaminglink',
            name='failing_seconds',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name='streaminglink',
            constraint=models.CheckConstraint(condition=models.Q(('strength__in', ['', 'proven', 'soft', 'blocked', 'unreachable'])), name='link_strength_known'),
        ),
        migrations.RunPython(fill_strengths, migrations.RunPython.noop),
        migrations.RunPython(fill_failing_times, migrations.RunPython.noop),
    ]
