"""The search index: its tables, a row for each title, and the triggers that keep them."""

from django.db import migrations

from streaming.models.search_schema import create_search_tables, drop_search_tables, install_search_triggers, place_sql


def create(apps, schema_editor):
    create_search_tables(schema_editor)


def drop(apps, schema_editor):
    drop_search_tables(schema_editor)


def fill(apps, schema_editor):
    """Before there are triggers: one pass over the titles for each table is the fastest."""
    is_postgres = schema_editor.connection.vendor == 'postgresql'
    place = place_sql(movie_id='m.id', fame='coalesce(f.links, 0)', year='m.year', postgres=is_postgres)
    schema_editor.execute(
        'INSERT INTO streaming_searchtitle (place, movie_id, number, words) '
        f'SELECT {place}, m.id, 0, m.search_words FROM streaming_movie m LEFT JOIN ('
        'SELECT movie_id, count(*) AS links FROM streaming_streaminglink '
        'WHERE is_active AND is_published GROUP BY movie_id) f ON f.movie_id = m.id ORDER BY 1'
    )
    for statement in _POSTGRES_WORDS if is_postgres else _SQLITE_WORDS:
        schema_editor.execute(statement)


_POSTGRES_WORDS = (
    "INSERT INTO streaming_searchword (word, titles) SELECT w.word, count(*) FROM streaming_searchtitle t, "
    "unnest(t.vector) AS w (word, positions, weights) WHERE length(w.word) > 2 GROUP BY 1",
)
_SQLITE_WORDS = (
    "INSERT INTO streaming_searchtext (streaming_searchtext) VALUES ('rebuild')",
    "INSERT INTO streaming_searchword (word, titles) SELECT term, doc FROM streaming_searchvocabulary "
    "WHERE length(term) > 2",
)


def install(apps, schema_editor):
    install_search_triggers(schema_editor)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0020_search_words'),
    ]

    operations = [
        migrations.RunPython(create, drop),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(install, migrations.RunPython.noop),
    ]
