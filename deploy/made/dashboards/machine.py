"""The dashboard for those who keep the services running."""

from grafana_foundation_sdk.builders import dashboard as d
from grafana_foundation_sdk.models import dashboard as dm

from deploy.made.dashboards import inside
from deploy.made.dashboards.panels import (
    NONE_IS_GOOD,
    Levels,
    Panel,
    Query,
    Section,
    Text,
    chosen,
    data_source,
    figure,
    fixed,
    lines,
    written,
)
from deploy.made.dashboards.series import OURS, or_zero, over_time, quantile, rate, total

RANGE = "$__range"
RUNBOOKS = "https://example.org/connecte-ton-manager/docs/runbooks"
LATENCY = "mentoring_event_latency_seconds"


def dashboard() -> str:
    """`machine.json`."""
    started = (
        d.Dashboard("Connecte ton manager · the machine")
        .uid("connecte-machine")
        .description("For operations: what the services do, and whether they keep up.")
        .tags(["connecte-ton-manager", "operations"])
        .time("now-3h", "now")
        .timezone("browser")
        .refresh("30s")
        .readonly()
        .tooltip(dm.DashboardCursorSync.CROSSHAIR)
        .with_variable(data_source("Source"))
        .with_variable(
            chosen("job", "Release", "mentoring_build_info", hint="As Prometheus names the scrape.")
        )
        .with_variable(
            chosen(
                "service",
                "Service",
                'mentoring_build_info{job=~"$job"}',
                hint="matching, scheduling, feedback, notify, portal.",
            )
        )
        .with_variable(
            fixed("runbooks", "Runbooks", RUNBOOKS, hint="Where the pages of docs/runbooks are.")
        )
    )
    return written(started, _sections())


def _sections() -> list[Section]:
    return [
        Section("At a glance", [*_state(), *_stability()]),
        Section("Objectives", _objectives()),
        Section("What is done", _done()),
        Section("How long it takes", _latency()),
        Section("What waits", _waiting()),
        Section("Steps", inside.steps()),
        Section("What stands still", inside.standing()),
        Section("What goes wrong", inside.faults()),
        Section("HTTP", inside.http()),
        Section("Processes", inside.processes()),
        Section("MongoDB", inside.mongodb()),
        Section("Kafka", inside.kafka()),
    ]


def _state() -> list[Panel]:
    return [
        figure(
            Text(
                "Ready",
                "Processes with partitions, a database and a broker, of those that run. Good: all. "
                "A process beyond the number of partitions is never ready.",
                "percentunit",
                "partitions-unassigned",
            ),
            Query(f"avg(mentoring_ready{{{OURS}}})", "ready"),
            levels=Levels((0.5, 1), ("red", "orange", "green")),
        ),
        figure(
            Text(
                "Not answering",
                "Targets that could not be scraped. Good: none.",
                "short",
                "target-down",
            ),
            Query(f"count(up{{{OURS}}} == 0) or vector(0)", "down"),
            levels=NONE_IS_GOOD,
        ),
        figure(
            Text(
                "Set aside",
                "Records that could not be handled and wait for somebody. Good: none. See "
                "`connecte parked list`.",
                "short",
                "records-parked",
            ),
            Query(f"sum(mentoring_parked{{{OURS}}}) or vector(0)", "parked"),
            levels=NONE_IS_GOOD,
        ),
        figure(
            Text(
                "Waiting",
                "Records that no step has taken yet, over all topics. Good: it comes back to a "
                "few. If it only grows: more processes, up to one per partition.",
                "short",
                "lag-rising",
            ),
            Query(f"sum(mentoring_consumer_lag{{{OURS}}})", "lag"),
            levels=Levels((2000, 20000), ("green", "orange", "red")),
        ),
    ]


def _stability() -> list[Panel]:
    p99 = f"sum by (le) (rate({LATENCY}_bucket{{{OURS}}}[{RANGE}]))"
    return [
        figure(
            Text(
                "Outbox age",
                "For how long the broker has not taken a committed event. Good: 0 s. Above a "
                "minute: look at the broker, and at the topics' access rules.",
                "s",
                "outbox-ageing",
            ),
            Query(f"max(mentoring_outbox_oldest_seconds{{{OURS}}})", "oldest"),
            levels=Levels((5, 60), ("green", "orange", "red")),
        ),
        figure(
            Text(
                "Effect within, p99",
                "Of a hundred messages, ninety-nine had their effect within this time. The "
                "objective is 10 s.",
                "s",
                "latency-budget-burn",
            ),
            Query(f"histogram_quantile(0.99, {p99})", "p99"),
            levels=Levels((5, 10), ("green", "orange", "red")),
        ),
        figure(
            Text(
                "Restarts",
                "In the time shown. Good: none but upgrades. A restart loses nothing; its reason "
                "is the last line of the process's log.",
                "short",
                "process-restarting",
            ),
            Query(f"sum(changes(process_start_time_seconds{{{OURS}}}[{RANGE}]))", "restarts"),
            levels=NONE_IS_GOOD,
        ),
        figure(
            Text(
                "Rebalances",
                "In the time shown, over all processes. Each deployment and each change of the "
                "number of processes makes some; a trickle is a process that comes and goes.",
                "short",
                "rebalance-storm",
            ),
            Query(f"ceil(sum(increase(mentoring_rebalances_total{{{OURS}}}[{RANGE}])))", "all"),
        ),
    ]


def _objectives() -> list[Panel]:
    return [
        _burn(
            "Burn rate: processed without error",
            "parked",
            0.001,
            "How fast the allowance of records set aside (0.1% in 30 days) is used up.",
            "records-parked",
        ),
        _burn(
            "Burn rate: effect within 10 seconds",
            "late",
            0.01,
            "How fast the allowance of late effects (1% in 30 days) is used up.",
            "latency-budget-burn",
        ),
        _burn(
            "Burn rate: requests answered",
            "failed",
            0.01,
            "How fast the allowance of HTTP requests that fail (1% in 30 days) is used up.",
            "http-failing",
        ),
        lines(
            Text(
                "Burn rate: letters delivered",
                "How fast the allowance of letters given up (2% in 30 days) is used up. 1 uses it "
                "up in just 30 days; above 3 somebody looks. A letter is given up after ten and a "
                "half hours, so nothing is seen sooner.",
                "short",
                "letters-failing",
            ),
            *(
                Query(f"{total(f'mentoring:undelivered:ratio_rate{window}')} / 0.02", window)
                for window in ("6h", "1d")
            ),
            width=12,
        ),
    ]


def _burn(title: str, objective: str, allowed: float, what: str, runbook: str) -> Panel:
    """From the recording rules of deploy/chart/files/alerts.yaml."""
    hint = " 1 uses it up in just 30 days; above 14.4 somebody is woken."
    rules = {window: f"mentoring:{objective}:ratio_rate{window}" for window in ("5m", "1h")}
    return lines(
        Text(title, what + hint, "short", runbook),
        *(
            Query(or_zero(f"{total(rule)} / {allowed}"), f"{{{{service}}}}, {window}")
            for window, rule in rules.items()
        ),
        width=12,
    )


def _done() -> list[Panel]:
    return [
        over_time(
            "Messages handled",
            "ops",
            "That had an effect, per second.",
            rate(f"{LATENCY}_count"),
            stacked=True,
        ),
        over_time(
            "Messages handled, by type",
            "ops",
            "The five most frequent ones, per second.",
            f"topk(5, {rate(f'{LATENCY}_count', 'type')})",
            "{{type}}",
        ),
        over_time(
            "Events published",
            "ops",
            "Taken by the broker, per second. It follows what is handled; where it does not, look "
            "at the outbox.",
            rate("mentoring_published_records_total"),
            stacked=True,
        ),
    ]


def _latency() -> list[Panel]:
    shares = {
        50: "Good: below a second.",
        95: "Good: a few seconds; more for a while after a pause.",
        99: "The objective is 10 s. If it rises with the lag: more processes.",
    }
    return [
        *(
            over_time(
                f"From message to effect, p{share}",
                "s",
                f"{share} of a hundred messages had their effect within this time from when they "
                f"were sent. {good}",
                quantile(share / 100, LATENCY),
                runbook="latency-budget-burn",
            )
            for share, good in shares.items()
        ),
        over_time(
            "p95 by type, the five slowest",
            "s",
            "One slow type is a decision that costs much; all of them, a backlog.",
            f"topk(5, {quantile(0.95, LATENCY, 'service, type')})",
            "{{service}} {{type}}",
            width=24,
            runbook="latency-budget-burn",
        ),
    ]


def _waiting() -> list[Panel]:
    lag = "mentoring_consumer_lag"
    return [
        over_time(
            "Lag by topic",
            "short",
            "Records that wait on partitions that a process owns. Good: it falls again after every "
            "peak.",
            total(lag, "service, topic"),
            "{{topic}} → {{service}}",
            width=12,
            runbook="lag-rising",
        ),
        over_time(
            "Lag by partition, the five longest",
            "short",
            "One alone: a large cohort, or a record that fails again and again. All: too few "
            "processes.",
            f"topk(5, {total(lag, 'service, topic, partition')})",
            "{{topic}}/{{partition}} → {{service}}",
            width=12,
            runbook="lag-rising",
        ),
        over_time(
            "Outbox",
            "short",
            "Events committed and not yet published. Good: 0 between steps.",
            total("mentoring_outbox_pending"),
            width=12,
            runbook="outbox-ageing",
        ),
        over_time(
            "Age of the outbox",
            "s",
            "For how long the broker has not taken the oldest of them. Good: 0 s.",
            f"max by (service) (mentoring_outbox_oldest_seconds{{{OURS}}})",
            width=12,
            runbook="outbox-ageing",
        ),
    ]
