"""Install the triggers that keep the counters, and count what there is. No writer gets in between."""

from django.db import migrations
from django.utils import timezone

from streaming.models.change_triggers import WatchedColumns
from streaming.models.counter_triggers import install_counter_triggers, recount, remove_counter_triggers

TABLES = ('streaming_movie', 'streaming_streaminglink', 'streaming_removedmovie')

COLUMNS = WatchedColumns(
    movie=('imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at'),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)


def install(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == 'postgresql':
        schema_editor.execute(f'LOCK TABLE {", ".join(TABLES)} IN EXCLUSIVE MODE')
    install_counter_triggers(connection, COLUMNS)
    recount(connection)
    versions = apps.get_model('streaming', 'CatalogueVersion').objects.using(connection.alias)
    versions.create(number=1, changed_at=timezone.now())


def remove(apps, schema_editor):
    remove_counter_triggers(schema_editor.connection)
    apps.get_model('streaming', 'CatalogueVersion').objects.using(schema_editor.connection.alias).all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0018_counters'),
    ]

    operations = [
        migrations.RunPython(install, remove),
    ]
