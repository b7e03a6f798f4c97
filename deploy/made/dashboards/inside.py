"""Where to look when services do not keep up: steps, what stands still, faults, HTTP, parts."""

from deploy.made.dashboards.panels import Panel, Query, Text, lines
from deploy.made.dashboards.series import (
    OURS,
    PER,
    PROCESS,
    or_zero,
    over_time,
    quantile,
    rate,
    total,
)

BY_PROCESS = "service, instance"


def steps() -> list[Panel]:
    """How batches are worked off."""
    size = "mentoring_step_records"
    return [
        lines(
            Text(
                "Duration of a step",
                "p50 and p95: one batch from load to commit. Good: well below a second. If it "
                "grows while steps stay small, look at the database.",
                "s",
            ),
            Query(quantile(0.5, "mentoring_step_seconds"), "{{service}} p50"),
            Query(quantile(0.95, "mentoring_step_seconds"), "{{service}} p95"),
        ),
        over_time(
            "Messages in a step",
            "short",
            "The mean. It grows with the load: larger steps are cheaper. At `CONNECTE_BATCH` a "
            "process has no reserve left.",
            f"{rate(f'{size}_sum')} / ({rate(f'{size}_count')} > 0)",
        ),
        over_time(
            "Late loads",
            "ops",
            "Documents read one by one in a step, per second. Good: next to none; many slow every "
            "step down.",
            rate("mentoring_late_loads_total"),
        ),
    ]


def standing() -> list[Panel]:
    """What keeps a service, some of its partitions or single deadlines from going on."""
    return [
        over_time(
            "Trouble",
            "short",
            "Processes that suffer from it. `away` and `late` pass by themselves; `denied`, "
            "`environment` and `parked-limit` wait for somebody. Good: none.",
            or_zero(total("mentoring_trouble", "service, reason")),
            "{{service}} {{reason}}",
            runbook="trouble",
        ),
        over_time(
            "Partitions stopped",
            "short",
            "Owned, and no steps are made of them; the others go on. Good: 0.",
            or_zero(total("mentoring_partitions_stopped")),
            runbook="trouble",
        ),
        over_time(
            "Deadlines aside",
            "short",
            "Passed, and could not be decided on; tried again after half an hour at most. Good: 0; "
            "`connecte parked list` shows them.",
            or_zero(total("mentoring_deadlines_aside")),
            runbook="trouble",
        ),
        over_time(
            "Not read on",
            "short",
            "Topics and partitions of which the broker does not give what comes next; all others "
            "are read. Good: 0.",
            or_zero(total("mentoring_reading_stopped", "service, topic, partition, error")),
            "{{service}} {{topic}}/{{partition}} {{error}}",
            width=12,
            runbook="reading-stopped",
        ),
        over_time(
            "Failed reads",
            "ops",
            "Attempts to read from the broker that failed, per second, by the error. One on the "
            "same place every five seconds.",
            or_zero(rate("mentoring_fetch_errors_total", "service, error")),
            "{{service}} {{error}}",
            width=12,
            runbook="reading-stopped",
        ),
    ]


def faults() -> list[Panel]:
    """What was retried, set aside, passed over or not answered."""
    kinds = 'type=~"LetterDeferred|LetterFailed"'
    letters = f"sum by (service, type) (rate(mentoring_events_total{{{OURS},{kinds}}}[{PER}]))"
    sign_in = f'mentoring_sign_in_letters_total{{{OURS},outcome!="taken"}}'
    not_taken = f"sum by (service, outcome) (rate({sign_in}[{PER}]))"
    return [
        over_time(
            "Retries",
            "ops",
            "Attempts put off or made again, per second, by the error. Some at a failover; nothing "
            "is lost or set aside by them.",
            or_zero(rate("mentoring_retries_total", "service, error")),
            "{{service}} {{error}}",
            runbook="steps-failing",
        ),
        over_time(
            "Set aside",
            "short",
            "Records that wait for somebody. Good: 0. `connecte parked show` says why; retry once "
            "the cause is mended.",
            or_zero(total("mentoring_parked", "service, reason")),
            "{{service}} {{reason}}",
            runbook="records-parked",
        ),
        over_time(
            "Newly set aside",
            "ops",
            "Per second, by reason. A sudden rise is a bad deployment: roll back, then retry.",
            or_zero(rate("mentoring_records_parked_total", "service, reason")),
            "{{service}} {{reason}}",
            runbook="records-parked",
        ),
        over_time(
            "Duplicates skipped",
            "ops",
            "Records handled before, per second. Expected after a restart or a rebalance.",
            or_zero(rate("mentoring_duplicates_skipped_total", "service, reason")),
            "{{service}} {{reason}}",
        ),
        over_time(
            "Letters put off or given up",
            "ops",
            "Per second. Some when the mail server pauses; steadily, ask it why, or look at its "
            "account and certificate.",
            or_zero(letters),
            "{{service}} {{type}}",
            runbook="letters-failing",
        ),
        over_time(
            "Sign-in letters that did not leave",
            "ops",
            "Per second. Good: 0. They are not tried again: whoever waits for one asks again.",
            or_zero(not_taken),
            "{{service}} {{outcome}}",
            runbook="sign-in-letters-failing",
        ),
        over_time(
            "Scrapes without fresh figures",
            "ops",
            "Per second: database or broker did not answer a scrape in time, and the figures "
            "stayed as they were.",
            or_zero(rate("mentoring_scrape_failures_total", "service, part")),
            "{{service}} {{part}}",
            runbook="steps-failing",
        ),
    ]


def http() -> list[Panel]:
    """What people and programs ask, and what they are answered; probes and scrapes left out."""
    asked = f'{OURS},route!~"/health/.*|/metrics"'
    requests = "mentoring_http_requests_total"

    def answered(by: str, more: str = "") -> str:
        return f"sum by ({by}) (rate({requests}{{{asked}{more}}}[{PER}]))"

    seconds = f"rate(mentoring_http_request_seconds_bucket{{{asked}}}[{PER}])"
    return [
        over_time(
            "Requests by route",
            "reqps",
            "Answered, per second: the ten most frequent. `none`: addresses that there are not.",
            f"topk(10, {answered('service, route')})",
            "{{service}} {{route}}",
        ),
        over_time(
            "Refused",
            "reqps",
            "Answers 4xx, per second. 401: somebody without the token; 409 and 410 on links: used "
            "and expired ones; 422: a program that sends what is not valid.",
            or_zero(answered("service, status", ',status=~"4.."')),
            "{{service}} {{status}}",
        ),
        over_time(
            "Failed",
            "reqps",
            "Answers 5xx, per second. Good: none. 503 says why it is not now, and when to come "
            "back; 500 is a fault of the service: its log has it.",
            or_zero(answered("service, route, status", ',status=~"5.."')),
            "{{service}} {{route}} {{status}}",
            runbook="http-failing",
        ),
        over_time(
            "Duration, p95 by route",
            "s",
            "From a request's head to the end of its answer. With `?wait=`, and on links, it holds "
            "the wait for the outcome. Good: below a second.",
            f"topk(5, histogram_quantile(0.95, sum by (service, route, le) ({seconds})))",
            "{{service}} {{route}}",
        ),
        over_time(
            "Being answered",
            "short",
            "Requests in flight, by process, the scrape's own among them. Good: few; at "
            "`CONNECTE_COMMANDS_IN_FLIGHT` the service refuses more.",
            total("mentoring_http_in_flight", BY_PROCESS),
            PROCESS,
        ),
        over_time(
            "Connections",
            "short",
            "Open now, the scrape's own among them.",
            total("mentoring_http_connections", BY_PROCESS),
            PROCESS,
        ),
    ]


def processes() -> list[Panel]:
    """Who owns what, who came and went, what it takes."""
    since = total("process_start_time_seconds", BY_PROCESS)
    return [
        over_time(
            "Partitions by process",
            "short",
            "Good: about equal within a service, and together all of them "
            "(`CONNECTE_PARTITIONS`). A process with none has nothing to do.",
            total("mentoring_partitions_assigned", BY_PROCESS),
            PROCESS,
            stacked=True,
            runbook="partitions-unassigned",
        ),
        over_time(
            "Rebalances",
            "opm",
            "Assignments received, per minute. Good: none but while processes come or go.",
            f"60 * {rate('mentoring_rebalances_total')}",
            runbook="rebalance-storm",
        ),
        over_time(
            "Uptime",
            "s",
            "Since the process started. A saw is a process that keeps dying: the last line of its "
            "log says why.",
            f"timestamp({since}) - {since}",
            PROCESS,
            runbook="process-restarting",
        ),
        over_time(
            "Memory",
            "bytes",
            "Resident, by process. Good: level, and below the container's limit.",
            total("process_resident_memory_bytes", BY_PROCESS),
            PROCESS,
        ),
        over_time(
            "Processor",
            "short",
            "Cores used, by process. A process uses little more than one; at 1, add a process.",
            rate("process_cpu_seconds_total", BY_PROCESS),
            PROCESS,
        ),
    ]


def mongodb() -> list[Panel]:
    """The database, as its client sees it."""
    seconds = "mentoring_database_seconds"
    return [
        over_time(
            "Commands",
            "ops",
            "Answered, per second, by command.",
            rate(f"{seconds}_count", "command"),
            "{{command}}",
            width=6,
        ),
        over_time(
            "Duration, p95",
            "s",
            "By command. `commitTransaction` waits for a majority of the members: if it alone is "
            "slow, look at replication and disks.",
            quantile(0.95, seconds, "command"),
            "{{command}}",
            width=6,
        ),
        over_time(
            "Failures",
            "ops",
            "Commands refused or not answered, per second. Some at a failover and where two "
            "writers meet; steadily, look at the database's log.",
            or_zero(rate("mentoring_database_failures_total", "service, command")),
            "{{service}} {{command}}",
            width=6,
            runbook="steps-failing",
        ),
        over_time(
            "Connections",
            "short",
            "Open, by process. The sum has to stay below what the database allows.",
            total("mentoring_database_connections", BY_PROCESS),
            PROCESS,
            width=6,
        ),
    ]


def kafka() -> list[Panel]:
    """The broker, as its clients see it."""
    batch = "faststream_received_processed_messages_duration_seconds"
    return [
        over_time(
            "Records received",
            "ops",
            "Per second. A batch counts for the topic of its first record.",
            rate("faststream_received_messages_total", "service, handler"),
            "{{handler}} → {{service}}",
        ),
        over_time(
            "Duration of a batch, p95",
            "s",
            "From FastStream's handing it over to its end, offsets committed.",
            quantile(0.95, batch),
        ),
        over_time(
            "Publishing, p95",
            "s",
            "The events of a step, acknowledged by all in-sync replicas. If it grows, look at the "
            "brokers' disks and network.",
            quantile(0.95, "mentoring_publish_seconds"),
        ),
    ]
