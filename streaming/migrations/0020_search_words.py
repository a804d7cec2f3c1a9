"""Add `search_words` to the movies and fill it.

In SQL, because Django's `AddField` would rebuild the table on SQLite, and so drop its triggers.
"""

from django.db import migrations

import streaming.models.fields
from streaming.search_words import title_words

BATCH_SIZE = 5000


def fill(apps, schema_editor):
    connection, last = schema_editor.connection, 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                'SELECT id, title FROM streaming_movie WHERE id > %s ORDER BY id LIMIT %s', [last, BATCH_SIZE]
            )
            if not (rows := cursor.fetchall()):
                break
            last = rows[-1][0]
            cursor.executemany(
                'UPDATE streaming_movie SET search_words = %s WHERE id = %s',
                [(title_words(title), pk) for pk, title in rows],
            )


class Migration(migrations.Migration):

    dependencies = [
        ('streaming', '0019_count_by_triggers'),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE streaming_movie ADD COLUMN search_words text DEFAULT '' NOT NULL",
            'ALTER TABLE streaming_movie DROP COLUMN search_words',
            state_operations=[
                migrations.AddField(
                    model_name='movie',
                    name='search_words',
                    field=streaming.models.fields.SearchWordsField(db_default='', editable=False, of='title'),
                ),
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
