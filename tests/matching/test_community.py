"""The directory, the room and the next meeting."""

from schemas.community import Meeting, StandInDirectory, TellCommunity
from schemas.matching import WithdrawMentor
from services.matching.views import Cohort, Mentor
from tests.matching.given import mentor, scenario, the
from tests.scenario import NOW, kinds, refusal

M1 = {"cohort_id": "c", "mentor_id": "m1"}
MEETING = Meeting(title="Retours", starts_at=NOW, where="Bercy")


def test_a_mentor_stands_in_the_directory_only_if_they_say_so() -> None:
    found = scenario(mentor("m1"))
    assert the(found, Mentor, "m1").listed is False
    yes = StandInDirectory.model_validate({**M1, "listed": True})
    assert kinds(found.when(yes)) == ["DirectoryChanged"]
    assert found.when(yes) == []
    assert the(found, Mentor, "m1").listed
    assert kinds(found.when(yes.model_copy(update={"listed": False}))) == ["DirectoryChanged"]


def test_nobody_stands_there_who_is_not_a_mentor() -> None:
    yes = StandInDirectory.model_validate({**M1, "listed": True})
    assert refusal(scenario().when(yes)) == "unknown-person"
    found = scenario(mentor("m1"))
    found.when(WithdrawMentor.model_validate(M1))
    assert refusal(found.when(yes)) == "withdrawn"


def test_what_is_told_replaces_what_was_told_and_the_same_again_changes_nothing() -> None:
    found = scenario()
    told = TellCommunity(cohort_id="c", room="https://tchap.example/a", meeting=MEETING)
    assert kinds(found.when(told)) == ["CommunityTold"]
    assert found.when(told) == []
    assert kinds(found.when(TellCommunity(cohort_id="c"))) == ["CommunityTold"]
    assert the(found, Cohort, "c").meeting is None


def test_nothing_is_told_in_a_cohort_that_there_is_not() -> None:
    assert refusal(scenario().when(TellCommunity(cohort_id="none"))) == "unknown-cohort"
