"""Covers and social cards as PNG, for those who show no SVG: social networks, Stremio, players on TV. Pure.

They show the artwork of the drawn poster. The font has Latin, Greek and Cyrillic letters: of a movie's titles the first
one that can be drawn as a whole is written, or none. Signs that are no letters, such as emoji, may be left out.
"""

from __future__ import annotations

import hashlib
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw, ImageFont, ImageOps

from streaming.drawing.posters import DRAWING_VERSION as POSTER_VERSION
from streaming.drawing.posters import (
    HEIGHT,
    WIDTH,
    Artwork,
    broken_words,
    contrast,
    make_artwork,
    poster_caption,
    whole_words,
    wrap_words,
)
from streaming.drawing.svg_shapes import Shape, read_shapes

DRAWING_VERSION = "2"  # increase it when the drawing changes: it is part of each picture's version
FONT_PATH = Path(__file__).resolve().parent.parent / "data" / "fonts" / "Inter-Bold.ttf"
CARD_WIDTH, CARD_HEIGHT = 1200, 630
OVERSAMPLING = 2
COVER_SIZES, CARD_SIZES = (46, 42, 38, 34, 30, 26, 22, 19), (96, 84, 72, 62, 54, 46, 40)
LEADING = 1.06
MAX_COLOURS = 255
"""A palette makes the file half as large; none of our pictures shows the difference."""
IN_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]|\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where text stands: its left edge, width, top and the last baseline."""

    left: int
    width: int
    top: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a picture shows of a movie; `titles`: the one to write first, then others in case the font lacks letters."""

    imdb_id: str
    titles: tuple[str, ...]
    year: int | None
    is_show: bool
    site_name: str

    @property
    def caption(self) -> str:
        return poster_caption(self.year, is_show=self.is_show)

    @property
    def shown_title(self) -> str:
        """The first title that the font has all letters of; empty if there is none."""
        return next(filter(None, map(drawable_title, self.titles)), "")


ART_WIDTH = CARD_HEIGHT * WIDTH // HEIGHT
COVER_BOX = TextBox(left=24, width=WIDTH - 48, top=305, bottom=HEIGHT - 26)
CARD_BOX = TextBox(left=ART_WIDTH + 60, width=CARD_WIDTH - ART_WIDTH - 120, top=130, bottom=480)


def picture_version(kind: str, subject: Subject) -> str:
    """A version that changes with the picture, so that browsers may cache each version for ever."""
    shown = (subject.imdb_id, subject.shown_title, subject.caption, subject.site_name)
    parts = "\x1f".join([DRAWING_VERSION, POSTER_VERSION, kind, *shown])
    return hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:12]


def draw_picture(kind: str, subject: Subject) -> bytes:
    """The `cover` or the `card` as PNG."""
    return _png(PICTURES[kind](subject))


def _draw_cover(subject: Subject) -> Image.Image:
    """The poster, 300 by 450 pixels."""
    artwork = make_artwork(subject.imdb_id)
    image = _draw_art(artwork, WIDTH, HEIGHT)
    box = COVER_BOX
    size, rows = fit_title(subject.shown_title, COVER_SIZES, box)
    rule = box.bottom - round(len(rows) * size * LEADING) - 12
    if not artwork.grounded:
        _fade(image, rule, artwork.palette[0])
    _write(image, rows, size=size, box=box, ink=artwork.ink)
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, rule, 61, rule + 4), fill=_mark(artwork))
    draw.text((76, rule + 2), subject.caption, font=_font(14), fill=artwork.ink, anchor="lm")
    return image


def _draw_card(subject: Subject) -> Image.Image:
    """The picture that social networks show with a link, 1200 by 630 pixels: the artwork, and beside it the title."""
    artwork = make_artwork(subject.imdb_id)
    ink = artwork.ink
    image = Image.new("RGB", (CARD_WIDTH, CARD_HEIGHT), _ground(artwork))
    art = _draw_art(artwork, ART_WIDTH, CARD_HEIGHT)
    image.paste(art, (0, 0))
    box = CARD_BOX
    size, rows = fit_title(subject.shown_title, CARD_SIZES, box)
    height = round(len(rows) * size * LEADING)
    box = TextBox(left=box.left, width=box.width, top=box.top, bottom=(box.top + box.bottom + height) // 2)
    _write(image, rows, size=size, box=box, ink=ink)
    draw = ImageDraw.Draw(image)
    draw.rectangle((box.left, 64, box.left + 75, 73), fill=_mark(artwork))
    draw.text((box.left + 98, 69), subject.caption, font=_font(34), fill=ink, anchor="lm")
    draw.text((box.left, CARD_HEIGHT - 60), drawable_title(subject.site_name), font=_font(34), fill=ink, anchor="ls")
    return image


def titles_to_draw(title: str, original: str, others: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """A movie's titles in the order in which they are tried: its own, the original one, the English ones of `others`.

    `others`: pairs of a language and a title.
    """
    return (title, original, *(other for language, other in others if language.partition("-")[0] == "en"))


def drawable_title(title: str) -> str:
    """The title without the signs that the font lacks; empty if it lacks a letter of it, or no letter is left.

    A title in brackets stands for itself: of `東京物語 (Tokyo Story)`, one way around or the other, the one remains.
    """
    composed = unicodedata.normalize("NFC", title)
    inner = ("".join(filter(None, match.groups())) for match in IN_BRACKETS.finditer(composed))
    return next(filter(None, map(_drawable, (composed, IN_BRACKETS.sub(" ", composed), *inner))), "")


def _drawable(text: str) -> str:
    letters = [character for character in text if character.isalnum()]
    if not letters or not all(map(_is_drawable, letters)):
        return ""
    return " ".join("".join(character if _is_drawable(character) else " " for character in text).split())


def fit_title(title: str, sizes: tuple[int, ...], box: TextBox) -> tuple[int, list[str]]:
    """The largest size at which the title fits into the box, and its rows; with the last size it is cut.

    Words are broken only if there is no size at which each of them fits.
    """
    for words_of in (whole_words, broken_words):
        for size in sizes:
            fits = _fits_at(size, box.width)
            # At most four rows: small letters are read more easily than a column of large ones.
            limit = min(4, _row_limit(size, box))
            rows = list(islice(wrap_words(words_of(title, fits), fits), limit + 1))
            if len(rows) <= limit and all(map(fits, rows)):
                return size, list(filter(None, rows))
    size, limit = sizes[-1], _row_limit(sizes[-1], box)
    fits = _fits_at(size, box.width)
    rows = list(islice(wrap_words(broken_words(title, fits), fits), limit + 1))
    if len(rows) > limit:
        rows = [*rows[: limit - 1], rows[limit - 1] + " …"]
    return size, [_shortened(row, size, box.width) for row in rows]


def _fits_at(size: int, width: int) -> Callable[[str], bool]:
    """Whether a row fits at this size."""
    return lambda row: row_width(row, size) <= width


def _ground(artwork: Artwork) -> str:
    """The colour behind the title."""
    return artwork.palette[1 if artwork.grounded else 0]


def _mark(artwork: Artwork) -> str:
    """The colour of the short line above the title: the accent, or another one where the accent is hardly seen."""
    ground = _ground(artwork)
    accent = artwork.palette[3]
    return accent if contrast(accent, ground) > 2 else max(artwork.palette, key=lambda one: contrast(one, ground))


def row_width(row: str, size: int) -> float:
    """The width of a row in pixels."""
    return _font(size).getlength(row)


def _row_limit(size: int, box: TextBox) -> int:
    return int((box.bottom - box.top) / (size * LEADING))


def _shortened(row: str, size: int, width: int) -> str:
    if row_width(row, size) <= width:
        return row
    kept = row.rstrip("… ")
    while kept and row_width(kept + "…", size) > width:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _write(image: Image.Image, rows: list[str], *, size: int, box: TextBox, ink: str) -> None:
    draw = ImageDraw.Draw(image)
    for number, row in enumerate(reversed(rows)):
        draw.text((box.left, box.bottom - round(number * size * LEADING)), row, font=_font(size), fill=ink, anchor="ls")


def _draw_art(artwork: Artwork, width: int, height: int) -> Image.Image:
    """The artwork alone, drawn larger and scaled down so that its edges are smooth."""
    scale = width * OVERSAMPLING / WIDTH
    image = Image.new("RGB", (width * OVERSAMPLING, height * OVERSAMPLING), artwork.palette[0])
    for shape in read_shapes(artwork.elements):
        _draw_shape(image, shape, scale)
    small = image.reduce(OVERSAMPLING)
    return ImageOps.mirror(small) if artwork.mirrored else small


def _draw_shape(image: Image.Image, shape: Shape, scale: float) -> None:
    points = [(x * scale, y * scale) for x, y in shape.points]
    if shape.line_width:
        width = round(shape.line_width * scale)
        ImageDraw.Draw(image).line(points, fill=shape.colour, width=width, joint="curve")
    elif shape.opacity == 1:
        ImageDraw.Draw(image).polygon(points, fill=shape.colour)
    else:
        left, top = (max(0, int(min(point[i] for point in points))) for i in (0, 1))
        right, bottom = (int(max(point[i] for point in points)) + 2 for i in (0, 1))
        mask = Image.new("L", (max(1, right - left), max(1, bottom - top)))
        moved = [(x - left, y - top) for x, y in points]
        ImageDraw.Draw(mask).polygon(moved, fill=round(255 * shape.opacity))
        image.paste(ImageColor.getrgb(shape.colour), (left, top, left + mask.width, top + mask.height), mask)


def _fade(image: Image.Image, rule: int, paper: str) -> None:
    """Fade to the paper colour behind the title, so that it stays readable."""
    column = Image.new("L", (1, image.height))
    for y in range(image.height):
        column.putpixel((0, y), max(0, min(255, round(255 * (y - rule + 54) / 46))))
    image.paste(ImageColor.getrgb(paper), (0, 0), column.resize(image.size))


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.quantize(MAX_COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(out, "PNG")
    return out.getvalue()


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    # The basic layout needs no library of the machine, so that pictures are the same everywhere.
    return ImageFont.truetype(str(FONT_PATH), size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _is_drawable(character: str) -> bool:
    """Whether the font has this character; it draws nothing for others."""
    return _font(20).getmask(character).getbbox() is not None


PICTURES: dict[str, Callable[[Subject], Image.Image]] = {"cover": _draw_cover, "card": _draw_card}
