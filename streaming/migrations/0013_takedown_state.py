"""Add `StreamingLink.taken_down` and the state before it; hide every link that a takedown covers, inactive ones too."""

from django.db import migrations, models
from django.db.models import F

from streaming.ingest.blocklist import Blocklist

BATCH_SIZE = 1000


def restore_states(links):
    """Give links that were turned off by a takedown their last state, as far as their checks tell."""
    turned_off = links.filter(is_active=False, reason='taken_down')
    turned_off.filter(checks='').update(is_active=True, reason='')
    turned_off.filter(checks__endswith='a').update(is_active=True, reason='ok')
    turned_off.update(reason='', next_check_at=None)


def hide(links):
    links.update(
        taken_down=True,
        active_before=F('is_active'),
        reason_before=F('reason'),
        strength_before=F('strength'),
        is_active=False,
        reason='taken_down',
        strength='',
    )


def fill(apps, schema_editor):
    """Hide the links that the blocklist covers. A link whose takedown was lifted already returns at once."""
    alias = schema_editor.connection.alias
    links = apps.get_model('streaming', 'StreamingLink').objects.using(alias)
    restore_states(links)
    rows = apps.get_model('streaming', 'BlockedAddress').objects.using(alias).values_list('kind', 'address')
    blocklist, last = Blocklist.of(rows), 0
    if not blocklist:
        return
    while batch := list(links.filter(pk__gt=last).order_by('pk').values_list('pk', 'source_url')[:BATCH_SIZE]):
        last = batch[-1][0]
        hide(links.filter(pk__in=[pk for pk, url in batch if blocklist.is_blocked(url=url)]))


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0012_public_reason'),
    ]

    operations = [
        migrations.AddField('streaminglink', 'taken_down', models.BooleanField(default=False, editable=False)),
        migrations.AddField('streaminglink', 'active_before', models.BooleanField(default=False, editable=False)),
        migrations.AddField(
            'streaminglink', 'reason_before', models.CharField(blank=True, default='', editable=False, max_length=40),
        ),
        migrations.AddField(
            'streaminglink', 'strength_before', models.CharField(blank=True, default='', editable=False, max_length=11),
        ),
        migrations.RemoveIndex('streaminglink', 'link_counted_by_source'),
        migrations.AddIndex(
            'streaminglink',
            models.Index(fields=['source', 'is_active', 'is_published', 'taken_down'], name='link_counted_by_source'),
        ),
        migrations.AddConstraint(
            'streaminglink',
            models.CheckConstraint(
                condition=models.Q(('taken_down', False), ('is_active', False), _connector='OR'),
                name='link_taken_down_is_off',
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
