"""`make bench`: prints a table of ratios and writes build/bench.json."""

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.local.broker import embedded_broker
from deploy.local.kafka import apache_kafka
from deploy.local.mongodb import mongodb
from deploy.operating.topics import create_topics
from tests.bench import (
    codec,
    erasing,
    footprint,
    http,
    java_loop,
    latency,
    leaderless,
    letters,
    matching,
    memory,
    news,
    pages,
    peers,
    planning,
    quix,
    rebuilds,
    recovery,
    scrape,
    services,
    steps,
)
from tests.limits.test_steps import CASES, PARTITIONS, Case

ROUNDS = 3
EVENTS = 20_000
TUTORIAL_EVENTS = 400
LETTERS, LETTER_EVENTS = 2_000, 5_000
OUTPUT = Path("build/bench.json")

Row = dict[str, Any]
console = Console(stderr=True)


def row(
    name: str,
    unit: str,
    ours: float,
    bare: float | None = None,
    peer: float | None = None,
    *,
    digits: int = 1,
) -> Row:
    """One line of the table; ratios are ours over theirs."""
    return {
        "name": name,
        "unit": unit,
        "ours": round(ours, digits),
        "bare": bare and round(bare, digits),
        "peer": peer and round(peer, digits),
        "ratio_bare": bare and float(f"{ours / bare:.3g}"),
        "ratio_peer": peer and float(f"{ours / peer:.3g}"),
    }


async def step_row() -> Row:
    """A service's step against the bare loop and the tutorial idiom; median of the rounds."""
    found: dict[str, list[float]] = {"ours": [], "bare": [], "tutorial": []}
    ways: dict[str, tuple[Callable[[str, str, int], Awaitable[float]], int]] = {
        "ours": (steps.ours, EVENTS),
        "bare": (steps.bare, EVENTS),
        "tutorial": (steps.tutorial, TUTORIAL_EVENTS),
    }
    for number in range(ROUNDS):
        for name, (way, count) in ways.items():
            # A new broker each time: it keeps everything in memory, and every run reads it all.
            with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
                async with (
                    embedded_broker(Path(directory)) as kafka,
                    mongodb(Path(directory)) as db,
                ):
                    connection = {"bootstrap_servers": kafka}
                    await create_topics(connection, partitions=steps.PARTITIONS)
                    rate = await way(kafka, db, count)
            console.print(f"round {number + 1}, {name}: {rate:,.0f} events/s")
            found[name].append(rate)
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    return row(
        "step: bare = same reads and writes without logic, peer = one transaction per event",
        "events/s",
        medians["ours"],
        medians["bare"],
        medians["tutorial"],
    )


async def java_row() -> Row:
    """The bare loop in Python and in Java; nothing of ours."""
    found: dict[str, list[float]] = {"python": [], "java": []}
    for number in range(ROUNDS):
        for name, rates in found.items():
            with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
                here = Path(directory)
                async with embedded_broker(here) as kafka, mongodb(here) as db:
                    connection = {"bootstrap_servers": kafka}
                    await create_topics(connection, partitions=steps.PARTITIONS)
                    if name == "java":
                        rates.append(await java_loop.java(kafka, db, EVENTS, here))
                    else:
                        rates.append(await steps.bare(kafka, db, EVENTS))
            console.print(f"round {number + 1}, bare loop, {name}: {rates[-1]:,.0f} events/s")
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    about = "the bare loop in Python, beside one in Java (the peer) that does the same"
    return row(about, "events/s", medians["python"], peer=medians["java"])


async def quix_row() -> Row:
    """A service's step on Apache Kafka beside Quix Streams' exactly-once."""
    found: dict[str, list[float]] = {"ours": [], "quix": []}
    for number in range(ROUNDS):
        for name, rates in found.items():
            with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
                here = Path(directory)
                async with apache_kafka(here) as kafka, mongodb(here) as db:
                    connection = {"bootstrap_servers": kafka.bootstrap}
                    await create_topics(connection, partitions=steps.PARTITIONS)
                    if name == "quix":
                        rates.append(await quix.quix(kafka.bootstrap, EVENTS, here))
                    else:
                        rates.append(await steps.ours(kafka.bootstrap, db, EVENTS))
            console.print(f"round {number + 1}, on Kafka, {name}: {rates[-1]:,.0f} events/s")
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    about = "step on Apache Kafka: peer = Quix Streams, exactly once, with its own state store"
    return row(about, "events/s", medians["ours"], peer=medians["quix"])


async def service_rows(count: int = EVENTS) -> list[Row]:
    """Each service's step for its most frequent message; median of the rounds."""
    rows = []
    for name, case in CASES.items():
        rows += await case_rows(f"step of {name}, {case.frequent.__name__}", case, count)
    return rows


async def planning_rows() -> list[Row]:
    """All sessions of many pairs planned in one service, and six slots to move one to."""
    about = f"planning all sessions of {planning.PAIRS:,} pairs; aim 0.5"
    taken = planning.milliseconds()
    console.print(f"six slots, of a mentor with three other pairs: {taken:.2f} ms")
    name = "six slots for a pair of a mentor with three others, processor time; aim below 5"
    slots = row(name, "ms", taken, digits=2)
    return [*await case_rows(about, planning.PLANNING, planning.PAIRS), slots]


async def case_rows(name: str, case: Case, count: int) -> list[Row]:
    """A service's step for a message beside the bare loop; median of the rounds."""
    rates, used = await case_rates(name, case, count)
    about = f"{name}: bare = same reads and writes"
    return [
        row(about, "events/s", *rates),
        row(f"{about}, processor time an event (least)", "microseconds", *used),
    ]


async def case_rates(name: str, case: Case, count: int) -> tuple[list[float], list[float]]:
    """Events a second and processor time for one, ours and the bare loop's."""
    found: dict[str, list[services.Rate]] = {"ours": [], "bare": []}
    play = await services.script(case, count)
    for number in range(ROUNDS):
        for way, rates in found.items():
            with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
                async with (
                    embedded_broker(Path(directory)) as kafka,
                    mongodb(Path(directory)) as db,
                ):
                    await create_topics({"bootstrap_servers": kafka}, partitions=PARTITIONS)
                    rates.append(await getattr(services, way)(kafka, db, play))
            told = f"{rates[-1].events:,.0f} events/s, {rates[-1].microseconds:.0f} us each"
            console.print(f"round {number + 1}, {name}, {way}: {told}")
    return (
        [statistics.median(r.events for r in found[way]) for way in ("ours", "bare")],
        [min(r.microseconds for r in found[way]) for way in ("ours", "bare")],
    )


async def letter_rows() -> list[Row]:
    """Letters queued and written, beside the bare step; handed over, beside a bare loop."""
    some = letters.letters(LETTERS)
    name = "step of notify, SessionPlanned"
    (queued, bare), _ = await case_rates(name, CASES["notify"], LETTER_EVENTS)
    taken = [(letters.writing(some), letters.writing_bare(some)) for _ in range(ROUNDS)]
    writing, writing_bare = map(min, zip(*taken, strict=True))
    console.print(f"a letter is written in {writing:.0f} us, of ready texts in {writing_bare:.0f}")
    # One after the other in one process, as in the service's.
    both, both_bare = (
        1 / (1 / (rate * letters.OF_A_DATE) + each / 1e6)
        for rate, each in ((queued, writing), (bare, writing_bare))
    )
    about = "letters queued and written; aim 0.5: bare = "
    queueing = "the reads and writes of queueing them"
    of_ready = "of texts in which the link is missing, by Python's email"
    least = "a letter written, processor time (least): bare = "
    rows = [
        row(f"{about}{queueing}, nothing written", "letters/s", both, bare * letters.OF_A_DATE),
        row(f"{about}{queueing}, and a letter {of_ready}", "letters/s", both, both_bare),
        row(f"{least}{of_ready}", "microseconds", writing, writing_bare),
    ]
    found: dict[str, list[letters.Rates]] = {"ours": [], "sent": [], "bare": []}
    async with letters.server() as port:
        for number in range(ROUNDS):
            for way, rates in found.items():
                rates.append(await getattr(letters, way)(port, some))
                told = f"{rates[-1].letters:,.0f} letters/s, {rates[-1].microseconds:.0f} us each"
                console.print(f"round {number + 1}, letters, {way}: {told}")
    medians = {way: statistics.median(r.letters for r in found[way]) for way in found}
    used = {way: min(r.microseconds for r in found[way]) for way in found}
    for way, name in (("sent", "handed over"), ("ours", "written and handed over")):
        about = f"letters {name}; aim 0.5: bare = aiosmtplib, the same bytes"
        least = f"{about}, processor time a letter (least)"
        rows += [
            row(about, "letters/s", medians[way], medians["bare"]),
            row(least, "microseconds", used[way], used["bare"]),
        ]
    return rows


async def rebuild_row() -> Row:
    """A rebuild against a bare loop over the same topics with the same writes."""
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
            async with embedded_broker(Path(directory)) as kafka, mongodb(Path(directory)) as db:
                await create_topics({"bootstrap_servers": kafka}, partitions=steps.PARTITIONS)
                await steps.ours(kafka, db, EVENTS)
                prefix = f"rebuild{number}_"
                written = await rebuilds.noted(kafka, db, prefix)
                seconds, events = await rebuilds.ours(kafka, db, prefix)
                found["ours"].append(events / seconds)
                found["bare"].append(events / await rebuilds.bare(kafka, db, prefix, written))
        for name, rates in found.items():
            console.print(f"round {number + 1}, rebuild, {name}: {rates[-1]:,.0f} events/s")
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    return row(
        "rebuild: bare = reads the same topics, writes the same documents",
        "events/s",
        medians["ours"],
        medians["bare"],
    )


async def recovery_rows() -> list[Row]:
    """How soon work goes on after a kill -9; the slowest of the rounds."""
    rows = []
    for partitions in (4, 50):
        taken = await recovery.seconds(partitions)
        told = ", ".join(f"{each:.1f} s" for each in taken)
        console.print(f"recovery, {partitions} partitions: {told}")
        allowed = recovery.SESSION_TIMEOUT_MS / 1000 + 2
        what = f"recovery after kill -9 of one of two, {partitions} partitions"
        rows.append(row(f"{what}, slowest of {len(taken)}; allowed {allowed:g}", "s", max(taken)))
    return rows


async def leaderless_row() -> Row:
    """The other partitions' latency while one has no leader, against that while it has one."""
    whole, without = (leaderless.p99(found) * 1000 for found in await leaderless.latencies())
    console.print(f"p99 of a command: {whole:.0f} ms; one of twelve leaderless: {without:.0f} ms")
    return row(
        "p99 of commands, one of 12 partitions leaderless: bare = none", "ms", without, whole
    )


async def latency_rows() -> list[Row]:
    """Until something can be seen, by share of the highest rate, beside the bare path."""
    rows = []
    for what, (ours, bare) in (await latency.latencies()).items():
        for mine, theirs in zip(ours, bare, strict=True):
            about = f"{what}, {mine.share:.0%} of the highest rate ({mine.rate:.1f}/s)"
            rows += [
                row(f"{about}, {name}", "ms", getattr(mine, name), getattr(theirs, name))
                for name in ("p50", "p99", "p999")
            ]
            console.print(f"{about}: p99 {mine.p99:.0f} ms, bare {theirs.p99:.0f} ms")
    return rows


async def footprint_rows() -> list[Row]:
    """What each service takes while nothing happens."""
    rows = []
    for name, found in (await footprint.footprints()).items():
        console.print(f"{name} at rest: {found}")
        rows += [
            row(f"{name}, exec to ready; aim 1.5", "s", found.ready_seconds, digits=2),
            row(f"{name}, processor time until then", "s", found.ready_processor, digits=2),
            row(f"{name}, resident memory at rest; aim 90", "MB", found.megabytes),
            row(f"{name}, idle; aim below 1", "% of a core", found.share * 100, digits=2),
        ]
    return rows


async def token_row() -> Row:
    """What checking a token and its rule adds to a command's processor time; the aim is 1.15."""
    ours, bare = await http.microseconds_of_a_token()
    console.print(f"a command over HTTP: {ours:.0f} µs, without its token checked {bare:.0f} µs")
    name = "a command over HTTP, processor time; aim 1.15: bare = no token and no rule checked"
    return row(name, "microseconds", ours, bare)


async def http_row() -> Row:
    """What measuring and headers add to a command's processor time; the aim is 1.03."""
    ours, bare = await http.microseconds()
    console.print(
        f"a command over HTTP: {ours:.0f} µs, without measuring and headers {bare:.0f} µs"
    )
    name = "a command over HTTP, processor time; aim 1.03: bare = neither measured nor with headers"
    return row(name, "microseconds", ours, bare)


async def scrape_rows() -> list[Row]:
    """What a scrape looks at among a million documents."""
    rows = []
    for service, kind in scrape.KINDS.items():
        found = await scrape.looked(service)
        console.print(f"a scrape of {service}: {found}")
        name = f"a scrape of {service} with {scrape.COUNT:,} {kind.collection}"
        rows += [
            row(f"{name}; aim below 100", "ms", found.milliseconds),
            row(f"{name}, of its database", "documents", found.documents),
            row(f"{name}, of its database", "index keys", found.keys),
            row(f"{name}, what it shows", "groups", found.groups),
        ]
    return rows


async def page_rows() -> list[Row]:
    """Coordinators' pages of a large cohort, at 50 a second on one core."""
    found = await pages.taken()
    console.print(f"pages of {pages.PEOPLE:,} people: {found}")
    about = f"of {pages.PEOPLE:,} people, {pages.RATE} pages a second"
    rows = [
        row(f"{name} {about}, p95; aim below 200", "ms", p95) for name, p95 in found.p95.items()
    ]
    used = row(f"a page {about}, processor time; aim below 100", "ms", found.processor)
    return [*rows, used]


async def news_rows() -> list[Row]:
    """From a command to the open page that shows what came of it."""
    found = await news.soon()
    console.print(f"{news.CHANGES} changes while a page is open: {found}")
    places = {"shown on an open page": found.shown, "shown, from its answer": found.after}
    return [
        row(f"a change {name}, {what}; aim below 1,000", "ms", taken)
        for name, both in places.items()
        for what, taken in zip(("p50", "p99"), both, strict=True)
    ]


async def erasing_row() -> Row:
    """Until one person among very many is forgotten; the slowest of some."""
    taken = await erasing.seconds()
    console.print(
        f"erased among {erasing.PEOPLE:,}: {', '.join(f'{each:.2f} s' for each in taken)}"
    )
    name = f"one person of {erasing.PEOPLE:,} erased, slowest of {len(taken)}; aim below 2"
    return row(name, "s", max(taken), digits=2)


def matching_rows() -> list[Row]:
    """From two files to pairs, against the bare solver on the same graph."""
    rows = []
    for count in (5_000, 10_000, 20_000):
        with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
            ours, bare, megabytes = matching.seconds(Path(directory), count)
        console.print(f"match, {count:,}: {ours:.1f} s, bare solver {bare:.1f} s")
        name = f"match {count:,} managers, files to pairs: bare = SciPy's solver alone"
        rows.append(row(name, "s", ours, bare))
        rows.append(row(f"memory of match, {count:,} managers (peak)", "MB", megabytes))
    return rows


def codec_row() -> Row:
    """An event to a record and back, against the JSON of its model alone."""
    ours, bare = codec.rates()
    console.print(
        f"codec: {ours:,.0f} events/s, bare {bare:,.0f}, {bare / ours:.2f} times its time"
    )
    name = "codec, event to record and back: bare = pydantic's JSON of the same model"
    return row(name, "microseconds", 1e6 / ours, 1e6 / bare)


def peer_rows() -> list[Row]:
    """The search against mentor-match, on its people and under its scores."""
    rows = []
    for count, scarce in ((100, False), (200, False), (400, False), (800, False), (400, True)):
        with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
            found = peers.compare(Path(directory), count, scarce=scarce)
        ours, peer = found.ours, found.peer
        name = f"mentor-match, {count} x {count}{', few possible mentors' if scarce else ''}"
        console.print(
            f"{name}: shuffled rows give the same pairs: "
            f"ours {found.ours_stable}, mentor-match {found.peer_stable}"
        )
        rows += [
            row(name, "pairs", len(ours.pairs), peer=len(peer.pairs)),
            row(name, "its points", ours.total, peer=peer.total),
            row(name, "ms", ours.seconds * 1000, peer=peer.seconds * 1000),
            row(name, "MB (peak)", ours.memory, peer=peer.memory),
        ]
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parts = ("codec", "step", "matching", "recovery", "footprint", "latency", "http", "scrape")
    for name in (*parts, "planning", "pages", "news", "letters", "erasing", "peers"):
        parser.add_argument(f"--only-{name}", action="store_true")
    parser.add_argument("--no-kafka", action="store_true", help="leave out what needs Java")
    parser.add_argument("--no-memory", action="store_true", help="leave out 10,000 pairs")
    return parser.parse_args()


async def main() -> list[Row]:
    asked = arguments()
    if asked.only_recovery:
        return [*await recovery_rows(), await leaderless_row()]
    if asked.only_matching:
        return [*peer_rows(), *matching_rows()]
    if asked.only_codec:
        return [codec_row()]
    if asked.only_step:
        return [await step_row(), *await service_rows()]
    if asked.only_peers:
        return [await java_row(), await quix_row()]
    if asked.only_latency:
        return await latency_rows()
    if asked.only_footprint:
        return await footprint_rows()
    if asked.only_http:
        return [await http_row(), await token_row()]
    if asked.only_planning:
        return await planning_rows()
    if asked.only_erasing:
        return [await erasing_row()]
    if asked.only_letters:
        return await letter_rows()
    if asked.only_scrape:
        return await scrape_rows()
    if asked.only_pages:
        return await page_rows()
    if asked.only_news:
        return await news_rows()
    rows = [codec_row(), await step_row(), *await service_rows(), await rebuild_row()]
    rows += [*peer_rows(), *matching_rows()]
    rows += [*await latency_rows(), *await footprint_rows(), await http_row(), await token_row()]
    rows += [*await scrape_rows(), *await planning_rows(), *await page_rows()]
    rows += await news_rows()
    rows += [*await letter_rows(), await erasing_row()]
    if not asked.no_kafka:
        rows += [*await recovery_rows(), await leaderless_row()]
        rows += [await java_row(), await quix_row()]
    if not asked.no_memory:
        rows.extend(
            row(f"resident memory of {name} at 10,000 pairs (peak)", "MB", megabytes)
            for name, megabytes in (await memory.resident()).items()
        )
    return rows


if __name__ == "__main__":
    measured = asyncio.run(main())
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(measured, indent=2) + "\n")
    table = Table("name", "unit", "ours", "bare", "peer", "ratio bare", "ratio peer")
    for line in measured:
        table.add_row(*("" if value is None else str(value) for value in line.values()))
    Console().print(table)
