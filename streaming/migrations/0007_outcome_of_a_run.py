"""How each closed run ended, read from what its row said in words until now."""

from django.db import migrations, models

INTERRUPTED = (
    'interrupted; bad answers were not believed yet, those links are asked again next time',
    'the process that asks the links died',
)


def fill_outcomes(apps, schema_editor):
    closed = apps.get_model('streaming', 'HealthRun').objects.using(schema_editor.connection.alias).exclude(finished_at=None)
    closed.filter(withheld=True).update(outcome='withheld')
    closed.filter(withheld=False, reason__in=INTERRUPTED).update(outcome='interrupted')
    closed.filter(outcome='').update(outcome='completed')


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0006_parts_of_a_run'),
    ]

    operations = [
        migrations.AddField(
            model_name='healthrun',
            name='outcome',
            field=models.CharField(blank=True, choices=[('completed', 'Completed'), ('withheld', 'Withheld'), ('interrupted', 'Interrupted'), ('failed', 'Failed')], default='', max_length=11),
        ),
        migrations.AddConstraint(
            model_name='healthrun',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ('', 'completed', 'withheld', 'interrupted', 'failed'))), name='run_outcome_known'),
        ),
        migrations.RunPython(fill_outcomes, migrations.RunPython.noop),
    ]
