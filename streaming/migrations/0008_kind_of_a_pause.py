"""Add `HostPause.kind` and fill it from the sentences that said who decided a pause."""

from django.db import migrations, models

RETRY_AFTER = 'asked us to come back later'
BREAKER = 'most of its links failed at once'


def fill_kinds(apps, schema_editor):
    pauses = apps.get_model('streaming', 'HostPause').objects.using(schema_editor.connection.alias)
    pauses.filter(reason=RETRY_AFTER).update(kind='retry_after')
    pauses.filter(reason=BREAKER).update(kind='breaker')


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0007_outcome_of_a_run'),
    ]

    operations = [
        migrations.AddField(
            model_name='hostpause',
            name='kind',
            field=models.CharField(choices=[('retry_after', 'Requested by the host'), ('breaker', 'Most links failed at once'), ('manual', 'Set by hand')], default='manual', editable=False, max_length=11),
        ),
        migrations.AddConstraint(
            model_name='hostpause',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ('retry_after', 'breaker', 'manual'))), name='pause_kind_known'),
        ),
        migrations.RunPython(fill_kinds, migrations.RunPython.noop),
    ]
