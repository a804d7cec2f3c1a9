"""Let the search find movies by the names of their people: fill `search_words` of those that have any."""

import json

from django.db import migrations

from streaming.search_words import title_words

BATCH_SIZE = 5000
ROWS = """SELECT id, title, original_title, other_titles, directors, "cast" FROM streaming_movie
    WHERE id > %s AND (directors <> '[]' OR "cast" <> '[]') ORDER BY id LIMIT %s"""


def fill(apps, schema_editor):
    connection, last = schema_editor.connection, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(ROWS, [last, BATCH_SIZE])
            if not (rows := cursor.fetchall()):
                break
            last = rows[-1][0]
            cursor.executemany(
                'UPDATE streaming_movie SET search_words = %s WHERE id = %s', [(_words(*row), pk) for pk, *row in rows]
            )


def _words(title, original_title, *lists):
    other_titles, directors, cast = (json.loads(text) for text in lists)
    names = [one.get('name', '') for one in (*directors, *cast)]
    return title_words(title, original_title, *(other for _, other in other_titles), people=names)


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0034_link_by_reason'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
