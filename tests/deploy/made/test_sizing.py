"""The sizing table follows from what was measured, and from nothing else."""

from dataclasses import replace

from deploy.made.sizing import AGENTS, MEASURED, PAGE, need, page


def test_the_table_is_that_of_today() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python -m deploy.made.sizing"


def test_what_was_measured_stands_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, seconds in MEASURED.services.items():
        assert f"| {name} | {seconds:.2f} |" in text, name
    told = f"({MEASURED.events:g} a pair)", f"{MEASURED.log:g} kB a pair"
    assert all(part in text for part in told)


def test_everything_grows_with_the_pairs_and_nobody_has_less_than_two_processes() -> None:
    small, large = need(140_000), need(1_400_000)
    assert large.events == 10 * small.events
    assert large.disk == 10 * small.disk
    assert all(round(large.cores[n] / small.cores[n], 6) == 10 for n in small.cores)
    assert min(min(need(agents).processes.values()) for agents in AGENTS) == 2


def test_twice_the_processor_time_asks_for_twice_the_cores() -> None:
    dearer = replace(MEASURED, services={n: 2 * s for n, s in MEASURED.services.items()})
    assert need(140_000, dearer).cores["notify"] == 2 * need(140_000).cores["notify"]
