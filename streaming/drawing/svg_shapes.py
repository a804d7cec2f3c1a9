"""The SVG elements of drawn posters as shapes of points, for pictures that are made of pixels. Pure.

It reads what `posters` writes, not any SVG: circles, rectangles, and paths with straight lines, quadratic curves and
arcs of circles below half a turn; rotation is the only transform.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import atan2, cos, hypot, pi, radians, sin, sqrt

Point = tuple[float, float]
CURVE_STEPS, CIRCLE_STEPS = 14, 72
TOKEN = re.compile(r"[A-Za-z]|-?\d+(?:\.\d+)?|-?\.\d+")
ROTATION = re.compile(r"rotate\((-?[\d.]+) (-?[\d.]+) (-?[\d.]+)\)")
ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "q": 4, "t": 2, "a": 7, "z": 0}


@dataclass(frozen=True, slots=True)
class Shape:
    """A polygon; an open line of this width if `line_width` is not 0."""

    points: tuple[Point, ...]
    colour: str
    opacity: float = 1.0
    line_width: float = 0.0


def read_shapes(elements: str) -> list[Shape]:
    """The shapes of SVG elements, in the order in which they are drawn."""
    return list(_read(ElementTree.fromstring(f"<g>{elements}</g>"), turn=lambda point: point))  # noqa: S314  # our own


def _read(element: ElementTree.Element, *, turn: Callable[[Point], Point]) -> Iterator[Shape]:
    turned = _rotation(element.get("transform", ""), before=turn)
    if element.tag == "g":
        for child in element:
            yield from _read(child, turn=turned)
        return
    outlines = _circle(element) if element.tag == "circle" else [OUTLINES[element.tag](element)]
    line_width = float(element.get("stroke-width", 0))
    colour = element.get("stroke" if line_width else "fill", "#000000")
    for outline in outlines:
        points = tuple(turned(point) for point in outline)
        yield Shape(points, colour, opacity=float(element.get("opacity", 1)), line_width=line_width)


def _rotation(transform: str, *, before: Callable[[Point], Point]) -> Callable[[Point], Point]:
    if not (match := ROTATION.fullmatch(transform)):
        return before
    angle, middle_x, middle_y = radians(float(match[1])), float(match[2]), float(match[3])
    sine, cosine = sin(angle), cos(angle)

    def rotate(point: Point) -> Point:
        x, y = point[0] - middle_x, point[1] - middle_y
        return before((middle_x + x * cosine - y * sine, middle_y + x * sine + y * cosine))

    return rotate


def _circle(element: ElementTree.Element) -> list[list[Point]]:
    """The outline of a circle; the dashes of one that is drawn with dashes."""
    x, y, radius = (float(element.get(name, 0)) for name in ("cx", "cy", "r"))
    dashes = [float(part) / radius for part in element.get("stroke-dasharray", "").split()]
    if not dashes:
        return [_arc_points((x, y), radius, start=0, turn=2 * pi)]
    dash, gap = dashes
    starts = [i * (dash + gap) for i in range(int(2 * pi / (dash + gap)) + 1)]
    return [
        _arc_points((x, y), radius, start=start, turn=min(dash, 2 * pi - start)) for start in starts if start < 2 * pi
    ]


def _arc_points(middle: Point, radius: float, *, start: float, turn: float) -> list[Point]:
    steps = max(2, round(abs(turn) / (2 * pi) * CIRCLE_STEPS))
    angles = (start + turn * i / steps for i in range(steps + 1))
    return [(middle[0] + radius * cos(angle), middle[1] + radius * sin(angle)) for angle in angles]


def _rectangle(element: ElementTree.Element) -> list[Point]:
    x, y, width, height, rounding = (float(element.get(name, 0)) for name in ("x", "y", "width", "height", "rx"))
    corners = [(x + width, y + height), (x, y + height), (x, y), (x + width, y)]
    if not rounding:
        return corners
    inner = [
        (x + width - rounding, y + height - rounding),
        (x + rounding, y + height - rounding),
        (x + rounding, y + rounding),
        (x + width - rounding, y + rounding),
    ]
    quarters = (_arc_points(middle, rounding, start=i * pi / 2, turn=pi / 2) for i, middle in enumerate(inner))
    return [point for quarter in quarters for point in quarter]


def _path(element: ElementTree.Element) -> list[Point]:
    tokens = TOKEN.findall(element.get("d", ""))
    points: list[Point] = []
    control: Point | None = None
    at = 0
    command = ""
    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        count = ARGUMENTS[command.lower()]
        values = [float(token) for token in tokens[at : at + count]]
        at += count
        control = _extend(points, command, values, control)
    return points


def _extend(points: list[Point], command: str, values: list[float], control: Point | None) -> Point | None:
    """Add what a command draws; returns the control point that a following T mirrors."""
    kind = command.lower()
    if kind == "z":
        return None
    here = points[-1] if points else (0.0, 0.0)
    origin = here if command.islower() else (0.0, 0.0)
    if kind in "hv":
        x, y = (origin[0] + values[0], here[1]) if kind == "h" else (here[0], origin[1] + values[0])
        points.append((x, y))
        return None
    end = (origin[0] + values[-2], origin[1] + values[-1])
    if kind == "a":
        points.extend(_arc(here, end, radius=values[0], clockwise=bool(values[4])))
    elif kind in "qt":
        control = _control(here, origin, kind, values, control)
        points.extend(_curve(here, control, end))
        return control
    else:
        points.append(end)
    return None


def _control(here: Point, origin: Point, kind: str, values: list[float], last: Point | None) -> Point:
    if kind == "q":
        return origin[0] + values[0], origin[1] + values[1]
    last = last or here
    return 2 * here[0] - last[0], 2 * here[1] - last[1]


def _curve(start: Point, control: Point, end: Point) -> list[Point]:
    steps = [i / CURVE_STEPS for i in range(1, CURVE_STEPS + 1)]
    weights = [((1 - t) ** 2, 2 * t * (1 - t), t**2) for t in steps]
    return [
        (a * start[0] + b * control[0] + c * end[0], a * start[1] + b * control[1] + c * end[1]) for a, b, c in weights
    ]


def _arc(start: Point, end: Point, *, radius: float, clockwise: bool) -> list[Point]:
    """The shorter arc of a circle of this radius from one point to another."""
    half_x, half_y = (end[0] - start[0]) / 2, (end[1] - start[1]) / 2
    half = hypot(half_x, half_y)
    height = sqrt(max(radius**2 - half**2, 0)) / half * (1 if clockwise else -1)
    middle = (start[0] + half_x - half_y * height, start[1] + half_y + half_x * height)
    first = atan2(start[1] - middle[1], start[0] - middle[0])
    turn = (atan2(end[1] - middle[1], end[0] - middle[0]) - first) % (2 * pi)
    return _arc_points(middle, radius, start=first, turn=turn if clockwise else turn - 2 * pi)


OUTLINES: dict[str, Callable[[ElementTree.Element], list[Point]]] = {"rect": _rectangle, "path": _path}
