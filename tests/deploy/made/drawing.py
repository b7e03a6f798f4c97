"""Draws a dashboard's panels as SVG, each in its place on the grid, from the series it is given.

It draws what the dashboards have (figures, gauges, lines, stacked areas and bars, a table) with
their units, names and thresholds, and nothing else of Grafana.
"""

import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from tests.deploy.made.recorded import Object, Series

COLUMN, ROW, GAP, MARGIN = 50, 29, 8, 12
CHAR = 0.54  # of the size of the letters, on average
COLOURS = ("#3b6fb6", "#e08a2e", "#3f9b57", "#c2453d", "#8461b0", "#4aa3a8", "#b5679a", "#8a7a3c")
NAMED = {
    "green": "#2f8f4e",
    "orange": "#d9822b",
    "red": "#c2453d",
    "blue": "#3b6fb6",
    "light-blue": "#8fb6e0",
}
INK, FAINT, RULE = "#24292f", "#6e7781", "#e3e7eb"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Shown:
    """Series with what they are called, and their colour if it means something."""

    name: str
    series: Series
    colour: str | None = None


@dataclass(slots=True)
class Sheet:
    """SVG in the making. `span`: the moments of both ends; `tell`: how a moment is written."""

    span: tuple[float, float]
    tell: Callable[[float], str]
    parts: list[str] = field(default_factory=list)

    def text(
        self, x: float, y: float, words: str, size: float = 11, fill: str = INK, **more: str
    ) -> None:
        extra = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in more.items())
        place = f'x="{x:.0f}" y="{y:.0f}" font-size="{size:g}" fill="{fill}"'
        self.parts.append(f"<text {place}{extra}>{escape(words)}</text>")

    def box(self, x: float, y: float, w: float, h: float, fill: str, more: str = "") -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" width="{max(w, 0):.1f}" height="{max(h, 0):.1f}"'
        self.parts.append(f'<rect {place} fill="{fill}"{more}/>')

    def path(self, d: str, more: str) -> None:
        self.parts.append(f'<path d="{d}" {more}/>')


@dataclass(frozen=True, slots=True)
class Area:
    """Where a panel's content goes."""

    x: float
    y: float
    w: float
    h: float


def drawn(
    dashboard: Object,
    found: Mapping[int, Sequence[Shown]],
    span: tuple[float, float],
    tell: Callable[[float], str],
) -> str:
    """The dashboard as SVG; `found` has the series of each panel by its id."""
    sheet = Sheet(span, tell)
    bottom = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in dashboard["panels"])
    width, height = 24 * COLUMN + 2 * MARGIN, bottom * ROW + 2 * MARGIN
    sheet.box(0, 0, width, height, "#f4f5f7")
    for panel in dashboard["panels"]:
        g = panel["gridPos"]
        x, y = MARGIN + g["x"] * COLUMN, MARGIN + g["y"] * ROW
        if panel["type"] == "row":
            sheet.text(x + 4, y + 20, panel["title"], 15, font_weight="600")
            continue
        w, h = g["w"] * COLUMN - GAP, g["h"] * ROW - GAP
        sheet.box(x, y, w, h, "#ffffff", f' rx="3" stroke="{RULE}"')
        title = _cut(panel["title"], w - 20, 12.5)
        sheet.text(x + 10, y + 18, title, 12.5, font_weight="600")
        _content(sheet, Area(x + 10, y + 28, w - 20, h - 36), panel, found[panel["id"]])
    head = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    font = "font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\""
    body = "\n".join(sheet.parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {head} {font}>\n{body}\n</svg>\n'


def _content(sheet: Sheet, area: Area, panel: Object, shown: Sequence[Shown]) -> None:
    match panel["type"]:
        case "stat":
            _figure(sheet, area, panel, shown)
        case "bargauge":
            _gauges(sheet, area, panel, shown)
        case "table":
            _table(sheet, area, panel, shown)
        case "timeseries":
            _chart(sheet, area, panel, shown)
        case unknown:
            raise ValueError(unknown)


# --- values -------------------------------------------------------------------------------------


def _defaults(panel: Object) -> Object:
    found: Object = panel["fieldConfig"]["defaults"]
    return found


def written(value: float, unit: str) -> str:
    """A value in its unit, short."""
    match unit:
        case "percentunit":
            return f"{value:.0%}"
        case "s":
            return _seconds(value)
        case "bytes":
            return f"{value / 1024**2:.0f} MiB"
        case "ops":
            return f"{_number(value)}/s"
        case "opm":
            return f"{_number(value)}/min"
        case _:
            return _number(value)


def _seconds(value: float) -> str:
    for size, name in ((86_400 * 365.25, "years"), (86_400, "d"), (60, "min"), (1, "s")):
        if abs(value) >= size * (2 if name == "min" else 1):
            return f"{value / size:.3g} {name}"
    return f"{value * 1000:.3g} ms" if value else "0 s"


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.0f}"


def _colour(panel: Object, value: float) -> str:
    colour = COLOURS[0]
    for step in _defaults(panel)["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            colour = NAMED[step["color"]]
    return colour


def _said(mappings: Sequence[Object], value: str) -> str | None:
    for mapping in mappings:
        if value in mapping["options"]:
            return str(mapping["options"][value]["text"])
    return None


def _cut(words: str, width: float, size: float) -> str:
    most = max(int(width / (size * CHAR)), 1)
    return words if len(words) <= most else words[: most - 1] + "…"


# --- panels -------------------------------------------------------------------------------------


def _figure(sheet: Sheet, area: Area, panel: Object, shown: Sequence[Shown]) -> None:
    value = shown[0].series.points[-1][1]
    mappings = _defaults(panel).get("mappings") or ()
    words = _said(mappings, _number(value)) or written(value, _defaults(panel)["unit"])
    size = min(34.0, area.w / (len(words) * CHAR))
    middle = area.y + area.h / 2 + size / 3
    colour = _colour(panel, value)
    sheet.text(area.x + area.w / 2, middle, words, size, colour, text_anchor="middle")


def _gauges(sheet: Sheet, area: Area, panel: Object, shown: Sequence[Shown]) -> None:
    defaults = _defaults(panel)
    low = defaults.get("min") or 0
    newest = [(one.name, one.series.points[-1][1]) for one in shown]
    high = defaults.get("max") or max(value for _, value in newest) or 1
    label = min(max(len(name) for name, _ in newest) * 12 * CHAR + 12, area.w * 0.5)
    each, room = area.h / len(newest), area.w - label - 46
    for n, (name, value) in enumerate(newest):
        y, thick = area.y + n * each, min(each * 0.66, 24)
        middle = y + each / 2
        end = {"text_anchor": "end"}
        sheet.text(area.x + label - 8, middle + 4, _cut(name, label - 8, 12), 12, **end)
        sheet.box(area.x + label, middle - thick / 2, room, thick, "#eef0f3")
        share = min(max((value - low) / (high - low), 0), 1)
        sheet.box(area.x + label, middle - thick / 2, room * share, thick, _colour(panel, value))
        sheet.text(area.x + area.w, middle + 4, written(value, defaults["unit"]), 12, **end)


def _table(sheet: Sheet, area: Area, panel: Object, shown: Sequence[Shown]) -> None:
    columns: dict[str, str] = panel["transformations"][1]["options"]["renameByName"]
    said = {
        one["matcher"]["options"]: one["properties"][0]["value"]
        for one in panel["fieldConfig"]["overrides"]
    }
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    order = [name for name in columns if not name.startswith("Value")]
    for one in shown:  # named by the reference of its query
        row = rows.setdefault(tuple(one.series.labels[name] for name in order), {})
        row |= {name: one.series.labels[name] for name in order}
        row[f"Value #{one.name}"] = _number(one.series.points[-1][1])
    shares = [0.2, 0.38, 0.15, 0.15, 0.12]
    starts = [area.x + area.w * sum(shares[:n]) for n in range(len(columns))]
    each = min(area.h / (len(rows) + 1), 26)
    for n, heading in enumerate(columns.values()):
        sheet.text(starts[n], area.y + 14, heading, 12, FAINT, font_weight="600")
    for k, (_, row) in enumerate(sorted(rows.items()), start=1):
        y = area.y + k * each
        sheet.path(f"M{area.x:.0f} {y:.0f}h{area.w:.0f}", f'stroke="{RULE}"')
        for n, (name, heading) in enumerate(columns.items()):
            value = row.get(name, "–")
            value = _said(said.get(heading, ()), value) or value
            sheet.text(starts[n], y + 16, _cut(value, area.w * shares[n], 12), 12)


def _chart(sheet: Sheet, area: Area, panel: Object, shown: Sequence[Shown]) -> None:
    defaults = _defaults(panel)
    custom = defaults.get("custom") or {}
    stacked = (custom.get("stacking") or {}).get("mode") == "normal"
    taken = _legend(sheet, area, shown)
    finite = [
        Shown(one.name, Series(one.series.labels, points), one.colour)
        for one in shown
        if (points := [(m, v) for m, v in one.series.points if math.isfinite(v)])
    ]
    low, ticks = defaults.get("min") or 0, _ticks(defaults, finite, stacked)
    left = 10 + max(len(written(tick, defaults["unit"])) for tick in ticks) * 10 * CHAR
    plot = Area(area.x + left, area.y + 4, area.w - left - 4, area.h - taken - 24)
    start, end = sheet.span

    def place(moment: float, value: float) -> tuple[float, float]:
        across = (moment - start) / (end - start)
        up = (value - low) / (ticks[-1] - low)
        return plot.x + plot.w * across, plot.y + plot.h * (1 - up)

    for tick in ticks:
        _, y = place(start, tick)
        sheet.path(f"M{plot.x:.0f} {y:.0f}h{plot.w:.0f}", f'stroke="{RULE}"')
        words = written(tick, defaults["unit"])
        sheet.text(plot.x - 5, y + 3, words, 10, FAINT, text_anchor="end")
    for share in (0, 0.5, 1) if plot.w < 300 else (0, 0.25, 0.5, 0.75, 1):
        anchor = {0: "start", 1: "end"}.get(share, "middle")
        x, y = plot.x + plot.w * share, plot.y + plot.h + 15
        sheet.text(x, y, sheet.tell(start + (end - start) * share), 10, FAINT, text_anchor=anchor)
    if custom.get("drawStyle") == "bars":
        _bars(sheet, finite, place)
    elif stacked:
        _stack(sheet, finite, place)
    else:
        for n, one in enumerate(finite):
            _line(sheet, [place(*point) for point in one.series.points], _of(one, n))


def _of(shown: Shown, n: int) -> str:
    """The colour of the nth series."""
    return shown.colour or COLOURS[n % len(COLOURS)]


def _ticks(defaults: Object, shown: Sequence[Shown], stacked: bool) -> list[float]:
    """Round values from the lowest to just above the highest."""
    low = float(defaults.get("min") or 0)
    high = defaults.get("max")
    if high is None:
        at: dict[float, float] = {}
        for one in shown:
            for moment, value in one.series.points:
                at[moment] = at.get(moment, 0) + value if stacked else max(at.get(moment, 0), value)
        high = max(at.values(), default=0) or 1
    rough = (high - low) / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= rough * 0.999)
    return [low + step * n for n in range(math.ceil((high - low) / step - 1e-9) + 1)]


Place = Callable[[float, float], tuple[float, float]]


def _line(sheet: Sheet, points: Points, colour: str, width: float = 1.5) -> None:
    sheet.path(_d(points), f'fill="none" stroke="{colour}" stroke-width="{width}"')


def _d(points: Points) -> str:
    """Without the points between two at the same height."""
    kept = [
        point
        for n, point in enumerate(points)
        if n in (0, len(points) - 1) or not points[n - 1][1] == point[1] == points[n + 1][1]
    ]
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in kept)


def _layers(shown: Sequence[Shown]) -> list[tuple[Points, Points]]:
    """Of each series its points and those below, at the same moments: 0 before it begins and after
    it ends. A moment that one of them misses in between is left out: its scrape failed."""
    known = [{moment for moment, _ in one.series.points} for one in shown]
    moments = [
        moment
        for moment in sorted(set().union(*known))
        if all(moment in one or moment < min(one) or moment > max(one) for one in known)
    ]
    below = dict.fromkeys(moments, 0.0)
    layers = []
    for one in shown:
        values = dict(one.series.points)
        above = {moment: below[moment] + values.get(moment, 0.0) for moment in moments}
        layers.append((list(above.items()), list(below.items())))
        below = above
    return layers


def _stack(sheet: Sheet, shown: Sequence[Shown], place: Place) -> None:
    for n, (above, below) in enumerate(_layers(shown)):
        up, down = [place(*p) for p in above], [place(*p) for p in reversed(below)]
        colour = _of(shown[n], n)
        sheet.path(f"{_d(up)}L{_d(down)[1:]}Z", f'fill="{colour}" fill-opacity="0.35"')
        _line(sheet, up, colour)


def _bars(sheet: Sheet, shown: Sequence[Shown], place: Place) -> None:
    moments = sorted({moment for one in shown for moment, _ in one.series.points})
    gap = min((b - a for a, b in itertools.pairwise(moments)), default=1.0)
    for n, (above, below) in enumerate(_layers(shown)):
        for (moment, top), (_, base) in zip(above, below, strict=True):
            right, y = place(moment, top)  # a bar tells of the time before its moment
            left, bottom = place(moment - gap, base)
            if top > base:
                sheet.box(left + 2, y, right - left - 4, bottom - y, _of(shown[n], n))


def _legend(sheet: Sheet, area: Area, shown: Sequence[Shown]) -> float:
    """Names below the chart, in two lines at most; the height that they take."""
    size, most, lines = 10.5, area.w / 2 - 26, 1
    x = area.x
    places: list[tuple[float, int, str, str]] = []
    for n, one in enumerate(shown):
        name = _cut(one.name, most, size)
        width = len(name) * size * CHAR + 22
        if x + width > area.x + area.w and x > area.x:
            lines, x = lines + 1, area.x
        if lines > 2:
            places[-1:] = [(*places[-1][:3], f"… {len(shown) - n + 1} more")]
            lines = 2
            break
        places.append((x, lines, _of(one, n), name))
        x += width
    for left, line, colour, name in places:
        y = area.y + area.h - (lines - line) * 15 - 2
        if not re.match(r"… \d+ more$", name):
            sheet.box(left, y - 8, 9, 9, colour)
        sheet.text(left + 13, y, name, size)
    return lines * 15.0


def named(panel: Object, target: Object, series: Series) -> Shown:
    """A series with its name, by its query or as the panel renames that, and its colour."""
    legend = re.sub(r"\{\{(\w+)\}\}", lambda m: series.labels.get(m[1], ""), target["legendFormat"])
    said: dict[str, Any] = {
        one["id"]: one["value"]
        for override in panel["fieldConfig"]["overrides"]
        if override["matcher"]["options"] == legend
        for one in override["properties"]
    }
    colour = said.get("color", {}).get("fixedColor")
    return Shown(str(said.get("displayName", legend)), series, NAMED.get(colour, colour))
