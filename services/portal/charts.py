"""Where the marks of a chart stand, in its own units. Pure; what they look like is the style's."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 400
ROW = 56
"""A label, and its bar below, so that a telephone is wide enough."""
FIGURES = 56


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its figure: `parts` are the widths, each with the class that colours it."""

    label: str
    y: int
    parts: tuple[tuple[str, float, float], ...]
    figure: int
    end: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars one below the other. `kinds`: the classes that have a name beside them."""

    title: str
    text: str
    bars: tuple[Bar, ...]
    height: int


def chart(title: str, text: str, rows: Sequence[tuple[str, Sequence[tuple[str, int]]]]) -> Chart:
    """A chart of rows: label, and parts (class, figure) that lie behind one another."""
    most = max((sum(n for _, n in parts) for _, parts in rows), default=0) or 1
    room = WIDTH - FIGURES
    bars = []
    for place, (label, parts) in enumerate(rows):
        at, drawn = 0.0, []
        for kind, figure in parts:
            width = round(figure / most * room, 1)
            if figure:
                drawn.append((kind, at, width))
            at = round(at + width, 1)
        total = sum(n for _, n in parts)
        bars.append(Bar(label, place * ROW, tuple(drawn), total, at + 8))
    return Chart(title, text, tuple(bars), max(1, len(rows)) * ROW)
