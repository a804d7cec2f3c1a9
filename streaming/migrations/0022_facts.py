"""Add what is known of movies and of the files of links.

The columns that are never NULL by SQL, because Django's `AddField` would rebuild the tables on SQLite, and so drop
their triggers.
"""

import django.db.models.fields.json
from django.db import migrations, models

import streaming.models.fields
from streaming.models.change_triggers import WatchedColumns, install_triggers, remove_triggers
from streaming.models.counter_triggers import install_counter_triggers, remove_counter_triggers

BEFORE = WatchedColumns(
    movie=('imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at'),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)
COLUMNS = WatchedColumns(
    movie=(
        *BEFORE.movie, 'runtime_minutes', 'original_title', 'original_languages', 'countries', 'genres', 'directors',
        '"cast"', 'other_titles', 'fame',
    ),
    link=(*BEFORE.link, 'duration_seconds', 'size_bytes', 'width', 'height', 'captions'),
    removed=BEFORE.removed,
)
MOVIE, LINK = 'streaming_movie', 'streaming_streaminglink'
LISTS = ('original_languages', 'countries', 'genres', 'directors', 'cast', 'other_titles')
ADDED = [(MOVIE, name, 'list') for name in LISTS] + [
    (LINK, 'captions', 'list'), (MOVIE, 'original_title', 'text'), (MOVIE, 'fame', 'number'),
]
TYPES = {
    'sqlite': {
        'list': "text DEFAULT '[]' NOT NULL CHECK (JSON_VALID(\"{name}\"))",
        'text': "varchar(200) DEFAULT '' NOT NULL",
        'number': 'integer unsigned DEFAULT 0 NOT NULL CHECK ("{name}" >= 0)',
    },
    'postgresql': {
        'list': "jsonb DEFAULT '[]'::jsonb NOT NULL",
        'text': "varchar(200) DEFAULT '' NOT NULL",
        'number': 'integer DEFAULT 0 NOT NULL CHECK ("{name}" >= 0)',
    },
}


def list_field():
    return streaming.models.fields.JsonListField(
        blank=True, db_default=models.Value([], output_field=django.db.models.fields.json.JSONField()), default=list
    )


def add_columns(apps, schema_editor):
    types = TYPES[schema_editor.connection.vendor]
    for table, name, kind in ADDED:
        schema_editor.execute(f'ALTER TABLE {table} ADD COLUMN "{name}" {types[kind].format(name=name)}')


def drop_columns(apps, schema_editor):
    for table, name, _ in ADDED:
        schema_editor.execute(f'ALTER TABLE {table} DROP COLUMN "{name}"')


def install(apps, schema_editor):
    install_triggers(schema_editor, COLUMNS)
    install_counter_triggers(schema_editor.connection, COLUMNS)


def remove(apps, schema_editor):
    remove_triggers(schema_editor, COLUMNS)
    remove_counter_triggers(schema_editor.connection)


def install_earlier(apps, schema_editor):
    install_triggers(schema_editor, BEFORE)
    install_counter_triggers(schema_editor.connection, BEFORE)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0021_search_index'),
    ]

    operations = [
        # Backwards, the last thing that is done.
        migrations.RunPython(migrations.RunPython.noop, install_earlier),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(add_columns, drop_columns)],
            state_operations=[
                *(migrations.AddField('movie', name, list_field()) for name in LISTS),
                migrations.AddField('streaminglink', 'captions', list_field()),
                migrations.AddField(
                    'movie', 'original_title', models.CharField(blank=True, db_default='', default='', max_length=200)
                ),
                migrations.AddField(
                    'movie', 'fame', models.PositiveIntegerField(db_default=0, default=0, editable=False)
                ),
            ],
        ),
        migrations.AddField('movie', 'runtime_minutes', models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField('streaminglink', 'duration_seconds', models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField('streaminglink', 'size_bytes', models.PositiveBigIntegerField(blank=True, null=True)),
        migrations.AddField('streaminglink', 'width', models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddField('streaminglink', 'height', models.PositiveSmallIntegerField(blank=True, null=True)),
        migrations.AddIndex('movie', models.Index(fields=['runtime_minutes', 'id'], name='movie_by_runtime')),
        migrations.RunPython(install, remove),
    ]
