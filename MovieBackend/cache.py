"""Caches that hold JSON only and act as empty while they do not work, so that they never break what they speed up.

Whoever can write to a cache of pickles can run code in our processes; JSON cannot do that. So all values must be JSON:
text, numbers, booleans, None, and lists and dictionaries of them. A damaged or foreign entry is deleted and counts as a
miss.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

log = logging.getLogger(__name__)

# The same message is logged once in so many seconds: a full disk must not be filled with them.
REPEAT_LOG_AFTER_SECONDS = 60.0
MAX_ENTRY_BYTES = 4 * 1024 * 1024
CACHE_SUFFIX = ".djcache"
PROBE_KEY = "probe"
# `os.utime` takes it on every file system: 1 January 2100.
NEVER = 4_102_444_800.0
T = TypeVar("T")


class DamagedEntryError(Exception):
    """An entry that is not the JSON that we write."""


class CacheFailedError(Exception):
    """The cache does not work; the text says why, without paths or addresses."""


def parse_entry(data: bytes) -> Any:
    """Return the value of an entry; raises DamagedEntryError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedEntryError from error


class FailOpenCache(BaseCache):
    """While the cache fails, `get` returns the default, `add` succeeds and `incr` finds no counter."""

    failures: tuple[type[Exception], ...]
    retry_seconds = 0.0
    _retry_at = 0.0
    _logged_at = -REPEAT_LOG_AFTER_SECONDS

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._call_or_default(partial(super().add, key, value, timeout, version), default=True)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            return self._call_or_default(partial(super().get, key, default, version), default=default)
        except DamagedEntryError:
            log.warning("a damaged entry of the cache is deleted")
            self.delete(key, version)
            return default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._call_or_default(partial(super().set, key, value, timeout, version), default=None)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        try:
            return self._call_or_default(partial(super().touch, key, timeout, version), default=False)
        except DamagedEntryError:
            self.delete(key, version)
            return False

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._call_or_default(partial(super().delete, key, version), default=False)

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self.get(key, self, version) is not self

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        found = {key: self.get(key, self, version) for key in keys}
        return {key: value for key, value in found.items() if value is not self}

    def set_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        for key, value in data.items():
            self.set(key, value, timeout, version)
        return []

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        count = None
        try:
            count = self._call_or_default(partial(super().incr, key, delta, version), default=None)
        except DamagedEntryError:
            self.delete(key, version)
        if count is None:
            raise ValueError(f"Key '{key}' not found.")
        return count

    def clear(self) -> None:
        self._call_or_default(super().clear, default=None)

    def is_damage(self, error: Exception) -> bool:
        """Whether one of `failures` concerns a single entry and not the cache."""
        return False

    def require_working(self) -> None:
        """Write an entry and read it back; raises CacheFailedError."""
        written = str(time.time())
        try:
            super().set(PROBE_KEY, written, 60)
            if super().get(PROBE_KEY) != written:
                raise CacheFailedError("an entry could not be read back")
        except DamagedEntryError:
            raise CacheFailedError("an entry could not be read back") from None
        except self.failures as error:
            raise CacheFailedError(getattr(error, "strerror", None) or "it does not respond") from error

    def _call_or_default(self, operation: Callable[[], T], *, default: T) -> T:
        if time.monotonic() < self._retry_at:
            return default
        try:
            return operation()
        except self.failures as error:
            if self.is_damage(error):
                raise DamagedEntryError from error
            self._retry_at = time.monotonic() + self.retry_seconds
            if time.monotonic() - self._logged_at >= REPEAT_LOG_AFTER_SECONDS:
                self._logged_at = time.monotonic()
                log.warning("The cache does not work, so nothing is remembered: %s.", error)
            return default


class JsonFileStore(BaseCache):
    """A folder with a file for each entry, which expires at its modification time. Raises OSError."""

    def __init__(self, folder: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.folder = Path(folder).absolute()
        self.max_entries = int(params["OPTIONS"]["MAX_ENTRIES"])

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if self.get(key, self, version) is not self:
            return False
        self.set(key, value, timeout, version)
        return True

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        try:
            with self._path(key, version).open("rb") as file:
                if os.fstat(file.fileno()).st_mtime <= time.time():
                    return default
                return parse_entry(file.read(MAX_ENTRY_BYTES))
        except FileNotFoundError:
            return default

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        data = json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
        self._write(self._path(key, version), data, expires=self._expiry(timeout))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        if self.get(key, self, version) is self:
            return False
        expires = self._expiry(timeout)
        try:
            os.utime(self._path(key, version), (expires, expires))
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str, version: int | None = None) -> bool:
        try:
            self._path(key, version).unlink()
        except FileNotFoundError:
            return False
        return True

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add to a counter, which keeps its time-out. Not atomic: callers hold a lock."""
        path, count = self._path(key, version), self.get(key, self, version)
        if count is self:
            raise ValueError(f"Key '{key}' not found.")
        if type(count) is not int:
            raise DamagedEntryError
        self._write(path, json.dumps(count + delta).encode(), expires=path.stat().st_mtime)
        return count + delta

    def clear(self) -> None:
        for path in self._entries():
            path.unlink(missing_ok=True)

    def _expiry(self, timeout: Any) -> float:
        expires = self.get_backend_timeout(timeout)
        return NEVER if expires is None else min(expires, NEVER)

    def _path(self, key: str, version: int | None) -> Path:
        name = self.make_and_validate_key(key, version=version).encode()
        return self.folder / f"{hashlib.sha256(name).hexdigest()[:40]}{CACHE_SUFFIX}"

    def _entries(self) -> list[Path]:
        return list(self.folder.glob(f"*{CACHE_SUFFIX}"))

    def _write(self, path: Path, data: bytes, *, expires: float) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make_space()
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.utime(name, (expires, expires))
            Path(name).replace(path)
        except OSError:
            with suppress(OSError):
                Path(name).unlink()
            raise

    def _make_space(self) -> None:
        """Delete a third of a full cache: what expires first, or has expired."""
        entries = self._entries()
        if len(entries) < self.max_entries:
            return
        ages = {path: path.stat().st_mtime for path in entries if path.exists()}
        for path in sorted(ages, key=lambda path: ages[path])[: len(entries) // 3 + 1]:
            path.unlink(missing_ok=True)


class FailOpenFileCache(FailOpenCache, JsonFileStore):
    """The cache that `CACHE_URL=file://...` means."""

    failures = (OSError,)
