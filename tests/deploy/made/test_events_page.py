"""docs/events.md is what the code says: who sends what, and who reads it."""

from deploy.made.events_page import DOMAINS, PAGE, page, readers
from schemas.matching import PairFormed
from schemas.scheduling import SessionCompleted
from schemas.topics import TOPICS


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make catalogue"


def test_readers_are_those_who_do_something_with_it() -> None:
    assert readers(TOPICS["mentoring.matching.events"], PairFormed) == [
        "scheduling",
        "feedback",
        "notify",
        "portal",
    ]
    told = readers(TOPICS["mentoring.scheduling.events"], SessionCompleted)
    assert "feedback" in told and "matching" not in told


def test_whatever_a_service_handles_of_others_is_on_the_page() -> None:
    text = page()
    for domain in DOMAINS:
        for name in domain.reads:
            for kind in TOPICS[name].types:
                if kind in domain.handles:
                    [line] = [
                        row
                        for row in text.partition(f"## {name}\n")[2].splitlines()
                        if row.startswith(f"| `{kind.__name__}` ")
                    ][:1]
                    assert domain.name in line
