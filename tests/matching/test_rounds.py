"""Rounds: as many pairs as possible, then the best score, and nothing that is not legal."""

from collections.abc import Iterable, Sequence
from itertools import permutations

from schemas.base import Event
from schemas.matching import (
    ChangeAvailability,
    DissolvePair,
    EnrolManager,
    KeepApart,
    ManagerEnrolled,
    ManagerWaitlisted,
    PairProposed,
    ProposalDeclined,
    RoundCompleted,
    RunRound,
    WithdrawManager,
)
from schemas.rounds import (
    PairsSimulated,
    RoundSimulated,
)
from schemas.values import Window
from services.matching.messages import PairsFound, SearchReport
from services.matching.search.fit import above
from services.matching.search.question import Found, Roll
from services.matching.search.worker import search, solve_here
from services.matching.views import Manager, Mentor, Pair, Round
from tests.matching.given import (
    TUESDAY,
    Matching,
    decided,
    formed,
    manager,
    mentor,
    scenario,
    the,
)
from tests.scenario import Scenario, kinds


def proposed(found: Matching, round_id: str = "r1") -> list[str]:
    decision = found.when(RunRound(cohort_id="c", round_id=round_id))
    assert isinstance(decision, list)
    return sorted(event.pair_id for event in decision if isinstance(event, PairProposed))


def test_a_mentor_and_a_manager_who_fit_are_proposed_to_each_other() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1"))) == ["m1~g1"]


def test_a_round_tells_who_waits_on_and_what_is_free() -> None:
    found = scenario(mentor("m1", capacity=3), manager("g1"), manager("g2", needs={"tiktok": 1}))
    decision = found.when(RunRound(cohort_id="c", round_id="r1"))
    assert isinstance(decision, list)
    completed = decision[-1]
    assert isinstance(completed, RoundCompleted)
    assert (completed.proposed, completed.managers_waiting, completed.places_free) == (1, 1, 2)


def test_the_same_round_runs_once() -> None:
    found = scenario(mentor("m1"), manager("g1"), manager("g2"))
    proposed(found)
    assert found.when(RunRound(cohort_id="c", round_id="r1")) == []


def test_a_mentor_takes_as_many_managers_as_they_offered() -> None:
    managers = [manager(f"g{i}") for i in range(5)]
    assert len(proposed(scenario(mentor("m1", capacity=2), *managers))) == 2


def test_nobody_is_proposed_without_a_skill_that_is_needed() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1", needs={"twitter": 1}))) == []


def test_nobody_is_proposed_without_a_common_hour() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1", availability=TUESDAY))) == []


def test_a_shared_half_hour_is_not_a_common_hour() -> None:
    late = (Window(day="mon", start="11:30", end="14:00"),)
    assert proposed(scenario(mentor("m1"), manager("g1", availability=late))) == []


def test_nobody_is_proposed_to_themselves() -> None:
    assert proposed(scenario(mentor("x"), manager("x"))) == []


def test_an_exclusion_holds_whichever_side_asked_for_it() -> None:
    assert proposed(scenario(mentor("m1", excludes=("g1",)), manager("g1"))) == []
    assert proposed(scenario(mentor("m1"), manager("g1", excludes=("m1",)))) == []


def test_the_reporting_line_is_kept_apart_at_any_height_when_the_policy_forbids_it() -> None:
    history = (mentor("m1", line_manager="g2"), manager("g2", line_manager="g1"), manager("g1"))
    assert proposed(scenario(*history)) == []
    assert proposed(scenario(*history, reporting_line="allow")) != []


def test_two_people_of_the_same_direct_manager_are_kept_apart() -> None:
    history = (mentor("m1", line_manager="boss"), manager("g1", line_manager="boss"))
    assert proposed(scenario(*history)) == []


def test_a_circle_in_the_reporting_line_ends() -> None:
    lines: dict[str, str | None] = {"a": "b", "b": "a", "z": None}
    assert above("a", lines.get) == {"a", "b"}
    assert above("z", lines.get) == set()


def test_a_declined_pair_is_never_proposed_again() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    proposed(found)
    found.given(
        ProposalDeclined(
            cohort_id="c", pair_id="m1~g1", mentor_id="m1", manager_id="g1", by="manager"
        )
    )
    assert proposed(found, "r2") == []


def test_another_directorate_is_preferred() -> None:
    same = mentor("m1", directorate="INSEE")
    other = mentor("m2", directorate="DGFiP")
    assert proposed(scenario(same, other, manager("g1"))) == ["m2~g1"]


def test_the_order_of_arrival_changes_nothing() -> None:
    people = (mentor("m1"), mentor("m2", site="Lyon"), manager("g1"), manager("g2", site="Lyon"))
    results = {tuple(proposed(scenario(*order))) for order in permutations(people)}
    assert results == {("m1~g1", "m2~g2")}


def test_a_score_is_the_sum_of_its_reasons() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    decision = found.when(RunRound(cohort_id="c", round_id="r1"))
    assert isinstance(decision, list)
    [pair] = [event for event in decision if isinstance(event, PairProposed)]
    assert round(sum(r.contribution for r in pair.reasons), 4) == pair.score


# What a search finds is decided on as things stand then


async def outcomes_of(found: Matching, round_id: str = "r1") -> list[SearchReport]:
    """What the search of a round that was asked for finds, before anything is decided on it."""
    Scenario.when(found, RunRound(cohort_id="c", round_id=round_id))
    return [outcome async for outcome in search(found, the(found, Round, round_id), solve_here)]


async def first_of(found: Matching) -> PairsFound:
    for outcome in await outcomes_of(found):
        if isinstance(outcome, PairsFound):
            return outcome
    raise AssertionError("no pairs were found")


async def test_whoever_left_during_the_search_is_not_proposed() -> None:
    found = scenario(mentor("m1"), mentor("m2"), manager("g1"), manager("g2"))
    pairs = await first_of(found)
    found.when(WithdrawManager(cohort_id="c", manager_id="g1"))
    [event] = decided(found.when(pairs))
    assert isinstance(event, PairProposed)
    assert event.manager_id == "g2"


async def test_whoever_has_no_hour_in_common_any_more_is_not_proposed() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    pairs = await first_of(found)
    found.when(ChangeAvailability(cohort_id="c", person_id="g1", availability=TUESDAY))
    assert found.when(pairs) == []


async def test_a_pair_that_was_ruled_out_during_the_search_is_not_proposed() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    pairs = await first_of(found)
    found.when(KeepApart(cohort_id="c", pair_id="m1~g1", reason="they share an office"))
    assert found.when(pairs) == []


async def test_what_was_found_twice_is_proposed_once() -> None:
    found = scenario(mentor("m1", capacity=2), manager("g1"))
    pairs = await first_of(found)
    assert kinds(found.when(pairs)) == ["PairProposed"]
    assert found.when(pairs) == []


def test_what_a_search_says_of_a_round_that_has_ended_changes_nothing() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    proposed(found)
    late = PairsFound(cohort_id="c", round_id="r1", part=1, pairs=(("m1", "g1"),))
    assert found.when(late) == []


async def test_a_search_during_which_somebody_came_begins_anew() -> None:
    found = scenario(mentor("m1"), manager("g1", availability=TUESDAY))
    Scenario.when(found, RunRound(cohort_id="c", round_id="r1"))
    searches = 0

    async def meanwhile(roll: Roll) -> Found:
        nonlocal searches
        searches += 1
        if searches == 1:
            found.given(manager("g2"))
        return await solve_here(roll)

    outcomes = search(found, the(found, Round, "r1"), meanwhile)
    pairs = await anext(outcomes)
    assert isinstance(pairs, PairsFound)
    assert pairs.pairs == (("m1", "g2"),)
    assert searches == 2


async def test_whoever_comes_between_two_parts_of_a_round_is_searched_too() -> None:
    found = scenario(mentor("m1"), mentor("m2"), manager("g1"))
    Scenario.when(found, RunRound(cohort_id="c", round_id="r1"))
    events: list[Event] = []
    async for outcome in search(found, the(found, Round, "r1"), solve_here):
        events += decided(found.when(outcome))
        if len(events) == 1:
            found.given(manager("g2"))
    assert kinds(events) == ["PairProposed", "PairProposed", "RoundCompleted"]
    completed = events[-1]
    assert isinstance(completed, RoundCompleted)
    assert (completed.proposed, completed.managers_waiting) == (2, 0)
    assert completed.optimal is False


def test_a_round_says_that_nothing_better_exists() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    completed = decided(found.when(RunRound(cohort_id="c", round_id="r1")))[-1]
    assert isinstance(completed, RoundCompleted)
    assert completed.optimal is True


async def test_a_round_that_lost_a_pair_meanwhile_does_not_say_so() -> None:
    found = scenario(mentor("m1"), mentor("m2"), manager("g1"), manager("g2"))
    outcomes = await outcomes_of(found)
    found.when(WithdrawManager(cohort_id="c", manager_id="g1"))
    events = [event for outcome in outcomes for event in decided(found.when(outcome))]
    completed = events[-1]
    assert isinstance(completed, RoundCompleted)
    assert (completed.proposed, completed.optimal) == (1, False)


def test_a_round_leaves_standing_pairs_as_they_are() -> None:
    found = formed(capacity=2, managers=1)
    found.given(mentor("m0", directorate="DGE", site="Bercy"), manager("g2"))
    assert proposed(found, "r2") != []
    assert the(found, Pair, "m1~g1").state == "formed"
    assert the(found, Mentor, "m1").engaged[0] == "m1~g1"


def test_after_a_dissolution_only_the_manager_who_lost_the_mentor_is_paired_anew() -> None:
    found = formed(capacity=2, managers=2)
    found.given(mentor("m2"))
    found.when(DissolvePair(cohort_id="c", pair_id="m1~g1", reason="no time"))
    assert proposed(found, "r2") == ["m2~g1"]
    assert the(found, Pair, "m1~g2").state == "formed"


# Simulation


def simulated(found: Matching, round_id: str = "s1") -> list[Event]:
    command = RunRound(cohort_id="c", round_id=round_id, mode="simulate")
    return list(decided(found.when(command)))


def test_a_simulation_shows_what_a_round_would_do_and_asks_nobody() -> None:
    found = scenario(mentor("m1", capacity=3), manager("g1"), manager("g2", needs={"tiktok": 1}))
    events = simulated(found)
    assert kinds(events) == ["RoundRequested", *["PairsSimulated"] * 2, "RoundSimulated"]
    shown, _, end = events[1:]
    assert isinstance(shown, PairsSimulated)
    assert [(pair.mentor_id, pair.manager_id) for pair in shown.pairs] == [("m1", "g1")]
    assert isinstance(end, RoundSimulated)
    assert (end.proposed, end.managers_waiting, end.places_free) == (1, 1, 2)
    assert end.score == shown.pairs[0].score
    assert the(found, Manager, "g1").state == "waiting"
    assert the(found, Round, "s1").state == "simulated"


def test_a_simulated_round_can_be_published_and_then_runs_once() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    simulated(found, "r1")
    assert proposed(found, "r1") == ["m1~g1"]
    assert simulated(found, "r1") == []
    assert the(found, Round, "r1").state == "completed"


async def test_what_a_simulation_has_shown_is_not_shown_again() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    Scenario.when(found, RunRound(cohort_id="c", round_id="s1", mode="simulate"))
    outcomes = [o async for o in search(found, the(found, Round, "s1"), solve_here)]
    assert kinds(found.when(outcomes[0])) == ["PairsSimulated"]
    assert found.when(outcomes[0]) == []


# The waiting list


def waitlisted(events: Iterable[Event]) -> dict[str, ManagerWaitlisted]:
    return {e.manager_id: e for e in events if isinstance(e, ManagerWaitlisted)}


def enrolled(found: Matching, id: str, **changes: object) -> None:
    fields = manager(id, **changes).model_dump(exclude={"enrolled_at"})
    found.when(EnrolManager.model_validate(fields))
    found.later(hours=1)


def run_round(found: Matching, round_id: str) -> Sequence[Event]:
    return decided(found.when(RunRound(cohort_id="c", round_id=round_id)))


def test_whoever_is_left_learns_their_place_by_enrolment_and_the_cause() -> None:
    found = scenario(mentor("m1"), mentor("m2", skills={"tiktok": 5}))
    enrolled(found, "g9", needs={"wiki": 1})
    enrolled(found, "g2", needs={"tiktok": 1}, availability=TUESDAY)
    enrolled(found, "g1", site="Lyon")
    enrolled(found, "g0")
    told = waitlisted(run_round(found, "r1"))
    places = {who: (e.waiting.position, e.waiting.cause) for who, e in told.items()}
    assert places == {
        "g9": (1, "no-skill"),
        "g2": (2, "no-common-hour"),
        "g1": (3, "competition"),
    }
    assert all(event.first for event in told.values())
    competing = told["g1"].waiting.words
    assert competing.fr == "Les mentors qui maîtrisent LinkedIn sont tous pris pour le moment."
    known = the(found, Manager, "g1").waiting
    assert known is not None and known.position == 3


def test_a_place_on_the_list_is_told_again_only_when_it_has_changed() -> None:
    found = scenario(mentor("m1"))
    for who in ("g1", "g2", "g3"):
        enrolled(found, who, needs={"wiki": 1})
    assert len(waitlisted(run_round(found, "r1"))) == 3
    assert waitlisted(run_round(found, "r2")) == {}
    found.when(WithdrawManager(cohort_id="c", manager_id="g2"))
    told = waitlisted(run_round(found, "r3"))
    assert {who: (e.waiting.position, e.first) for who, e in told.items()} == {"g3": (2, False)}


def test_whoever_could_be_coached_by_people_without_a_place_learns_that() -> None:
    found = formed()
    enrolled(found, "g2")
    told = waitlisted(run_round(found, "r2"))
    assert told["g2"].waiting.cause == "no-place"


def test_whoever_is_proposed_has_left_the_waiting_list() -> None:
    found = scenario()
    enrolled(found, "g1")
    run_round(found, "r1")
    found.given(mentor("m1"))
    assert proposed(found, "r2") == ["m1~g1"]
    assert the(found, Manager, "g1").waiting is None


# The explanation


def test_reasons_and_first_tools_say_in_both_languages_what_they_come_from() -> None:
    found = scenario(
        mentor("m1", skills={"spreadsheets": 4}), manager("g1", needs={"spreadsheets": 3})
    )
    [pair] = [e for e in run_round(found, "r1") if isinstance(e, PairProposed)]
    told = {r.criterion: (r.words.fr, r.words.en) for r in pair.reasons if r.words}
    assert told == {
        "coverage": ("Tableurs : niveau 4 pour 3", "Spreadsheets: level 4 for 3"),
        "job": (
            "Tableurs : niveau 4 pour 4, X (Twitter) : niveau 0 pour 3",
            "Spreadsheets: level 4 for 4, X (Twitter): level 0 for 3",
        ),
        "availability": ("3 h libres en commun par semaine", "3 free hours in common in a week"),
        "bridge": ("DGFiP et INSEE", "DGFiP and INSEE"),
        "proximity": ("même site : Bercy", "same site: Bercy"),
    }
    [first] = pair.first_tools
    assert (first.tool, first.needed, first.mastered) == ("spreadsheets", 3, 4)
    assert first.words.fr == "pour préparer des séries et des tableaux"


def test_a_manager_without_needs_gets_those_of_the_job() -> None:
    found = scenario()
    fields = manager("g1", job_family="statistics").model_dump(exclude={"enrolled_at", "needs"})
    [event] = decided(found.when(EnrolManager.model_validate(fields)))
    assert isinstance(event, ManagerEnrolled)
    assert set(event.needs) == {"spreadsheets", "twitter"}
    assert found.when(EnrolManager.model_validate(fields)) == []


def test_a_manager_without_needs_of_an_unknown_job_gets_what_every_job_asks_for() -> None:
    fields = manager("g1", job_family="juggling").model_dump(exclude={"enrolled_at", "needs"})
    [event] = decided(scenario().when(EnrolManager.model_validate(fields)))
    assert isinstance(event, ManagerEnrolled)
    assert set(event.needs) == {"video-calls", "shared-documents", "instant-messaging"}
