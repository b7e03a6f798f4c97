"""What both dashboards are built of: queries, panels, variables, rows.

Always holds: every panel has a title, a unit and a description, asks the data source that is chosen
above, and fills its place on the grid; the same panels give the same bytes.

The same queries work in a cluster, with compose and in a test, because they ask only for two labels
that the scrape puts on every measure: `job`, which tells releases apart (the PodMonitor's is
`namespace/release`), and `service`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import bargauge, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import common as c
from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as cm
from grafana_foundation_sdk.models import dashboard as dm
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Panel = timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, table.Panel)

SOURCE = dm.DataSourceRef(type_val="prometheus", uid="${datasource}")
EVERYTHING = ".*"
SCHEMA = 39
"""Of Grafana 10.4 and newer; the builders' own is older than what they write."""


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and what its series are called. `step`: the distance of its points."""

    expr: str
    legend: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """What a panel is called and what it says: what is good, and what to do if it is not.

    `runbook`: the name of the page in docs/runbooks that says more.
    """

    title: str
    description: str
    unit: str
    runbook: str | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """A value's colour: `colours[n]` from `steps[n - 1]` on."""

    steps: Sequence[float]
    colours: Sequence[str]


PLAIN = Levels((), ("blue",))
NONE_IS_GOOD = Levels((1,), ("green", "red"))


def lines(
    text: Text,
    *queries: Query,
    width: int = 8,
    height: int = 8,
    stacked: bool = False,
    bars: bool = False,
    limits: tuple[float | None, float | None] = (0, None),
    names: Mapping[str, str] | None = None,
    colours: Mapping[str, str] | None = None,
) -> timeseries.Panel:
    """Figures over time. `limits`: of the axis; `names`: what series are called instead.

    `colours`: those of `names`, where they mean something.
    """
    legend = c.VizLegendOptions().show_legend(True).placement(cm.LegendPlacement.BOTTOM)
    panel = (
        _described(timeseries.Panel(), text, width, height)
        .targets([_range(query, n) for n, query in enumerate(queries)])
        .legend(legend.display_mode(cm.LegendDisplayMode.LIST).calcs([]))
        .tooltip(c.VizTooltipOptions().mode(cm.TooltipDisplayMode.MULTI))
        .show_points(cm.VisibilityMode.NEVER)
        .fill_opacity(80 if bars else 25 if stacked else 5)
    )
    low, high = limits
    panel = panel if low is None else panel.min(low)
    panel = panel if high is None else panel.max(high)
    if bars:
        panel.draw_style(cm.GraphDrawStyle.BARS)
    if stacked:
        panel.stacking(c.StackingConfig().mode(cm.StackingMode.NORMAL).group("A"))
    return _named(panel, names, colours)


def figure(
    text: Text,
    query: Query,
    *,
    width: int = 3,
    height: int = 4,
    levels: Levels = PLAIN,
    texts: Mapping[str, str] | None = None,
) -> stat.Panel:
    """The newest value, large. `texts`: what is said instead of a value."""
    panel = (
        _described(stat.Panel(), text, width, height)
        .targets([_instant(query, 0)])
        .reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(cm.BigValueColorMode.VALUE)
        .graph_mode(cm.BigValueGraphMode.NONE)
        .thresholds(_thresholds(levels))
    )
    return panel.mappings([_texts(texts)]) if texts else panel


def gauges(
    text: Text,
    *queries: Query,
    width: int = 12,
    height: int = 8,
    levels: Levels = PLAIN,
    limits: tuple[float, float | None] = (0, None),
    names: Mapping[str, str] | None = None,
) -> bargauge.Panel:
    """The newest values, as bars below each other."""
    panel = (
        _described(bargauge.Panel(), text, width, height)
        .targets([_instant(query, n) for n, query in enumerate(queries)])
        .reduce_options(c.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .orientation(cm.VizOrientation.HORIZONTAL)
        .display_mode(cm.BarGaugeDisplayMode.BASIC)
        .show_unfilled(True)
        .thresholds(_thresholds(levels))
        .min(limits[0])
    )
    panel = panel if limits[1] is None else panel.max(limits[1])
    return _named(panel, names)


def rows(
    text: Text,
    columns: Mapping[str, str],
    *queries: Query,
    width: int = 12,
    height: int = 8,
    texts: Mapping[str, Mapping[str, str]] | None = None,
) -> table.Panel:
    """The newest values of several queries, side by side where their labels are the same.

    `columns`: field to heading, in order; the value of the nth query is `Value #A`, `Value #B`, …
    `texts`: of a heading, what is said instead of a value.
    """
    order = {name: n for n, name in enumerate(columns)}
    tidy: dict[str, Any] = {
        "excludeByName": {"Time": True},
        "indexByName": order,
        "renameByName": dict(columns),
    }
    panel = (
        _described(table.Panel(), text, width, height)
        .targets([_row(query, n) for n, query in enumerate(queries)])
        .with_transformation(dm.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(dm.DataTransformerConfig(id_val="organize", options=tidy))
        .show_header(True)
        .decimals(2)
    )
    for heading, said in (texts or {}).items():
        mapping = dm.DynamicConfigValue(id_val="mappings", value=[_texts(said)])
        panel.override_by_name(heading, [mapping])
    return panel


# --- queries ------------------------------------------------------------------------------------


def _query(query: Query, number: int) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend)
    target = target.ref_id("ABCDEFGHIJ"[number]).datasource(SOURCE)
    return target.interval(query.step) if query.step else target


def _range(query: Query, number: int) -> prometheus.Dataquery:
    return _query(query, number).range()


def _instant(query: Query, number: int) -> prometheus.Dataquery:
    return _query(query, number).instant()


def _row(query: Query, number: int) -> prometheus.Dataquery:
    return _instant(query, number).format(PromQueryFormat.TABLE)


# --- panels -------------------------------------------------------------------------------------


def _described(panel: P, text: Text, width: int, height: int) -> P:
    panel.title(text.title).description(text.description).unit(text.unit)
    panel.datasource(SOURCE).span(width).height(height)
    if text.runbook:
        link = d.DashboardLink("Runbook").type(dm.DashboardLinkType.LINK).target_blank(True)
        panel.links([link.url(f"${{runbooks}}/{text.runbook}.md")])
    return panel


def _named(
    panel: P, names: Mapping[str, str] | None, colours: Mapping[str, str] | None = None
) -> P:
    for name, shown in (names or {}).items():
        said = [dm.DynamicConfigValue(id_val="displayName", value=shown)]
        if colours:
            fixed_colour = {"mode": "fixed", "fixedColor": colours[name]}
            said.append(dm.DynamicConfigValue(id_val="color", value=fixed_colour))
        panel.override_by_name(name, said)
    return panel


def _texts(texts: Mapping[str, str]) -> dm.ValueMap:
    results = {value: dm.ValueMappingResult(text=text) for value, text in texts.items()}
    for index, result in enumerate(results.values()):
        result.index = index
    return dm.ValueMap(options=results)


def _thresholds(levels: Levels) -> d.ThresholdsConfig:
    steps = [
        dm.Threshold(value=value, color=colour)
        for value, colour in zip((None, *levels.steps), levels.colours, strict=True)
    ]
    return d.ThresholdsConfig().mode(dm.ThresholdsMode.ABSOLUTE).steps(steps)


# --- a dashboard --------------------------------------------------------------------------------


def chosen(name: str, label: str, values: str, *, hint: str) -> d.QueryVariable:
    """A variable with the values of a label, any number of which can be chosen."""
    return (
        d.QueryVariable(name)
        .label(label)
        .description(hint)
        .datasource(SOURCE)
        .query({"query": f"label_values({values}, {name})", "refId": name})
        .refresh(dm.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dm.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(EVERYTHING)
        .current(dm.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def fixed(name: str, label: str, value: str, *, hint: str) -> d.ConstantVariable:
    """A variable that is set once for an installation, and not by whoever looks."""
    return d.ConstantVariable(name).label(label).description(hint).value(value)


def data_source(label: str) -> d.DatasourceVariable:
    """The variable that every panel's data source is."""
    return d.DatasourceVariable("datasource").label(label).type("prometheus")


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under a heading."""

    heading: str
    panels: Sequence[Panel]


def written(dashboard: d.Dashboard, sections: Sequence[Section]) -> str:
    """The dashboard as JSON, with its panels in place and numbered."""
    for section in sections:
        dashboard.with_row(d.Row(section.heading))
        for panel in section.panels:
            dashboard.with_panel(panel)
    built = dashboard.build()
    built.schema_version = SCHEMA
    for number, placed in enumerate(built.panels or (), start=1):
        placed.id_val = number
    return json.dumps(built, cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"
