"""Posters generated from title, year and IMDb id; the same movie always gets the same picture. Pure.

Used when a movie has no poster or its poster cannot be loaded. Each is about 1 KB compressed.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from math import cos, pi, sin

WIDTH, HEIGHT = 300, 450
DRAWING_VERSION = "3"  # increase it when the drawing changes: it is part of each poster's version
TEXT_WIDTH = 252
Palette = tuple[str, str, str, str, str]  # paper, deep, mid, accent, ink
Random = Callable[[int], int]
MotifFunction = Callable[[Palette, Random], str]
Fits = Callable[[str], bool]  # whether a row of a title is no wider than its box
PALETTES: list[Palette] = [
    ("#f2e4cf", "#16324f", "#2a628f", "#e4572e", "#16324f"),
    ("#1b1b2f", "#e43f5a", "#162447", "#f6c453", "#fdf6e3"),
    ("#f6efe2", "#0f3d3e", "#2f7f79", "#e2a03f", "#0f3d3e"),
    ("#10231c", "#3aa17e", "#1d4d3d", "#f3d9a4", "#f6f1e3"),
    ("#f4d9c6", "#5c2a4d", "#a14a76", "#f28f3b", "#4a1f3d"),
    ("#171421", "#6c5ce7", "#2d2547", "#ff9f68", "#f4efff"),
    ("#e7ecef", "#23395b", "#7c9bb8", "#d7263d", "#1b2c47"),
    ("#2b1a16", "#c8553d", "#5b2e23", "#f4b860", "#fbeee0"),
    ("#efe6dd", "#231f20", "#8c7a6b", "#bb4430", "#231f20"),
    ("#0d2232", "#1f7a8c", "#123a52", "#ffd166", "#eef7f9"),
    ("#f9e0a6", "#7a1f2b", "#c4473a", "#1f5f61", "#5a1420"),
    ("#1a1a1a", "#8f8f8f", "#3a3a3a", "#f2f2f2", "#f5f5f5"),
]
NARROW, WIDE = frozenset("iljtfrI.,:;'!|()1 "), frozenset("mwMW@%&")
SIZES = ((46, 2), (42, 2), (38, 2), (36, 3), (33, 3), (30, 3), (27, 4), (24, 4), (21, 4), (18, 5))
FONT = "Inter,Helvetica Neue,Helvetica,Arial,sans-serif"


@dataclass(frozen=True, slots=True)
class Artwork:
    """The picture behind a title as SVG elements; `grounded` if it fills the lower part, `mirrored` if turned over."""

    elements: str
    palette: Palette
    grounded: bool
    mirrored: bool

    @property
    def ink(self) -> str:
        """The colour of the title."""
        if not self.grounded:
            return self.palette[4]
        return max(self.palette[0], self.palette[4], key=lambda colour: contrast(colour, self.palette[1]))


def make_artwork(imdb_id: str) -> Artwork:
    """The picture of this movie, always the same one."""
    digest = hashlib.sha256(imdb_id.encode()).digest()
    palette = PALETTES[digest[0] % len(PALETTES)]
    motif = MOTIFS[digest[1] % len(MOTIFS)]
    grounded = motif in MOTIFS_WITH_GROUND
    if digest[30] & 1 and not grounded:  # another colouring, so that neighbours rarely look alike
        palette = (palette[0], palette[3], palette[1], palette[2], palette[4])
    return Artwork(motif(palette, _random(digest)), palette, grounded=grounded, mirrored=bool(digest[31] & 1))


def render_poster(imdb_id: str, *, title: str, year: int | None, is_show: bool = False) -> str:
    """The poster as SVG; `title` may be any text, and is escaped and cut to fit."""
    return _framed(make_artwork(imdb_id), title=title, caption=poster_caption(year, is_show=is_show))


def render_glow(imdb_id: str) -> str:
    """The background of the movie page in the poster's colours: gradients, because a blur is slow in browsers."""
    palette = PALETTES[hashlib.sha256(imdb_id.encode()).digest()[0] % len(PALETTES)]
    lights = ((".15", ".3", ".7", palette[3]), (".8", ".1", ".7", palette[1]), (".6", "1", ".8", palette[2]))
    spots = "".join(
        f'<radialGradient id="g{i}" cx="{x}" cy="{y}" r="{r}"><stop stop-color="{colour}"/>'
        f'<stop offset="1" stop-color="{colour}" stop-opacity="0"/></radialGradient>'
        f'<rect width="100" height="60" fill="url(#g{i})"/>'
        for i, (x, y, r, colour) in enumerate(lights)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 60" preserveAspectRatio="none">{spots}</svg>'


def poster_version(imdb_id: str, *, title: str, year: int | None, is_show: bool = False) -> str:
    """A version that changes with the picture, so that browsers may cache each version for ever."""
    parts = "\x1f".join([DRAWING_VERSION, imdb_id, title, str(year), str(is_show)])
    return hashlib.sha256(parts.encode(errors="replace")).hexdigest()[:10]


def _random(digest: bytes) -> Random:
    """A generator of small numbers that depends only on the digest."""
    stream = iter(digest[2:] * 40)
    return lambda below: next(stream) % below


def poster_caption(year: int | None, *, is_show: bool) -> str:
    """What is known of year and kind."""
    return " · ".join([*([str(year)] if year else []), *(["SERIES"] if is_show else [])])


def _framed(artwork: Artwork, *, title: str, caption: str) -> str:
    paper, ink, mark = artwork.palette[0], artwork.ink, artwork.palette[3]
    art = artwork.elements
    if artwork.mirrored:
        art = f'<g transform="translate({WIDTH}) scale(-1 1)">{art}</g>'
    size, rows = _fit(title)
    base = HEIGHT - 30 - (len(rows) - 1) * size * 1.04
    text = "".join(
        f'<tspan x="24" y="{base + i * size * 1.04:.0f}">{escape(row)}</tspan>' for i, row in enumerate(rows)
    )
    rule = base - size - 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'role="img" aria-label="{escape(title)}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{paper}"/>{art}{"" if artwork.grounded else _fade(rule, paper)}'
        f'<rect x="24" y="{rule:.0f}" width="38" height="5" fill="{mark}"/><g fill="{ink}" font-family="{FONT}">'
        f'<text font-size="{size}" font-weight="800" letter-spacing="-.8">{text}</text>'
        f'<text x="76" y="{rule + 7:.0f}" font-size="14" font-weight="600" letter-spacing="1.5">{caption}</text>'
        "</g></svg>"
    )


def _fade(rule: float, paper: str) -> str:
    """A gradient to the paper colour behind the title, so that it stays readable."""
    return (
        f'<linearGradient id="f" x2="0" y2="1"><stop offset="{(rule - 54) / HEIGHT:.2f}" stop-color="{paper}" '
        f'stop-opacity="0"/><stop offset="{(rule - 8) / HEIGHT:.2f}" stop-color="{paper}"/></linearGradient>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="url(#f)"/>'
    )


def _fit(title: str) -> tuple[int, list[str]]:
    """The largest font size at which the title fits, and its rows; the title is cut if no size is small enough.

    Words are broken only if there is no size at which each of them fits.
    """
    for words_of in (whole_words, broken_words):
        for size, limit in SIZES:
            fits = _fits_at(size)
            rows = list(islice(wrap_words(words_of(title, fits), fits), limit + 1))
            if len(rows) <= limit and all(map(fits, rows)):
                return size, rows
    fits = _fits_at(18)
    return 18, [*(_cut(row, 18) for row in islice(wrap_words(broken_words(title, fits), fits), 4)), "…"]


def _fits_at(size: int) -> Fits:
    """Whether a row fits at this size."""
    return lambda row: _width(row, size) <= TEXT_WIDTH


def _cut(row: str, size: int) -> str:
    """The part of the row that fits."""
    fitting = row[: int(TEXT_WIDTH / size / 0.34)]
    while _width(fitting, size) > TEXT_WIDTH:
        fitting = fitting[:-1]
    return fitting


def wrap_words(words: Iterable[str], fits: Fits) -> Iterator[str]:
    """The rows of a title, one that is empty without words; a word that fits no row has one of its own."""
    row = ""
    for word in words:
        longer = f"{row} {word}".strip()
        if row and not fits(longer):
            yield row
            row = word
        else:
            row = longer
    yield row


def whole_words(title: str, _fits: Fits) -> Iterable[str]:
    """The words of a title."""
    return title.split()


def broken_words(title: str, fits: Fits) -> Iterator[str]:
    """The words of a title, in place of those that fit no row the largest parts that do."""
    for word in title.split():
        part = ""
        for letter in word:
            if part and not unicodedata.combining(letter) and not fits(part + letter):
                yield part
                part = ""
            part += letter
        yield part


def _width(text: str, size: int) -> float:
    return size * sum(_letter(letter) for letter in text)


def _letter(letter: str) -> float:
    """The width of a letter of the bold sans serif, in ems."""
    if letter in NARROW:
        return 0.34
    if letter in WIDE or letter >= "\u2e80":
        return 0.93 if letter in WIDE else 1.0
    return 0.71 if letter.isupper() else 0.6


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.03928 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: str, two: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG)."""
    low, high = sorted((_luminance(one), _luminance(two)))
    return (high + 0.05) / (low + 0.05)


def _disc(x: float, y: float, radius: float, colour: str, more: str = "") -> str:
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{colour}"{more}/>'


def _box(x: float, y: float, width: float, height: float, colour: str, more: str = "") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{colour}"{more}/>'


def _shape(path: str, colour: str, more: str = "") -> str:
    return f'<path d="{path}" fill="{colour}"{more}/>'


def _moon(p: Palette, r: Random) -> str:
    x, y = 150 + r(50) - 25, 150 + r(30)
    circle = f' stroke="{p[2]}" stroke-width="10"'
    circles = "".join(_disc(x, y, radius, "none", circle) for radius in (92, 120, 148, 176, 204))
    return circles + _disc(x, y, 66, p[3]) + _disc(x + 24, y - 14, 54, p[0])


def _beam(p: Palette, r: Random) -> str:
    y = 70 + r(50)
    rays = "".join(
        _shape(f"M-10 {y} L320 {y - 140 + i * 62} L320 {y - 106 + i * 62}Z", p[2] if i % 2 else p[1]) for i in range(6)
    )
    return rays + _disc(22, y, 44, p[3]) + _disc(22, y, 17, p[0])


def _reel(p: Palette, r: Random) -> str:
    x, y, turn = 178, 150, r(60)
    angles = [pi * (turn + 72 * i) / 180 for i in range(5)]
    holes = "".join(_disc(round(x + 66 * cos(angle)), round(y + 66 * sin(angle)), 27, p[0]) for angle in angles)
    film = _shape(f"M{x} {y + 118} H330 V{y + 134} H{x - 30}Z", p[2])
    return film + _disc(x, y, 120, p[1]) + holes + _disc(x, y, 15, p[3])


def _sunset(p: Palette, r: Random) -> str:
    y = 190 + r(30)
    bands = "".join(_box(0, y - 92 + i * 22, 300, 3 + i * 2, p[0]) for i in range(7))
    hills = _shape(f"M0 {y + 44} Q70 {y - 14} 150 {y + 34} T300 {y + 14} V450 H0Z", p[1])
    return _disc(150 + r(60) - 30, y - 24, 100, p[3]) + bands + hills


def _city(p: Palette, r: Random) -> str:
    buildings, x = "", 0
    while x < WIDTH:
        width, height = 22 + r(26), 70 + r(150)
        buildings += _box(x, 286 - height, width, height + 2, p[1] if r(2) else p[2])
        if width > 28:
            buildings += "".join(
                _box(x + 7, 298 - height + i * 18, width - 14, 4, p[3] if r(3) == 0 else p[0], ' opacity=".8"')
                for i in range(height // 22)
            )
        x += width
    return _disc(210 - r(130), 86, 38, p[3]) + buildings + _box(0, 286, 300, 170, p[1])


def _venn(p: Palette, r: Random) -> str:
    radius, x, y = 70 + r(40), 96 + r(40), 104 + r(50)
    second = _disc(x + 84, y - 14 + r(30), 60 + r(30), p[3], ' opacity=".86"')
    third = _disc(130 + r(50), 204, 56 + r(22), p[2], ' opacity=".86"')
    return _disc(x, y, radius, p[1], ' opacity=".92"') + second + third


def _blinds(p: Palette, r: Random) -> str:
    slats = "".join(
        _shape(
            f"M-20 {18 + i * 27} L330 {-34 + i * 27 + r(6)} V{-20 + i * 27} L-20 {34 + i * 27}Z", p[1 if i % 3 else 2]
        )
        for i in range(12)
    )
    return _disc(196 - r(50), 150, 86, p[3]) + slats


def _dots(p: Palette, r: Random) -> str:
    middle_x, middle_y, dots = 90 + r(120), 120 + r(50), ""
    for x in range(15, 300, 27):
        for y in range(18, 290, 25):
            far = float(((x - middle_x) ** 2 + (y - middle_y) ** 2) ** 0.5)
            dots += _disc(x, y, round(max(1.4, 12.5 - far / 14), 1), p[3] if far < 62 else p[1])
    return dots


def _waves(p: Palette, r: Random) -> str:
    waves = "".join(
        _shape(f"M-20 {138 + i * 32} q40 {-34 - r(12)} 85 0 t85 0 t85 0 t85 0 V450 H-20Z", p[1 + i % 2])
        for i in range(5)
    )
    return _disc(90 + r(120), 96, 56, p[3]) + waves


def _spiral(p: Palette, r: Random) -> str:
    turn, arcs = r(90), ""
    for i in range(9):
        radius = 16 + i * 17
        line = f' stroke="{p[3] if i == 2 else p[1 + i % 2]}" stroke-width="9"'
        dashes = (
            f' stroke-dasharray="{radius * 4.1:.0f} {radius * 2.2:.0f}" transform="rotate({turn + i * 31} 150 150)"'
        )
        arcs += _disc(150, 150, radius, "none", line + dashes)
    return arcs


def _peaks(p: Palette, r: Random) -> str:
    one, two = 60 + r(50), 170 + r(60)
    sun = _disc(60 + r(180), 70 + r(30), 42, p[3])
    far = _shape(f"M-40 300 L{one} {110 + r(40)} L{one + 150} 320Z", p[2])
    near = _shape(f"M60 330 L{two} {90 + r(50)} L360 340Z", p[1])
    return sun + far + near + _shape("M-10 262 L120 220 L310 276 V450 H-10Z", p[1])


def _stairs(p: Palette, r: Random) -> str:
    up = r(2)
    steps = "".join(_box(i * 50, (250 - i * 36) if up else (70 + i * 36), 50, 400, p[1 + i % 2]) for i in range(6))
    return _disc(64 if up else 236, 84, 48, p[3]) + steps + _box(0, 292, 300, 160, p[1])


def _lens(p: Palette, r: Random) -> str:
    turn, blade = r(60), "M150 146 L150 26 A120 120 0 0 1 254 86Z"
    blades = "".join(_shape(blade, p[1 + i % 2], f' transform="rotate({turn + 60 * i} 150 146)"') for i in range(6))
    return blades + _disc(150, 146, 52, p[0]) + _disc(150, 146, 34, p[3])


def _tiles(p: Palette, r: Random) -> str:
    return "".join(
        _tile(x, y, (p[1], p[2], p[3], p[1])[r(4)], r(5)) for y in range(0, 300, 75) for x in range(0, 300, 75)
    )


def _tile(x: int, y: int, colour: str, kind: int) -> str:
    paths = (
        f"M{x} {y} h75 v75 h-75Z",
        f"M{x} {y} h75 a75 75 0 0 1 -75 75Z",
        f"M{x} {y} a75 75 0 0 0 75 75 v-75Z",
        f"M{x} {y + 75} L{x + 75} {y} V{y + 75}Z",
    )
    return _shape(paths[kind], colour) if kind < len(paths) else _disc(x + 37.5, y + 37.5, 30, colour)


def _strip(p: Palette, r: Random) -> str:
    x = 96 + r(40)
    holes = "".join(_box(x + dx, y, 12, 16, p[0], ' rx="3"') for y in range(-160, 480, 32) for dx in (9, 119))
    frames = "".join(
        _box(x + 32, -158 + i * 106, 76, 92, (p[3], p[2], p[0])[(i + r(2)) % 3], ' rx="4"') for i in range(6)
    )
    return f'<g transform="rotate({-24 + r(9)} 150 150)">{_box(x, -180, 140, 700, p[1])}{holes}{frames}</g>'


# Their ground fills the lower part of the poster, behind the title.
MOTIFS_WITH_GROUND: Sequence[MotifFunction] = (_sunset, _city, _waves, _peaks, _stairs)
MOTIFS: Sequence[MotifFunction] = (
    _moon,
    _beam,
    _reel,
    _venn,
    _blinds,
    _dots,
    _spiral,
    _lens,
    _tiles,
    _strip,
    *MOTIFS_WITH_GROUND,
)
