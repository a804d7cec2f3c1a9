"""A zip archive written piece by piece, with as little memory for a million files as for one.

The standard library keeps a record of each file in memory until the end; here those records wait in a file. Sizes and
places are 64-bit from the first file, as the archive may be large. Files carry no time: equal ones are equal archives.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO

VERSION, UTF8_NAMES, DEFLATED = 45, 0x800, 8
MIDNIGHT, FIRST_DAY = 0, 0x21
"""The earliest time of the format, 1 January 1980."""
FILE_MODE = 0o100644 << 16
MADE_ON_UNIX = 3 << 8
IN_EXTRA_FIELD = 0xFFFFFFFF
READ_BYTES = 65_536
COMPRESSED_ENDINGS = (".png",)


def write_zip(files: Iterable[tuple[str, bytes]]) -> Iterator[bytes]:
    """Yield the archive of these files (name with slashes, content), then its directory."""
    position = count = 0
    with TemporaryFile() as directory:
        for name, data in files:
            header, body, entry = _pack(name, data, position)
            yield header
            yield body
            directory.write(entry)
            position, count = position + len(header) + len(body), count + 1
        size = directory.tell()
        yield from _read_back(directory)
    yield _end(count, size, position)


def _pack(name: str, data: bytes, position: int) -> tuple[bytes, bytes, bytes]:
    """The header of a file, its content as it is stored, and its entry in the directory."""
    packer = zlib.compressobj(0 if name.endswith(COMPRESSED_ENDINGS) else 6, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = packer.compress(data) + packer.flush()
    encoded = name.encode()
    sizes = struct.pack("<QQ", len(data), len(body))
    common = struct.pack(
        "<HHHHHLLLH", VERSION, UTF8_NAMES, DEFLATED, MIDNIGHT, FIRST_DAY, zlib.crc32(data), IN_EXTRA_FIELD,
        IN_EXTRA_FIELD, len(encoded),
    )  # fmt: skip
    header = b"PK\x03\x04" + common + struct.pack("<H", 20) + encoded + struct.pack("<HH", 1, 16) + sizes
    entry = b"PK\x01\x02" + struct.pack("<H", MADE_ON_UNIX | VERSION) + common
    entry += struct.pack("<HHHHLL", 28, 0, 0, 0, FILE_MODE, IN_EXTRA_FIELD) + encoded
    entry += struct.pack("<HH", 1, 24) + sizes + struct.pack("<Q", position)
    return header, body, entry


def _read_back(directory: IO[bytes]) -> Iterator[bytes]:
    directory.seek(0)
    while block := directory.read(READ_BYTES):
        yield block


def _end(count: int, size: int, start: int) -> bytes:
    """The end of the archive, in the 64-bit form and in the old one, which refers to it."""
    record = struct.pack("<QHHLLQQQQ", 44, MADE_ON_UNIX | VERSION, VERSION, 0, 0, count, count, size, start)
    locator = struct.pack("<LQL", 0, start + size, 1)
    old = struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, IN_EXTRA_FIELD, IN_EXTRA_FIELD, 0)
    return b"PK\x06\x06" + record + b"PK\x06\x07" + locator + b"PK\x05\x06" + old
