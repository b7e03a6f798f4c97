"""What the services tell of themselves, as series over processes.

What a process counts is summed after `rate`. Of what should not happen, only what does is shown by
its labels; a service of which there is nothing is shown once, as 0.
"""

from deploy.made.dashboards.panels import Panel, Query, Text, lines

OURS = 'job=~"$job",service=~"$service"'
SERVICES = f"sum by (service) (mentoring_build_info{{{OURS}}})"
PER = "$__rate_interval"

SERVICE = "{{service}}"
PROCESS = "{{service}} {{instance}}"


def total(measure: str, by: str = "service") -> str:
    """A gauge over processes."""
    return f"sum by ({by}) ({measure}{{{OURS}}})"


def rate(measure: str, by: str = "service") -> str:
    """What a counter moved by, per second, over processes."""
    return f"sum by ({by}) (rate({measure}{{{OURS}}}[{PER}]))"


def quantile(share: float, measure: str, by: str = "service") -> str:
    """What a share of a histogram's observations stays below, over processes."""
    return f"histogram_quantile({share}, {rate(f'{measure}_bucket', f'{by}, le')})"


def or_zero(expr: str) -> str:
    """What is above 0, and 0 for every service of which nothing is."""
    return f"({expr}) > 0 or on (service) 0 * {SERVICES}"


def over_time(
    title: str,
    unit: str,
    description: str,
    expr: str,
    legend: str = SERVICE,
    *,
    width: int = 8,
    stacked: bool = False,
    runbook: str | None = None,
) -> Panel:
    """A panel of one query."""
    text = Text(title, description, unit, runbook)
    return lines(text, Query(expr, legend), width=width, stacked=stacked)
