"""Numbers, dates, ages and names in the language of the page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from streaming import localization

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (3600, "1 h ago"), (86_400 * 3, "3 d ago")],
)
def test_an_age_is_given_in_its_largest_unit(seconds, text):
    assert localization.time_ago(NOW - timedelta(seconds=seconds), now=NOW) == text


def test_no_time_is_never():
    assert localization.time_ago(None, now=NOW) == "never"


@pytest.mark.parametrize(
    ("hours", "text"),
    [(24, "24 hours"), (168, "7 days"), (1, "1 hour"), (0.5, "30 minutes"), (0, "0 hours"), (1.5, "1.5 hours")],
)
def test_a_duration_is_given_in_days_hours_or_minutes(hours, text):
    assert localization.duration_text(hours) == text


@pytest.mark.parametrize(
    ("function", "values", "texts"),
    [
        ("number_text", [12_400], ["12,400", "12.400", "12\u202f400", "12.400"]),
        ("percent_text", [0.5], ["50%", "50\u00a0%", "50\u00a0%", "50\u00a0%"]),
        ("day_text", [NOW.date()], ["2 Jan", "2. Jan.", "2 janv.", "2 ene"]),
        ("moment_text", [NOW], ["2 Jan, 12:00 UTC", "2. Jan., 12:00 UTC", "2 janv., 12:00 UTC", "2 ene, 12:00 UTC"]),
        ("runtime_text", [67], ["1 h 7 min", "1\xa0Std. 7\xa0Min.", "1\xa0h 7\xa0min", "1\xa0h 7\xa0min"]),
        ("duration_text", [1.5], ["1.5 hours", "1,5 Stunden", "1,5 heures", "1,5 horas"]),
        ("links_text", [0], ["0 links", "0 Links", "0 lien", "0 enlaces"]),
        ("links_text", [1], ["1 link", "1 Link", "1 lien", "1 enlace"]),
        ("links_text", [1200], ["1,200 links", "1.200 Links", "1\u202f200 liens", "1.200 enlaces"]),
        ("decade_name", ["1920"], ["1920s", "1920er", "Années 1920", "Años 1920"]),
        (
            "language_name",
            ["de-AT"],
            ["German (Austria)", "Deutsch (Österreich)", "allemand (Autriche)", "alemán (Austria)"],
        ),
        ("language_name", ["zxx"], ["No dialogue", "Ohne Dialog", "Sans dialogue", "Sin diálogos"]),
        ("country_name", ["CZ"], ["Czechia", "Tschechien", "Tchéquie", "Chequia"]),
        ("country_name", ["SU"], ["Soviet Union", "Sowjetunion", "Union soviétique", "Unión Soviética"]),
        ("genre_name", ["crime"], ["Crime", "Krimi", "Policier", "Policíaco"]),
    ],
)
def test_each_language_has_its_own_form(function, values, texts):
    shown = []
    for language in ("en", "de", "fr", "es"):
        with translation.override(language):
            shown.append(getattr(localization, function)(*values))
    assert shown == texts


def test_names_are_sorted_as_readers_expect():
    assert sorted(["Zypern", "Österreich", "Ägypten", "Polen"], key=localization.sort_key) == [
        "Ägypten", "Österreich", "Polen", "Zypern",
    ]  # fmt: skip
