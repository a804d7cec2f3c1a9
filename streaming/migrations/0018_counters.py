"""Add the counters of the catalogue, empty, and the index of each order; 0019 fills them.

SQLite rebuilds the table of movies, which drops the triggers of `change_triggers`.
"""

import django.db.models.functions.comparison
import streaming.models.fields
from django.db import migrations, models

from streaming.models.change_triggers import WatchedColumns, install_triggers
from streaming.models.counter_triggers import recount_movies

COLUMNS = WatchedColumns(
    movie=('imdb_id', 'title', 'year', 'type', 'poster_url', 'synopsis', 'created_at', 'updated_at'),
    link=(
        'movie_id', 'source', 'source_url', 'kind', 'label', 'season', 'episode', 'quality', 'language', 'licence',
        'licence_url',
    ),
    removed=('imdb_id', 'title', 'removed_at', 'reason', 'restored_at'),
)


def count(apps, schema_editor):
    recount_movies(schema_editor.connection)


def install(apps, schema_editor):
    install_triggers(schema_editor, COLUMNS)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0017_restored_backups'),
    ]

    operations = [
        # Backwards, the last thing that is done.
        migrations.RunPython(migrations.RunPython.noop, install),
        migrations.CreateModel(
            name='CatalogueVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(default=0)),
                ('changed_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='InactiveReasonCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(blank=True, max_length=40)),
                ('links', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='LinkCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=50)),
                ('quality', models.CharField(blank=True, max_length=5)),
                ('language', models.CharField(blank=True, max_length=35)),
                ('licence', models.CharField(blank=True, max_length=40)),
                ('links', models.BigIntegerField(default=0)),
                ('shown', models.BigIntegerField(default=0)),
                ('active', models.BigIntegerField(default=0)),
                ('unchecked', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='MovieCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(max_length=5)),
                ('year', models.PositiveSmallIntegerField()),
                ('is_watchable', models.BooleanField()),
                ('movies', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RemoveIndex(
            model_name='movie',
            name='movie_by_year',
        ),
        migrations.RemoveIndex(
            model_name='streaminglink',
            name='link_counted_by_source',
        ),
        migrations.AddField(
            model_name='movie',
            name='active_link_count',
            field=streaming.models.fields.CountedField(db_default=0, default=0, editable=False),
        ),
        # Before the column has an index, which would be changed a million times.
        migrations.RunPython(count, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['type', 'search_title', 'id'], name='movie_by_type'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(django.db.models.functions.comparison.Coalesce('year', models.Value(0)), models.F('search_title'), models.F('id'), name='movie_by_known_year'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(models.OrderBy(django.db.models.functions.comparison.Coalesce('year', models.Value(0)), descending=True), models.F('search_title'), models.F('id'), name='movie_newest'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(django.db.models.functions.comparison.Coalesce('year', models.Value(9999)), models.F('search_title'), models.F('id'), name='movie_oldest'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-created_at', 'search_title', 'id'], name='movie_added'),
        ),
        migrations.AddIndex(
            model_name='movie',
            index=models.Index(fields=['-active_link_count', 'search_title', 'id'], name='movie_by_links'),
        ),
        migrations.AddIndex(
            model_name='streaminglink',
            index=models.Index(condition=models.Q(('is_active', True), ('is_published', True)), fields=['language', 'quality', 'source', 'licence', 'movie'], name='link_by_facets'),
        ),
        migrations.AddIndex(
            model_name='inactivereasoncount',
            index=models.Index(fields=['reason'], name='reasoncount_by_key'),
        ),
        migrations.AddIndex(
            model_name='linkcount',
            index=models.Index(fields=['source', 'quality', 'language', 'licence'], name='linkcount_by_key'),
        ),
        migrations.AddIndex(
            model_name='moviecount',
            index=models.Index(fields=['type', 'year', 'is_watchable'], name='moviecount_by_key'),
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
