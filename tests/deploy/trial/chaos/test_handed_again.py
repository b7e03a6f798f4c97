"""Why letters were handed over again: a fault explains only what it was going on in between."""

import pytest

from deploy.trial.chaos.faults import KINDS
from deploy.trial.chaos.handed_again import CAUSES, causes

BEGUN = 1_000.0


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (("kill-service", "notify-0", 10.0, 3.0), "kill"),
        (("kill-service", "matching-0", 10.0, 3.0), "otherwise"),
        (("freeze-service", "notify-1", 10.0, 3.0), "freeze"),
        (("mail-hang", "", 2.0, 7.8), "mail"),
        (("step-down", "mongod 1", 12.0, 1.0), "database"),
        (("cut-kafka", "all", 12.0, 1.0), "broker"),
        (("kill-service", "notify-0", 2.0, 3.0), "otherwise"),  # over before the first
        (("kill-service", "notify-0", 25.0, 3.0), "otherwise"),  # after the second
    ],
)
def test_a_fault_explains_what_was_handed_over_before_and_after_it(
    fault: tuple[str, str, float, float], cause: str
) -> None:
    kind, victim, at, seconds = fault
    row = {"kind": kind, "victim": victim, "at": at, "seconds": seconds}
    found = causes([(BEGUN + 10.0, BEGUN + 20.0)], [row], BEGUN)
    assert {name: n for name, n in found.items() if n} == {cause: 1}


def test_of_several_faults_the_most_drastic_counts() -> None:
    rows = [
        {"kind": kind, "victim": "notify-0", "at": 11.0, "seconds": 1.0}
        for kind in ("cut-kafka", "term-service", "kill-service", "mail-busy")
    ]
    found = causes([(BEGUN + 10.0, BEGUN + 20.0)], rows, BEGUN)
    assert {name: n for name, n in found.items() if n} == {"kill": 1}


def test_every_kind_that_explains_anything_is_a_kind_of_fault() -> None:
    assert {kind for kinds in CAUSES.values() for kind in kinds} <= set(KINDS)
