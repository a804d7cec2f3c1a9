"""Read settings from the environment. Each parser is strict, and its error names the variable.

The environment takes precedence over the file named by `ENV_FILE` (default `var/env`), which gives cron and the command
line the same settings as the server that `make run` started. A setting that may hold a secret can also be the content
of a file, named by the variable with `_FILE` at the end.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

from scraper.sources import parse_delays

MIN_WEBHOOK_SECRET_LENGTH = 16
MIN_KEY_LENGTH, MIN_KEY_CHARACTERS, MIN_KEY_PERIOD = 32, 5, 16
SECRET_SETTINGS = frozenset(
    {
        "SECRET_KEY",
        "METRICS_TOKEN",
        "DATABASE_URL",
        "CACHE_URL",
        "CELERY_BROKER_URL",
        "TMDB_API_KEY",
        "OMDB_API_KEY",
        "NOTIFY_URLS",
        "NOTIFY_WEBHOOK_URL",
        "NOTIFY_WEBHOOK_SECRET",
        "HEARTBEAT_URL",
    }
)
"""What may be, or contain, a key or a password: each of these may be in a file, as Docker and systemd give secrets."""
MAX_SECRET_FILE_BYTES = 64 * 1024
_names_read: set[str] = set()
SECONDS_PER_PERIOD = {"s": 1, "min": 60, "hour": 3600, "day": 86400}


def load_file(default: Path) -> None:
    """Load the env file; variables that are already set keep their values. Only the default one may be missing."""
    named = os.environ.get("ENV_FILE")
    path = Path(named or default)
    try:
        if not named and not path.exists():
            return
        load_dotenv(stream=io.StringIO(path.read_text(encoding="utf-8-sig")), override=False)
    except (OSError, ValueError) as error:  # ValueError: it is not UTF-8, or has a character that no variable can hold
        reason = error.strerror if isinstance(error, OSError) else error
        raise ImproperlyConfigured(f"the settings in {path} cannot be read: {reason}") from None


def folder(path: Path, name: str) -> Path:
    """Create the folder that this variable names, unless it exists; return it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}: {path} cannot be created: {error.strerror}") from None
    return path


def text(name: str, default: str = "") -> str:
    """Return a variable, or the file that holds its secret, without surrounding spaces and line feeds."""
    _names_read.add(name)
    if secret_file(name):
        return _secret_from_file(name)
    return os.environ.get(name, default).strip()


def secret_file(name: str) -> str:
    """Return the path of the file that holds this setting; empty unless there is one."""
    return os.environ.get(f"{name}_FILE", "").strip() if name in SECRET_SETTINGS else ""


def _secret_from_file(name: str) -> str:
    """Return the content of the file; no message shows any of it."""
    file = secret_file(name)
    if os.environ.get(name, "").strip():
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: remove one of them")
    try:
        with open(file, "rb") as opened:
            content = opened.read(MAX_SECRET_FILE_BYTES + 1)
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: {file} cannot be read: {error.strerror}") from None
    try:
        value = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        value = ""
    if not value or "\0" in value or len(content) > MAX_SECRET_FILE_BYTES:
        raise ImproperlyConfigured(
            f"{name}_FILE: {file} has to hold the value of {name} as UTF-8 text, and nothing else"
        )
    return value


def names_read() -> list[str]:
    """Return the names of all variables that were read, sorted."""
    return sorted(_names_read)


def is_command(name: str) -> bool:
    """Return whether this process runs that command of manage.py."""
    return Path(sys.argv[0]).name == "manage.py" and sys.argv[1:2] == [name]


def secret_key(name: str, *, is_development: bool) -> str:
    """Return a key that cannot be guessed: 32 characters or more, not a few that repeat; anything in development."""
    key = text(name)
    if is_development:
        return key or "only-for-development"
    advice = "run `make run` once, which writes one to var/env, or take the output of `openssl rand -base64 48`"
    if not key:
        raise ImproperlyConfigured(f"{name} is not set: {advice}")
    # A text repeats after n characters exactly if it is found there in its double.
    if len(key) < MIN_KEY_LENGTH or len(set(key)) < MIN_KEY_CHARACTERS or (key + key).find(key, 1) < MIN_KEY_PERIOD:
        raise ImproperlyConfigured(f"{name} is too easy to guess ({MIN_KEY_LENGTH} characters at least): {advice}")
    return key


def header_text(name: str, default: str) -> str:
    """Return printable ASCII text that can be sent in an HTTP header."""
    value = text(name, default)
    if not re.fullmatch(r"[ -~]*", value):
        raise ImproperlyConfigured(f"{name}={value!r}: write plain ASCII, such as a URL")
    return value


def flag(name: str, default: bool = False) -> bool:
    """Return a boolean."""
    value = text(name, str(default))
    if value.lower() in {"true", "1", "yes", "on"}:
        return True
    if value.lower() in {"false", "0", "no", "off", ""}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: write True or False")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 10**9) -> int:
    """Return a whole number from `minimum` to `maximum`."""
    value = text(name, str(default))
    if not re.fullmatch(r"-?[0-9]{1,12}", value) or not minimum <= int(value) <= maximum:
        raise ImproperlyConfigured(f"{name}={value!r}: write a whole number from {minimum} to {maximum}")
    return int(value)


def number(name: str, default: float, *, minimum: float = 0.0, maximum: float = 1e9) -> float:
    """Return a number from `minimum` to `maximum`."""
    value = text(name, str(default))
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", value) or not minimum <= float(value) <= maximum:
        raise ImproperlyConfigured(f"{name}={value!r}: write a number from {minimum:g} to {maximum:g}")
    return float(value)


def comma_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Return comma-separated words without empty ones."""
    value = text(name, ",".join(default))
    return [word.strip() for word in value.split(",") if word.strip()]


def choice_list(name: str, default: Sequence[str], *, known: Sequence[str]) -> list[str]:
    """Return comma-separated words of `known` without duplicates."""
    words = list(dict.fromkeys(comma_list(name, default)))
    if unknown := [word for word in words if word not in known]:
        raise ImproperlyConfigured(f"{name}: {unknown[0]!r} is not known; choose from {', '.join(known)}")
    return words


def choice(name: str, default: str, *, known: Sequence[str]) -> str:
    """Return a word of `known`, in upper case."""
    word = text(name, default).upper() or default
    if word not in known:
        raise ImproperlyConfigured(f"{name}={word!r} is not known; choose from {', '.join(known)}")
    return word


def base_url(name: str, default: str) -> str:
    """Return an http(s) base URL without a trailing slash."""
    value = text(name, default).rstrip("/")
    if value and not re.fullmatch(r"https?://[^\s/?#@\\]+(/[^\s?#]*)?", value):
        raise ImproperlyConfigured(f"{name}={value!r}: write a URL such as {default or 'https://example.org'}")
    return value


def url_list(name: str, default: Sequence[str] = ()) -> list[str]:
    """Return comma-separated http(s) URLs."""
    words = comma_list(name, default)
    for word in words:
        if not re.fullmatch(r"https?://[^\s/?#@\\]+(/\S*)?", word):
            raise ImproperlyConfigured(f"{name}: {word!r} is not a URL such as https://example.org")
    return words


def secret_url(name: str) -> str:
    """Return an http(s) URL that is a secret, such as one with a token: no message shows it."""
    value = text(name)
    if value and not re.fullmatch(r"https?://[^\s/?#\\]+(/\S*)?", value):
        raise ImproperlyConfigured(f"{name}: write a URL such as https://example.org/path (the value is not shown)")
    return value


def service_urls(name: str) -> list[str]:
    """Return addresses of services such as `ntfy://host/topic`, separated by spaces or commas; no message shows one.

    A comma separates only before the next scheme, for addresses contain commas.
    """
    urls = [one for one in re.split(r"(?:\s|,)+(?=[A-Za-z][A-Za-z0-9+.-]*://)", text(name).strip(" ,")) if one]
    for number, url in enumerate(urls, 1):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", url):
            raise ImproperlyConfigured(
                f"{name}: number {number} is not an address such as ntfy://host/topic (the value is not shown)"
            )
    return urls


def host_list(name: str, default: Sequence[str]) -> list[str]:
    """Return comma-separated host names as Django compares them: without scheme and port. Empty is the default."""
    words = comma_list(name) or list(default)
    for word in words:
        if not re.fullmatch(r"\*|\.?[^\s/:?#@\\\[\]]+|\[[0-9A-Fa-f:.]+\]", word):
            raise ImproperlyConfigured(
                f"{name}: {word!r} is no host name: write names alone, separated by commas, such as films.example.org"
            )
    return words


def origin_list(name: str) -> list[str]:
    """Return comma-separated origins: scheme, host and port, nothing else."""
    words = comma_list(name)
    for word in words:
        if not re.fullmatch(r"https?://[^\s/?#@\\]+", word):
            raise ImproperlyConfigured(f"{name}: {word!r} is not an origin such as https://films.example.org")
    return words


def rate(name: str, default: str) -> tuple[int, int]:
    """Return a rate such as `6/min` as (requests, seconds); units are s, min, hour and day."""
    value = text(name, default)
    match = re.fullmatch(r"([1-9][0-9]{0,8})/(s|min|hour|day)", value)
    if match is None:
        raise ImproperlyConfigured(f"{name}={value!r}: write a rate such as {default} (per s, min, hour or day)")
    return int(match[1]), SECONDS_PER_PERIOD[match[2]]


def delays(name: str) -> dict[str, float]:
    """Return the delays in comma-separated `source=seconds`."""
    try:
        return parse_delays(comma_list(name))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None
