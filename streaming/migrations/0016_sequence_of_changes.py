"""Add `Change` and `PendingChange`, number all movies and tombstones by their dates, and install the triggers.

Jobs are taken in the order of their ids.
"""

from django.db import migrations, models
from django.db.models import Max
from django.utils import timezone

from streaming.models.change_triggers import WatchedColumns, install_triggers, remove_triggers

BATCH_SIZE = 2000
COLUMNS = WatchedColumns(
    movie=('imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at'),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)


def number_existing(apps, schema_editor):
    """The order of the dates; a date in the future (a clock was wrong) counts as now."""
    alias, now = schema_editor.connection.alias, timezone.now()
    movies = apps.get_model('streaming', 'Movie').objects.using(alias)
    tombstones = apps.get_model('streaming', 'RemovedMovie').objects.using(alias)
    dates = dict(tombstones.order_by().values_list('imdb_id').annotate(at=Max('removed_at')))
    restored = tombstones.exclude(restored_at=None).order_by().values_list('imdb_id').annotate(at=Max('restored_at'))
    for imdb_id, at in [*movies.values_list('imdb_id', 'updated_at'), *restored]:
        dates[imdb_id] = max(at, dates.get(imdb_id, at))
    change = apps.get_model('streaming', 'Change')
    in_order = sorted((min(at, now), imdb_id) for imdb_id, at in dates.items())
    rows = [change(imdb_id=imdb_id, number=number, numbered_at=at) for number, (at, imdb_id) in enumerate(in_order, 1)]
    change.objects.using(alias).bulk_create(rows, batch_size=BATCH_SIZE)


def install(apps, schema_editor):
    install_triggers(schema_editor, COLUMNS)


def remove(apps, schema_editor):
    remove_triggers(schema_editor, COLUMNS)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0015_checks_that_sqlite_knows'),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=[
                ('imdb_id', models.CharField(max_length=11, primary_key=True, serialize=False)),
                ('number', models.PositiveBigIntegerField(unique=True)),
                ('numbered_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['numbered_at', 'number'], name='change_by_time')],
            },
        ),
        migrations.CreateModel(
            name='PendingChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('imdb_id', models.CharField(max_length=11)),
                ('movie_id', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.RemoveIndex(model_name='scrapejob', name='job_next_queued'),
        migrations.AddIndex(
            model_name='scrapejob',
            index=models.Index(condition=models.Q(('state', 'queued')), fields=['-priority', 'id'], name='job_next_queued'),
        ),
        migrations.RunPython(number_existing, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]
