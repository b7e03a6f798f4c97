"""The wall in letters: a coordinator is told of nobody above whom they stand, and of all others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.attention import AttentionGathered, DigestQueued
from schemas.base import Event, pair_of
from schemas.feedback import PairAtRisk
from schemas.gate.samples import message_of
from schemas.lines import LineManagerNamed, outsider
from schemas.notify import LetterFailed, LetterQueued, News, ReportBounce
from schemas.people import PersonContact
from schemas.scheduling import PlanningPostponed
from schemas.taking_part import ManagerChanged
from services.chassis.domain import Due, State
from services.chassis.store.contract import Place
from services.chassis.store.mongo import MongoStore
from services.notify.app import build
from services.notify.handlers import with_secret
from services.notify.views import Digest, Letter
from tests.notify.facts import COHORT, ENROLLED, OPENED, VOLUNTEERED, WAITLISTED
from tests.notify.test_attention import CHIEF, SECOND, digests, letters_leave
from tests.scenario import NOW, Scenario
from tests.test_access import ENVIRONMENT

SECRET = "the same in every service"
ABOVE = outsider(CHIEF.email, SECRET)
MENTORS, MANAGERS = ("m-0", "m-1", "m-2"), ("g-0", "g-1", "g-2")
PEOPLE = (*MENTORS, *MANAGERS)
PAIRS = tuple(zip(MENTORS, MANAGERS, strict=True))


def contact(person_id: str, email: str | None = None) -> PersonContact:
    email = email or f"{person_id}@example.org"
    return PersonContact(cohort_id=COHORT, person_id=person_id, name=person_id, email=email)


def reports(person_id: str, chief: str | None) -> LineManagerNamed:
    return LineManagerNamed(cohort_id=COHORT, person_id=person_id, line_manager=chief)


def says(person_id: str, chief: str | None) -> Event:
    whoever = {"line_manager": chief}
    if person_id in MENTORS:
        return VOLUNTEERED.model_copy(update={"mentor_id": person_id, **whoever})
    return ENROLLED.model_copy(update={"manager_id": person_id, **whoever})


def programme(*coordinators: PersonContact) -> Scenario:
    people = [contact(person_id) for person_id in PEOPLE]
    return Scenario(with_secret(SECRET)).given(OPENED, *people, *coordinators)


def at_risk(mentor: str, manager: str) -> PairAtRisk:
    return PairAtRisk(**_two(mentor, manager), cause="low_scores")


def no_hour(mentor: str, manager: str) -> PlanningPostponed:
    again = NOW + timedelta(days=7)
    return PlanningPostponed(**_two(mentor, manager), numbers=(2,), retry_at=again, first=False)


def waits(manager: str) -> Event:
    return WAITLISTED.model_copy(update={"manager_id": manager})


def _two(mentor: str, manager: str) -> dict[str, Any]:
    both = {"mentor_id": mentor, "manager_id": manager}
    return {"cohort_id": COHORT, "pair_id": pair_of(mentor, manager), **both}


def bounces(scenario: Scenario, mentor: str, manager: str, *also: News) -> str:
    """A letter to the mentor about the pair does not arrive."""
    told = {"letter_id": f"PairFormed:{mentor}~{manager}:{mentor}", "person_id": mentor}
    letter: dict[str, Any] = {"cohort_id": COHORT, **told, "template": "PairFormed"}
    facts = _two(mentor, manager)
    queued = LetterQueued(**letter, side="mentor", facts=facts, also=also, send_at=NOW)
    scenario.given(queued)
    sent = scenario.state.get(Letter, COHORT, told["letter_id"])
    assert sent is not None
    scenario.state.apply([sent.model_copy(update={"state": "sent"})])
    bounce = ReportBounce(cohort_id=COHORT, letter_id=told["letter_id"], status="5.1.1")
    assert any(isinstance(event, LetterFailed) for event in scenario.when(bounce))  # type: ignore[union-attr]
    return told["letter_id"]


def told(digest: DigestQueued) -> set[tuple[str, str]]:
    """What a digest names, and that it counts no more than that."""
    found = AttentionGathered.model_validate(digest.facts).told
    assert all(kind.count == len(kind.oldest) for kind in found)
    return {(kind.kind, matter.about) for kind in found for matter in kind.oldest}


def morning(scenario: Scenario) -> dict[str, set[tuple[str, str]]]:
    """What each coordinator is told the next morning."""
    return {one.person_id: told(one) for one in digests(letters_leave(scenario.later(days=1)))}


def test_whoever_stands_above_one_of_a_pair_is_told_nothing_and_the_other_coordinator_is() -> None:
    scenario = programme(CHIEF, SECOND).given(reports("g-0", ABOVE))
    scenario.when(at_risk("m-0", "g-0"))
    scenario.when(waits("g-0"))
    assert morning(scenario) == {"relay": {("at-risk", "m-0~g-0"), ("waiting", "g-0")}}


def test_of_what_is_hidden_in_part_the_rest_is_told_and_counted() -> None:
    scenario = programme(CHIEF).given(reports("g-0", ABOVE))
    for mentor, manager in PAIRS:
        scenario.when(at_risk(mentor, manager))
    assert morning(scenario) == {CHIEF.person_id: {("at-risk", pair_of(*two)) for two in PAIRS[1:]}}


def test_a_line_counts_at_any_height_by_a_directory_or_by_their_own_word() -> None:
    for chain in (
        [reports("g-0", "x-of-a-third"), reports("x-of-a-third", ABOVE)],
        [says("g-0", "m-2"), reports("m-2", ABOVE)],
        [says("g-0", None), ManagerChanged(**_changed("g-0"), line_manager=ABOVE)],
    ):
        scenario = programme(CHIEF).given(*chain)
        scenario.when(at_risk("m-0", "g-0"))
        assert morning(scenario) == {}, chain


def _changed(manager: str) -> dict[str, Any]:
    known = message_of(ManagerChanged).model_copy(update={"manager_id": manager})
    return {**known.model_dump(exclude={"line_manager"}), "cohort_id": COHORT}


def test_a_coordinator_who_takes_part_is_known_by_the_id_that_has_their_address() -> None:
    scenario = programme(CHIEF, contact("m-2", CHIEF.email.upper()))
    scenario.given(reports("g-0", "m-2"))
    scenario.when(at_risk("m-0", "g-0"))
    scenario.when(at_risk("m-2", "g-2"))
    assert morning(scenario) == {CHIEF.person_id: {("at-risk", "m-2~g-2")}}


def test_a_directory_that_says_somebody_has_another_chief_lets_them_be_told_of() -> None:
    scenario = programme(CHIEF).given(reports("g-0", ABOVE), reports("g-0", None))
    scenario.when(at_risk("m-0", "g-0"))
    assert morning(scenario) == {CHIEF.person_id: {("at-risk", "m-0~g-0")}}


def test_a_letter_to_one_of_a_pair_is_told_of_to_nobody_who_stands_above_the_other() -> None:
    scenario = programme(CHIEF, SECOND).given(reports("g-0", ABOVE), reports("g-1", ABOVE))
    about_both = bounces(scenario, "m-0", "g-0")
    news = News(news_id="n", template="PairProposed", side="mentor", facts=_two("m-2", "g-1"))
    beside = bounces(scenario, "m-2", "g-2", news)
    assert morning(scenario) == {"relay": {("bounced", about_both), ("bounced", beside)}}


def test_a_morning_on_which_all_that_is_new_is_hidden_brings_no_letter_that_would_say_so() -> None:
    scenario = programme(CHIEF, SECOND).given(reports("g-0", ABOVE))
    scenario.when(at_risk("m-1", "g-1"))
    assert morning(scenario).keys() == {CHIEF.person_id, "relay"}
    scenario.when(at_risk("m-0", "g-0"))
    assert morning(scenario).keys() == {"relay"}
    assert morning(scenario.later(days=6)).keys() == {CHIEF.person_id, "relay"}, "told again"


@pytest.mark.parametrize(("key", "hidden"), [(SECRET, True), ("another one, and as long", False)])
def test_the_service_knows_chiefs_by_the_secret_of_its_settings(
    monkeypatch: pytest.MonkeyPatch, key: str, hidden: bool
) -> None:
    for name, value in (ENVIRONMENT | {"CONNECTE_PSEUDONYM_KEY": key}).items():
        monkeypatch.setenv(name, value)
    scenario = Scenario(build().parts.domain).given(OPENED, CHIEF, reports("g-0", ABOVE))
    scenario.when(at_risk("m-0", "g-0"))
    assert (morning(scenario) == {}) == hidden


async def test_from_a_real_database_a_digest_is_the_same(mongodb_uri: str, database: str) -> None:
    scenario = programme(CHIEF, SECOND).given(reports("g-0", ABOVE), reports("g-1", ABOVE))
    for mentor, manager in PAIRS:
        scenario.when(at_risk(mentor, manager))
    news = News(news_id="n", template="PairProposed", side="mentor", facts=_two("m-2", "g-1"))
    bounces(scenario, "m-2", "g-2", news)
    store = MongoStore(mongodb_uri, database, scenario.domain.documents)
    await store.open()
    kept = [one for one in scenario.state.documents.values() if one is not None]
    await store.fill(Place(0), kept)
    due = Due(cohort_id=COHORT, collection=Digest.collection, id=COHORT)
    state = State()
    await state.load(store, scenario.domain.needs(due))
    await store.close()

    decided = scenario.domain.decide(state, due, NOW + timedelta(days=1))

    assert decided == scenario.later(days=1).when(due)
    assert [told(one) for one in digests(list(decided))] == [  # type: ignore[arg-type]
        {("at-risk", "m-2~g-2")},
        {*(("at-risk", pair_of(*two)) for two in PAIRS), ("bounced", "PairFormed:m-2~g-2:m-2")},
    ]


# --- whatever the hierarchy ----------------------------------------------------------------------


@dataclass(frozen=True)
class Hierarchy:
    """Who reports to whom, by a directory and by their own words; who coordinates, and as whom."""

    named: dict[str, str]
    said: dict[str, str]
    same: dict[str, str]  # a coordinator, and the participant who has their address

    def hidden(self, coordinator: PersonContact) -> set[str]:
        """By the plainest way: up from each person, step by step."""
        mine = {outsider(coordinator.email, SECRET), coordinator.person_id}
        mine |= {self.same[who] for who in self.same if who == coordinator.person_id}
        return {who for who in PEOPLE if who not in mine and mine & self.above(who)}

    def above(self, who: str) -> set[str]:
        found: set[str] = set()
        ahead = [who]
        while ahead:
            one = ahead.pop()
            chiefs = {told[one] for told in (self.named, self.said) if one in told} - found
            found |= chiefs
            ahead += chiefs
        return found


@st.composite
def hierarchies(draw: Callable[[Any], Any]) -> Hierarchy:
    everybody = [*PEOPLE, ABOVE, outsider(SECOND.email, SECRET)]
    named = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(everybody)))
    said = draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(everybody), max_size=3))
    chosen = st.none() | st.sampled_from(PEOPLE)
    first, second = draw(chosen), draw(chosen)
    same = {CHIEF.person_id: first} | ({SECOND.person_id: second} if second != first else {})
    same = {coordinator: who for coordinator, who in same.items() if who is not None}
    loops = [told for told in (named, said) for who, chief in told.items() if who == chief]
    return Hierarchy({} if named in loops else named, {} if said in loops else said, same)


@given(hierarchies())
def test_whatever_the_hierarchy_nothing_hidden_is_told_and_everything_else_is(
    one: Hierarchy,
) -> None:
    scenario = programme(CHIEF, SECOND)
    coordinators = {who.person_id: who for who in (CHIEF, SECOND)}
    for who, participant in one.same.items():
        scenario.given(contact(participant, coordinators[who].email))
    scenario.given(*(reports(*line) for line in one.named.items()))
    scenario.given(*(says(*line) for line in one.said.items()))
    concerned: dict[tuple[str, str], set[str]] = {}
    for mentor, manager in PAIRS:
        for event in (at_risk(mentor, manager), no_hour(mentor, manager), waits(manager)):
            scenario.when(event)
        pair = pair_of(mentor, manager)
        concerned |= {(kind, pair): {mentor, manager} for kind in ("at-risk", "no-hour")}
        concerned["waiting", manager] = {manager}
        concerned["bounced", bounces(scenario, mentor, manager)] = {mentor, manager}
    expected = {
        who: {matter for matter, people in concerned.items() if not people & one.hidden(known)}
        for who, known in coordinators.items()
    }
    assert morning(scenario) == {who: seen for who, seen in expected.items() if seen}
