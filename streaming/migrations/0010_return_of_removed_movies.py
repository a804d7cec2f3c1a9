"""Add `RemovedMovie.cause` and `next_check_at`; fill them from the sentences that said why movies were removed."""

from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

CHECKED_FOR = timedelta(days=187)


def fill_causes(apps, schema_editor):
    """Movies that nobody removed on purpose are checked again; the checker takes a few hundred links a run."""
    tombstones = apps.get_model('streaming', 'RemovedMovie').objects.using(schema_editor.connection.alias)
    tombstones.filter(reason__startswith='removed by ').update(cause='staff')
    tombstones.filter(reason__startswith='taken down: ').update(cause='takedown')
    now = timezone.now()
    removed = tombstones.filter(cause='check', restored_at=None, removed_at__gt=now - CHECKED_FOR)
    removed.update(next_check_at=now)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0009_strength_of_a_failure'),
    ]

    operations = [
        migrations.AddField(
            model_name='removedmovie',
            name='cause',
            field=models.CharField(choices=[('check', 'Link check'), ('cleanup', 'Clean-up by hand'), ('staff', 'Staff'), ('takedown', 'Takedown')], default='check', max_length=8),
        ),
        migrations.AddField(
            model_name='removedmovie',
            name='next_check_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name='removedmovie',
            constraint=models.CheckConstraint(condition=models.Q(('cause__in', ('check', 'cleanup', 'staff', 'takedown'))), name='removed_cause_known'),
        ),
        migrations.AddIndex(
            model_name='removedmovie',
            index=models.Index(condition=models.Q(('next_check_at__isnull', False), ('restored_at', None)), fields=['next_check_at', 'id'], name='removed_by_next_check'),
        ),
        migrations.RunPython(fill_causes, migrations.RunPython.noop),
    ]
