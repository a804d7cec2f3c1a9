"""Charts as SVG without scripts and inline styles, as a strict CSP demands; classes give the colours.

Each chart has a text alternative; the pages show the same numbers as a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from django.utils.translation import gettext

from streaming.localization import number_text
from streaming.reason_codes import MAX_CHECK_HISTORY, CheckCode

WIDTH, HEIGHT, LEFT, FOOT, HEAD = 720, 240, 40, 24, 8
PHONE_WIDTH, LABEL_WIDTH = 340, 64
STEPS = [factor * 10**power for power in range(9) for factor in (1, 2, 5)]
UNITS = ((10**6, "M"), (10**3, "k"))


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One column: `good` at the bottom, `bad` on top of it."""

    label: str
    good: int
    bad: int


def uptime_chart(checks: str, *, size: int = MAX_CHECK_HISTORY) -> str:
    """One bar per check, the newest on the right: tall if passed, short if failed, a dot if missing."""
    shown = checks[-size:]
    bars: dict[str, str] = {}
    for number, letter in enumerate(shown.rjust(size)):
        name, top, height = _check_bar(letter)
        bars[name] = f"{bars.get(name, '')}M{number * 5} {top}h3v{height}h-3z"
    drawn = "".join(f'<path class="{name}" d="{path}"/>' for name, path in bars.items())
    passed = gettext("%(passed)s of the last %(number)s checks passed")
    label = (
        passed % {"passed": shown.count(CheckCode.ALIVE), "number": len(shown)} if shown else gettext("Not checked yet")
    )
    return _svg(drawn, width=size * 5 - 2, height=20, label=label, name="uptime", stretch=True)


def sparkline_chart(values: Sequence[int], *, width: int = 120, height: int = 28) -> str:
    """A small line chart of a number over time; empty for fewer than two values."""
    if len(values) < 2:
        return ""
    low, top = min(values), max(values)
    step, span = width / (len(values) - 1), (top - low) or 1
    points = " ".join(
        f"{i * step:.1f},{height - 3 - (value - low) / span * (height - 6):.1f}" for i, value in enumerate(values)
    )
    drawn = (
        f'<polygon class="area" points="0,{height} {points} {width},{height}"/>'
        f'<polyline class="line" points="{points}"/>'
    )
    label = gettext("From %(first)s to %(last)s, between %(lowest)s and %(highest)s") % {
        "first": number_text(values[0]),
        "last": number_text(values[-1]),
        "lowest": number_text(low),
        "highest": number_text(top),
    }
    return _svg(drawn, width=width, height=height, label=label, name="spark", stretch=True)


def meter_bar(value: float, total: float) -> str:
    """A ratio as a filled bar; the page shows the numbers beside it."""
    ratio = round(100 * min(value, total) / total) if total else 0
    return (
        '<svg class="chart meter" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="6"/><rect class="fill" width="{ratio}" height="6"/></svg>'
    )


def stacked_bars(bars: Sequence[ChartBar], *, good: str, bad: str, label: str) -> str:
    """Columns of `good` with `bad` on top, with an axis; `label` is the text alternative.

    Drawn twice: the style sheet shows the narrow one on phones, where a wide one would have to be scrolled or tiny.
    """
    if not bars:
        return ""
    return "".join(
        _svg(_bars_on_axes(bars, width, good=good, bad=bad), width=width, height=HEIGHT, label=label, name=name)
        for width, name in ((WIDTH, "stacked"), (PHONE_WIDTH, "stacked phone"))
    )


def _bars_on_axes(bars: Sequence[ChartBar], chart_width: int, *, good: str, bad: str) -> str:
    ticks = _ticks(max(bar.good + bar.bad for bar in bars))
    scale = (HEIGHT - FOOT - HEAD) / ticks[-1]
    drawn = [_tick(tick, scale, chart_width) for tick in ticks]
    available_width = (chart_width - LEFT) / len(bars)
    drawn += [
        _column(bar, x=LEFT + i * available_width, available_width=available_width, scale=scale, good=good, bad=bad)
        for i, bar in enumerate(bars)
    ]
    labelled = [i for i in range(len(bars)) if _is_labelled(i, len(bars), available_width)]
    drawn += [_label(bars, i, available_width, chart_width) for i in labelled]
    return "".join(drawn)


def _check_bar(letter: str) -> tuple[str, int, int]:
    """Class, top and height of the bar of one check; one path for each class keeps long lists of links light."""
    if letter == " ":
        return "none", 11, 3
    return ("up", 1, 18) if letter == CheckCode.ALIVE else ("down", 12, 7)


def _ticks(top: int) -> list[int]:
    """At most five round numbers from 0 to just above `top`."""
    step = next(step for step in STEPS if max(top, 1) / step <= 4)
    return [i * step for i in range(-(-max(top, 1) // step) + 1)]


def _height(value: int, scale: float) -> float:
    return HEIGHT - FOOT - value * scale


def _tick(value: int, scale: float, chart_width: int) -> str:
    y = _height(value, scale)
    return (
        f'<line class="grid" x1="{LEFT}" x2="{chart_width}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
    )


def _short(value: int) -> str:
    """A short label for the axis: `800`, `50k`, `1.5M`."""
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), (1, ""))
    return f"{value / size:g}{unit}"


def _column(bar: ChartBar, *, x: float, available_width: float, scale: float, good: str, bad: str) -> str:
    left, width = x + available_width * 0.14, min(available_width * 0.72, 48)
    middle, top = _height(bar.good, scale), _height(bar.good + bar.bad, scale)
    lower, upper = HEIGHT - FOOT - middle, max(0.0, middle - top - 1.5)
    return (
        f'<g class="day"><title>{escape(bar.label)}: {bar.good} {escape(good)}, {bar.bad} {escape(bad)}</title>'
        f'<rect class="hit" x="{x:.1f}" y="{HEAD}" width="{available_width:.1f}" height="{HEIGHT - FOOT - HEAD}"/>'
        f'<rect class="up" x="{left:.1f}" y="{middle:.1f}" width="{width:.1f}" height="{lower:.1f}"/>'
        f'<rect class="down" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{upper:.1f}"/></g>'
    )


def _is_labelled(i: int, count: int, available_width: float) -> bool:
    """Whether a column has its day below it: the last one, and those of which no label touches another."""
    step = max(5, math.ceil(LABEL_WIDTH / available_width))
    return i == count - 1 or (i % step == 0 and (count - i) * available_width >= 2 * LABEL_WIDTH)


def _label(bars: Sequence[ChartBar], i: int, available_width: float, chart_width: int) -> str:
    x, anchor = LEFT + i * available_width + available_width * 0.14, "start"
    if 0 < i == len(bars) - 1:
        x, anchor = chart_width, "end"
    return f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(bars[i].label)}</text>'


def _svg(drawn: str, *, width: int, height: int, label: str, name: str, stretch: bool = False) -> str:
    aspect = ' preserveAspectRatio="none"' if stretch else ""
    return (
        f'<svg class="chart {name}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}"{aspect}>'
        f"{drawn}</svg>"
    )
