"""Add `HealthRun.outcome` and fill it from the sentences that said how a run ended; reword labels."""

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
        migrations.AlterField(
            model_name='streaminglink',
            name='quality',
            field=models.CharField(blank=True, choices=[('2160p', '2160p'), ('1440p', '1440p'), ('1080p', '1080p'), ('720p', '720p'), ('576p', '576p'), ('480p', '480p'), ('360p', '360p'), ('240p', '240p')], default='', max_length=5),
        ),
        migrations.AlterField(
            model_name='healthpiece',
            name='kind',
            field=models.CharField(choices=[('good', 'Successes, not written yet'), ('held', 'Failures awaiting acceptance'), ('heard', 'Totals for the guard'), ('onward', 'Links for another shard')], max_length=6),
        ),
        migrations.AlterField(
            model_name='healthrun',
            name='ending',
            field=models.CharField(blank=True, choices=[('settled', 'All links checked'), ('late', 'Time limit reached'), ('interrupted', 'Interrupted'), ('withheld', 'Results withheld')], default='', editable=False, max_length=11),
        ),
    ]
