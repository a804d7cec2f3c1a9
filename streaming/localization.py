"""Texts for viewers in their language: numbers, dates, ages, names of languages, countries and genres.

The language is the active one of Django, English unless a page is rendered for a viewer who reads another. Names and
the forms of numbers and dates are CLDR's, through Babel; sentences come from the catalogues in `locale/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal, format_percent
from django.utils.translation import get_language, gettext, ngettext, pgettext

from scraper.extraction.countries import COUNTRIES
from scraper.extraction.genres import GENRES
from streaming import formatting
from streaming.search_words import fold_for_search

DEFAULT_LANGUAGE = "en"
# The order and the points of a day and a month; the names are CLDR's.
DAY_PATTERNS = {"de": "d. MMM"}
DEFAULT_DAY_PATTERN = "d MMM"


def active_language() -> str:
    """The language in which the current page is rendered: one of `settings.LANGUAGES`."""
    return get_language() or DEFAULT_LANGUAGE


def number_text(number: int) -> str:
    """A whole number with the separators of the language: `1,200`, in German `1.200`."""
    if -1000 < number < 1000:
        return str(number)
    return f"{number:,}" if active_language() == DEFAULT_LANGUAGE else str(format_decimal(number, locale=_locale()))


def percent_text(ratio: float, *, decimals: int = 0) -> str:
    """A ratio as a percentage: `97.5%`, in German `97,5 %`."""
    pattern = str(_locale().percent_formats[None].pattern)
    digits = "#,##0" + ("." + decimals * "0" if decimals else "")
    return str(format_percent(ratio, pattern.replace("#,##0", digits), locale=_locale()))


def day_text(day: date) -> str:
    """A day of this year: `29 Nov`."""
    return str(format_date(day, _day_pattern(), locale=_locale()))


def moment_text(at: datetime) -> str:
    """A time of this year: `29 Nov, 08:15 UTC`."""
    return str(format_datetime(at.astimezone(UTC), f"{_day_pattern()}, HH:mm 'UTC'", locale=_locale()))


def exact_time_text(at: datetime) -> str:
    """A time with its year: `29 Nov 2026, 08:15 UTC`."""
    return str(format_datetime(at.astimezone(UTC), f"{_day_pattern()} y, HH:mm 'UTC'", locale=_locale()))


def time_ago(at: datetime | None, *, now: datetime) -> str:
    """The age of a time, such as `5 min ago`; `never` for None, `just now` for a time in the future."""
    if at is None:
        return gettext("never")
    seconds = int((now - at).total_seconds())
    for unit, size in formatting.UNITS:
        if seconds >= size:
            return age_patterns()[unit] % {"number": number_text(seconds // size)}
    return gettext("just now")


def age_patterns() -> dict[str, str]:
    """The texts of ages by unit, with a placeholder for the number."""
    return {
        "d": gettext("%(number)s d ago"),
        "h": gettext("%(number)s h ago"),
        "min": gettext("%(number)s min ago"),
    }


def runtime_text(minutes: int | None) -> str:
    """The runtime of a film in words: `1 h 34 min`, `2 h`, `12 min`; empty if it is not known."""
    hours, rest = divmod(minutes or 0, 60)
    if not hours:
        return gettext("%(minutes)s min") % {"minutes": rest} if rest else ""
    if not rest:
        return gettext("%(hours)s h") % {"hours": hours}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}


def duration_text(hours: float) -> str:
    """A number of hours in words: `24 hours`, `1 hour`, `7 days`, `30 minutes`."""
    if hours >= 48 and hours % 24 == 0:
        days = int(hours // 24)
        return ngettext("%(number)s day", "%(number)s days", days) % {"number": number_text(days)}
    if 0 < hours < 1:
        minutes = hours * 60
        text = format_decimal(minutes, locale=_locale())
        return ngettext("%(number)s minute", "%(number)s minutes", 1 if minutes == 1 else 2) % {"number": text}
    text = format_decimal(hours, locale=_locale())
    return ngettext("%(number)s hour", "%(number)s hours", 1 if hours == 1 else 2) % {"number": text}


def links_text(number: int) -> str:
    """A number of links: `1 link`, `1,200 links`."""
    return ngettext("%(number)s link", "%(number)s links", number) % {"number": number_text(number)}


def titles_text(number: int, *, is_exact: bool = True) -> str:
    """A number of titles: `1 title`, `about 12,400 titles`."""
    values = {"number": number_text(number)}
    if is_exact:
        return ngettext("%(number)s title", "%(number)s titles", number) % values
    return ngettext("about %(number)s title", "about %(number)s titles", number) % values


def seconds_text(number: int) -> str:
    """What to say to somebody who has to wait: `Try again in 30 seconds.`"""
    text = ngettext("Try again in %(number)s second.", "Try again in %(number)s seconds.", number)
    return text % {"number": number_text(number)}


def decade_name(decade: int | str) -> str:
    """A decade by its first year: `1920s`."""
    return gettext("%(decade)ss") % {"decade": decade}


def language_name(tag: str) -> str:
    """The name of a language tag: `pt-BR` is `Portuguese (Brazil)`; an unknown tag is returned as it is."""
    name = formatting.language_name(tag, language=active_language())
    own = formatting.OWN_LANGUAGE_NAMES.get(tag.split("-")[0].lower(), "")
    return name.replace(own, gettext(own), 1) if own else name


def country_name(code: str) -> str:
    """The name of a country by its ISO 3166 code, which has to be a known one."""
    if active_language() == DEFAULT_LANGUAGE:
        return COUNTRIES[code]
    names: Mapping[str, str] = _locale().territories
    return names.get(code) or gettext(COUNTRIES[code])


def genre_name(slug: str) -> str:
    """The name of a genre by its slug, which has to be a known one."""
    return pgettext("genre", GENRES[slug])


def sort_key(name: str) -> str:
    """What to sort names by, so that accented letters come where readers look for them."""
    return fold_for_search(name)


def _day_pattern() -> str:
    return DAY_PATTERNS.get(active_language(), DEFAULT_DAY_PATTERN)


def _locale() -> Locale:
    return _locale_of(active_language())


@cache
def _locale_of(language: str) -> Locale:
    return Locale(language)
