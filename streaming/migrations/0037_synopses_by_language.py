"""Add the synopses of movies by language; captions that are taken down are found by no filter.

The column by SQL, because Django's `AddField` would rebuild the table on SQLite, and so drop its triggers.
"""

import django.db.models.fields.json
from django.db import migrations, models

import streaming.models.fields
from streaming.models.change_triggers import WatchedColumns, install_triggers, remove_triggers
from streaming.models.counter_triggers import install_counter_triggers, remove_counter_triggers
from streaming.models.facet_triggers import install_facet_triggers, rebuild_caption_facets

BEFORE = WatchedColumns(
    movie=(
        'imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at', 'runtime_minutes',
        'original_title', 'original_languages', 'countries', 'genres', 'directors', '"cast"', 'other_titles', 'fame',
    ),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url', 'duration_seconds', 'size_bytes', 'width', 'height', 'captions',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)
COLUMNS = WatchedColumns(movie=(*BEFORE.movie, 'synopses'), link=BEFORE.link, removed=BEFORE.removed)
TYPES = {
    'sqlite': "text DEFAULT '[]' NOT NULL CHECK (JSON_VALID(\"synopses\"))",
    'postgresql': "jsonb DEFAULT '[]'::jsonb NOT NULL",
}


def add_column(apps, schema_editor):
    kind = TYPES[schema_editor.connection.vendor]
    schema_editor.execute(f'ALTER TABLE streaming_movie ADD COLUMN "synopses" {kind}')


def drop_column(apps, schema_editor):
    schema_editor.execute('ALTER TABLE streaming_movie DROP COLUMN "synopses"')


def install(apps, schema_editor):
    install_triggers(schema_editor, COLUMNS)
    install_counter_triggers(schema_editor.connection, COLUMNS)


def leave_out_captions(apps, schema_editor):
    install_facet_triggers(schema_editor.connection)
    rebuild_caption_facets(schema_editor.connection)


def remove(apps, schema_editor):
    remove_triggers(schema_editor, COLUMNS)
    remove_counter_triggers(schema_editor.connection)


def install_earlier(apps, schema_editor):
    install_triggers(schema_editor, BEFORE)
    install_counter_triggers(schema_editor.connection, BEFORE)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0036_partial_runs'),
    ]

    operations = [
        # Backwards, the last thing that is done.
        migrations.RunPython(migrations.RunPython.noop, install_earlier),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_column, drop_column)],
            state_operations=[
                migrations.AddField(
                    'movie',
                    'synopses',
                    streaming.models.fields.JsonListField(
                        blank=True,
                        db_default=models.Value([], output_field=django.db.models.fields.json.JSONField()),
                        default=list,
                    ),
                ),
            ],
        ),
        migrations.RunPython(install, remove),
        migrations.RunPython(leave_out_captions, migrations.RunPython.noop),
    ]
