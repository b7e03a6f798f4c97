"""What an assistant does on somebody's behalf: dates alone, and the event says so."""

import pytest

from schemas.base import Command, session_of
from schemas.rights import COMMANDS
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    DeclineMove,
    RescheduleSession,
)
from services.chassis.http.links import Link
from services.scheduling.pages import LINK_PAGES
from tests.scenario import Scenario, kinds
from tests.scheduling.given import ANY_DAY, COHORT, PAIR, accept, paris, reschedule, standing

PAGE = LINK_PAGES["session"]
ELSEWHERE = paris(3, 16, 19)
THEIRS = Link(
    purpose="session",
    cohort_id=COHORT,
    person_id="g-1",
    side="manager",
    id=session_of(PAIR, 1),
    attempt=1,
    role="assistant",
)
OWN = THEIRS.model_copy(update={"role": None})


def offered(scenario: Scenario, link: Link) -> set[str]:
    form = PAGE.form(scenario.state, link, scenario.now)
    return {o.value.partition(":")[0] for choice in form.choices for o in choice.options}


def asked(link: Link, answer: str, **more: str) -> Command:
    return PAGE.command(link, {"answer": answer, **more}, "")


def test_an_assistant_is_offered_what_has_to_do_with_the_date_and_nothing_else() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    assert offered(scenario, OWN) - offered(scenario, THEIRS) == {"away", "place"}
    assert offered(scenario, THEIRS) == {"confirm", "to", "propose", "cancel"}


@pytest.mark.parametrize(
    "answer",
    [
        {"answer": "confirm"},
        {"answer": "cancel"},
        {"answer": "reschedule"},
        {"answer": "propose", "day": "2017-03-16", "time": "19:00"},
        {"answer": f"accept:{ELSEWHERE.isoformat()}"},
        {"answer": f"decline:{ELSEWHERE.isoformat()}"},
    ],
    ids=lambda answer: answer["answer"],
)
def test_whatever_an_assistant_asks_says_that_it_is_on_behalf_and_is_in_their_right(
    answer: dict[str, str],
) -> None:
    theirs, own = PAGE.command(THEIRS, answer, ""), PAGE.command(OWN, answer, "")
    assert theirs.on_behalf  # type: ignore[attr-defined]
    assert not own.on_behalf  # type: ignore[attr-defined]
    assert theirs.by == "manager"  # type: ignore[attr-defined]
    assert "assistant" in COMMANDS[type(theirs).__name__]


@pytest.mark.parametrize(
    "answer", [{"answer": "away", "away_from": "2017-04-03"}, {"answer": "place", "place": "Bercy"}]
)
def test_what_is_not_about_a_date_is_in_no_assistants_right(answer: dict[str, str]) -> None:
    assert "assistant" not in COMMANDS[type(PAGE.command(THEIRS, answer, "")).__name__]


def test_the_event_says_who_did_it_on_whose_behalf() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    (confirmed,) = scenario.when(asked(THEIRS, "confirm"))  # type: ignore[misc]
    (moved,) = scenario.when(asked(THEIRS, "reschedule"))  # type: ignore[misc]
    cancelled, *_ = scenario.when(asked(THEIRS, "cancel"))  # type: ignore[misc]
    for event in (confirmed, moved, cancelled):
        assert (event.by, event.on_behalf) == ("manager", True)  # type: ignore[attr-defined]


def test_a_proposal_is_made_and_answered_on_behalf() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    (proposed,) = scenario.when(
        reschedule(1, ELSEWHERE, by="manager").model_copy(update={"on_behalf": True})
    )  # type: ignore[misc]
    accepted, moved = scenario.when(accept(1, ELSEWHERE, by="mentor"))  # type: ignore[misc]
    assert proposed.on_behalf  # type: ignore[attr-defined]
    assert (accepted.by, accepted.on_behalf) == ("mentor", False)  # type: ignore[attr-defined]
    assert kinds([moved]) == ["SessionRescheduled"]


def test_a_proposal_is_refused_on_behalf() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    scenario.when(reschedule(1, ELSEWHERE, by="mentor"))
    (declined,) = scenario.when(asked(THEIRS, f"decline:{ELSEWHERE.isoformat()}"))  # type: ignore[misc]
    assert (declined.by, declined.on_behalf) == ("manager", True)  # type: ignore[attr-defined]


def test_the_commands_about_a_date_are_all_that_an_assistant_may_ask_for() -> None:
    theirs = {name for name, rights in COMMANDS.items() if "assistant" in rights}
    dates = (ConfirmSession, RescheduleSession, AcceptMove, DeclineMove, CancelSession)
    assert theirs == {kind.__name__ for kind in dates}
