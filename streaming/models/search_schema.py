"""The tables and triggers of the search index, in SQL for each database. Only migrations create them.

`streaming_searchtitle` has a row for each title of a movie, and `streaming_searchword` the words of all titles.
Triggers keep both in the transaction that writes a movie, whoever writes: code, admin, SQL by hand. On SQLite, a
migration that rebuilds `streaming_movie` drops the triggers on it and has to end with `install_search_triggers`; the
triggers name no table that a migration of Django rebuilds, or SQLite would refuse.

The columns of a title: `place` is the key, ordered from the best known movies to the least (`place_sql`), `number` is 0
for the title that the movie is shown with, and `words` are those of `streaming.search_words.title_words`.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

MOVIE_BITS, NUMBER_BITS, YEAR_BITS = 34, 8, 9
MOVIE_SHIFT = NUMBER_BITS
YEAR_SHIFT = MOVIE_SHIFT + MOVIE_BITS
FAME_SHIFT = YEAR_SHIFT + YEAR_BITS
MAX_FAME, MAX_YEAR_NUMBER = 4095, 511
FIRST_YEAR = 1800
"""The year before the first that a place can tell from an unknown year."""
MIN_VOCABULARY_LENGTH = 3


def place_sql(*, movie_id: str, number: str = "0", fame: str = "0", year: str = "NULL", postgres: bool) -> str:
    """The place of a title by the SQL values of its movie: fame, then year, then id, the famous and the newest first.

    With neither fame nor year it grows with the id, and a new title gets such a place. That lets SQLite append to
    the index; `streaming.search_index` moves titles to the places that they deserve.
    """
    least, cast = ("LEAST", "::bigint") if postgres else ("min", "")
    newness = f"{least}(coalesce({year} - {FIRST_YEAR}, 0), {MAX_YEAR_NUMBER})"
    return (
        f"((({MAX_FAME} - {least}({fame}, {MAX_FAME})){cast} << {FAME_SHIFT})"
        f" + (({MAX_YEAR_NUMBER} - {newness}){cast} << {YEAR_SHIFT})"
        f" + (({movie_id}){cast} << {MOVIE_SHIFT}) + {number})"
    )


def movie_of_place(place: int) -> int:
    """The id of the movie whose title has this place."""
    return place >> MOVIE_SHIFT & (1 << MOVIE_BITS) - 1


def create_search_tables(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the tables, without rows and triggers."""
    for statement in _POSTGRES_TABLES if _is_postgres(schema_editor) else _SQLITE_TABLES:
        schema_editor.execute(statement)


def drop_search_tables(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers and the tables."""
    remove_search_triggers(schema_editor)
    for table in ("streaming_searchprogress", "streaming_searchword", "streaming_searchtitle"):
        schema_editor.execute(f"DROP TABLE {table}")
    if not _is_postgres(schema_editor):
        schema_editor.execute("DROP TABLE streaming_searchvocabulary")
        schema_editor.execute("DROP TABLE streaming_searchtext")


def install_search_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers, in place of any that exist."""
    remove_search_triggers(schema_editor)
    for statement in _postgres_triggers() if _is_postgres(schema_editor) else _SQLITE_TRIGGERS.values():
        schema_editor.execute(statement)


def remove_search_triggers(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers as far as they exist."""
    if not _is_postgres(schema_editor):
        for name in _SQLITE_TRIGGERS:
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        return
    for name, (table, _, _) in _POSTGRES_TRIGGERS.items():
        schema_editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        schema_editor.execute(f"DROP FUNCTION IF EXISTS {name}()")


def add_titles(*, after: int) -> tuple[str, ...]:
    """The statements that index the titles of the movies whose ids are greater, as triggers do for each. For SQLite."""
    place, words = place_sql(movie_id="m.id", postgres=False), _WORDS.replace("NEW.", "m.")
    return (
        "INSERT INTO streaming_searchtitle (place, movie_id, number, words) "
        f"SELECT {place}, m.id, 0, {words} FROM streaming_movie AS m WHERE m.id > {after:d} ORDER BY m.id",
        "INSERT INTO streaming_searchtext (rowid, words) "
        f"SELECT place, words FROM streaming_searchtitle WHERE movie_id > {after:d} ORDER BY movie_id",
        _add_words(_JSON.replace("NEW.", "t."), source="streaming_searchtitle AS t, ", where=f"t.movie_id > {after:d}"),
    )


def delete_titles(movie_ids: Iterable[int]) -> tuple[str, ...]:
    """The statements that take the titles of movies from the index, as triggers do for each. For SQLite."""
    rows = f"FROM streaming_searchtitle WHERE movie_id IN ({', '.join(str(int(pk)) for pk in movie_ids)})"
    return (
        f"INSERT INTO streaming_searchtext (streaming_searchtext, rowid, words) SELECT 'delete', place, words {rows}",
        f"DELETE {rows}",
    )


def _is_postgres(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


# A writer that knows no `search_words` leaves it empty: the words of the sorted title do until the index is checked.
_WORDS = "CASE NEW.search_words WHEN '' THEN NEW.search_title ELSE NEW.search_words END"
_WORDS_DIFFER = (
    "OLD.search_words <> NEW.search_words OR (NEW.search_words = '' AND OLD.search_title <> NEW.search_title)"
)

_SQLITE_TABLES = (
    "CREATE TABLE streaming_searchtitle (place INTEGER NOT NULL PRIMARY KEY, movie_id INTEGER NOT NULL, "
    "number INTEGER NOT NULL, words TEXT NOT NULL)",
    "CREATE UNIQUE INDEX searchtitle_by_movie ON streaming_searchtitle (movie_id, number)",
    "CREATE INDEX searchtitle_by_words ON streaming_searchtitle (words)",
    # Words are compared as they are: all that is not ASCII counts as a letter. Positions are not needed.
    "CREATE VIRTUAL TABLE streaming_searchtext USING fts5 (words, content='streaming_searchtitle', "
    "content_rowid='place', tokenize='ascii', prefix='1 2 3', detail='none', columnsize=0)",
    "CREATE VIRTUAL TABLE streaming_searchvocabulary USING fts5vocab (streaming_searchtext, 'row')",
    "CREATE TABLE streaming_searchword (word TEXT NOT NULL PRIMARY KEY, titles INTEGER NOT NULL DEFAULT 1) "
    "WITHOUT ROWID",
    "CREATE TABLE streaming_searchprogress (id INTEGER NOT NULL PRIMARY KEY, movie_id INTEGER NOT NULL)",
)
_POSTGRES_TABLES = (
    "CREATE TABLE streaming_searchtitle (place bigint NOT NULL PRIMARY KEY, movie_id bigint NOT NULL, "
    'number smallint NOT NULL, words text COLLATE "C" NOT NULL, '
    "vector tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(array_remove("
    "string_to_array(translate(words, '|', ' '), ' '), ''))) STORED)",
    "CREATE UNIQUE INDEX searchtitle_by_movie ON streaming_searchtitle (movie_id, number)",
    "CREATE INDEX searchtitle_by_words ON streaming_searchtitle (words)",
    # With a list of pending entries, a search after a bulk write would read the whole table.
    "CREATE INDEX searchtitle_by_vector ON streaming_searchtitle USING gin (vector) WITH (fastupdate = off)",
    # No key: writers that add the same word at the same time would wait for each other, and could deadlock.
    'CREATE TABLE streaming_searchword (word text COLLATE "C" NOT NULL, titles bigint NOT NULL DEFAULT 1)',
    "CREATE INDEX searchword_by_word ON streaming_searchword (word)",
    "CREATE TABLE streaming_searchprogress (id smallint NOT NULL PRIMARY KEY, movie_id bigint NOT NULL)",
)

_NEW_PLACE = {postgres: place_sql(movie_id="NEW.id", postgres=postgres) for postgres in (False, True)}
# The words as a JSON list; nothing if they are no words of ours.
_JSON = "'[\"' || replace(replace(NEW.words, '|', ' '), ' ', '\",\"') || '\"]'"


def _add_words(words: str, *, source: str = "", where: str = "") -> str:
    """The statement that adds words, a JSON list, to the vocabulary, where they are not in it. For SQLite."""
    return (
        f"INSERT OR IGNORE INTO streaming_searchword (word) SELECT value FROM {source}json_each("
        f"CASE json_valid({words}) WHEN 1 THEN {words} ELSE '[]' END) "
        f"WHERE length(value) >= {MIN_VOCABULARY_LENGTH}{f' AND {where}' if where else ''}"
    )


_SQLITE_ADD_WORDS = _add_words(_JSON)
_SQLITE_ADD_TEXT = "INSERT INTO streaming_searchtext (rowid, words) VALUES (NEW.place, NEW.words)"
_SQLITE_DELETE_TEXT = (
    "INSERT INTO streaming_searchtext (streaming_searchtext, rowid, words) VALUES ('delete', OLD.place, OLD.words)"
)
_SQLITE_TRIGGERS = {
    "streaming_search_movie_added": (
        "CREATE TRIGGER streaming_search_movie_added AFTER INSERT ON streaming_movie FOR EACH ROW BEGIN "
        "INSERT INTO streaming_searchtitle (place, movie_id, number, words) "
        f"VALUES ({_NEW_PLACE[False]}, NEW.id, 0, {_WORDS}); END"
    ),
    "streaming_search_movie_edited": (
        "CREATE TRIGGER streaming_search_movie_edited AFTER UPDATE OF search_words, search_title ON streaming_movie "
        f"FOR EACH ROW WHEN {_WORDS_DIFFER} BEGIN "
        f"UPDATE streaming_searchtitle SET words = {_WORDS} WHERE movie_id = NEW.id AND number = 0; END"
    ),
    "streaming_search_movie_deleted": (
        "CREATE TRIGGER streaming_search_movie_deleted AFTER DELETE ON streaming_movie FOR EACH ROW BEGIN "
        "DELETE FROM streaming_searchtitle WHERE movie_id = OLD.id; END"
    ),
    "streaming_search_title_added": (
        "CREATE TRIGGER streaming_search_title_added AFTER INSERT ON streaming_searchtitle FOR EACH ROW BEGIN "
        f"{_SQLITE_ADD_TEXT}; {_SQLITE_ADD_WORDS}; END"
    ),
    "streaming_search_title_edited": (
        "CREATE TRIGGER streaming_search_title_edited AFTER UPDATE ON streaming_searchtitle FOR EACH ROW BEGIN "
        f"{_SQLITE_DELETE_TEXT}; {_SQLITE_ADD_TEXT}; {_SQLITE_ADD_WORDS}; END"
    ),
    "streaming_search_title_deleted": (
        "CREATE TRIGGER streaming_search_title_deleted AFTER DELETE ON streaming_searchtitle FOR EACH ROW BEGIN "
        f"{_SQLITE_DELETE_TEXT}; END"
    ),
}
# What `add_titles` and `delete_titles` do in their place.
ADDED_TITLE_TRIGGERS = ("streaming_search_movie_added", "streaming_search_title_added")
DELETED_TITLE_TRIGGERS = ("streaming_search_movie_deleted", "streaming_search_title_deleted")

_POSTGRES_ADD_WORDS = (
    "INSERT INTO streaming_searchword (word) SELECT DISTINCT w.word FROM "
    "unnest(string_to_array(translate(NEW.words, '|', ' '), ' ')) AS w (word) "
    f"WHERE length(w.word) >= {MIN_VOCABULARY_LENGTH} "
    'AND NOT EXISTS (SELECT 1 FROM streaming_searchword AS k WHERE k.word = w.word COLLATE "C");'
)
# name: table, event, body
_POSTGRES_TRIGGERS = {
    "streaming_search_movie_added": (
        "streaming_movie",
        "INSERT",
        "INSERT INTO streaming_searchtitle (place, movie_id, number, words) "
        f"VALUES ({_NEW_PLACE[True]}, NEW.id, 0, {_WORDS});",
    ),
    "streaming_search_movie_edited": (
        "streaming_movie",
        "UPDATE OF search_words, search_title",
        f"IF {_WORDS_DIFFER} THEN "
        f"UPDATE streaming_searchtitle SET words = {_WORDS} WHERE movie_id = NEW.id AND number = 0; END IF;",
    ),
    "streaming_search_movie_deleted": (
        "streaming_movie",
        "DELETE",
        "DELETE FROM streaming_searchtitle WHERE movie_id = OLD.id;",
    ),
    "streaming_search_movies_emptied": ("streaming_movie", "TRUNCATE", "DELETE FROM streaming_searchtitle;"),
    "streaming_search_title_written": (
        "streaming_searchtitle",
        "INSERT OR UPDATE OF words",
        _POSTGRES_ADD_WORDS,
    ),
}


def _postgres_triggers() -> list[str]:
    statements = []
    for name, (table, event, body) in _POSTGRES_TRIGGERS.items():
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        statements += [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${'BEGIN ' + body + ' RETURN NULL; END'}$$",
            f"CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()",
        ]
    return statements
