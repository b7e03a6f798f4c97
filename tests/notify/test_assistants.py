"""Copies for assistants: of what tells of a session's date, once, with links of their own."""

import re
from typing import Any

import pytest

from schemas.base import Event
from schemas.notify import LetterQueued, ReportBounce, RetryLetter
from schemas.people import Assistant, PersonErased
from services.chassis.http.links import Link
from services.notify.letters import LETTERS, TELLINGS, copy_id
from services.notify.messages import LetterAttempted
from services.notify.views import Letter, Person
from tests.notify.facts import (
    CAMILLE,
    COHORT,
    FACTS,
    MENTOR,
    PLANNED,
    RESCHEDULED,
    VERIFIER,
    letters_for,
)
from tests.notify.test_hand_over import opened, the_letter
from tests.notify.test_rendering import part, written
from tests.scenario import NOW, Scenario, kinds

HELPER = Assistant(name="Dominique Petit", email="dominique.petit@example.org")
INVITATION = f"SessionPlanned:{PLANNED.session_id}:1.0:{MENTOR}"


def sent(letter_id: str, *, copied: bool) -> LetterAttempted:
    return LetterAttempted(cohort_id=COHORT, letter_id=letter_id, outcome="sent", copied=copied)


def queued_invitation() -> Scenario:
    """The invitation of the mentor waits for the mail server."""
    scenario = opened()
    (mine, _) = [
        LetterQueued(
            cohort_id=COHORT,
            letter_id=letter.id,
            person_id=letter.person_id,
            template=letter.template,
            side=letter.side,
            facts=letter.facts,
            send_at=scenario.now,
        )
        for letter in letters_for(PLANNED)
    ]
    assert mine.letter_id == INVITATION
    return scenario.given(mine)


def copy_of(letter: Letter) -> Letter:
    """The copy of a letter for the assistant, as a document."""
    return letter.model_copy(update={"id": copy_id(letter.id), "to_assistant": True})


def links_of(text: str) -> list[Link]:
    return [VERIFIER.verify(token, NOW) for token in re.findall(r"/links/([\w.-]+)", text)]


def test_what_was_sent_about_a_session_is_copied_to_the_assistant() -> None:
    scenario = queued_invitation()
    events = scenario.when(sent(INVITATION, copied=True))
    assert kinds(events) == ["LetterSent", "LetterQueued"]
    copy = the_letter(scenario, copy_id(INVITATION))
    assert (copy.to_assistant, copy.person_id, copy.due_at) == (True, MENTOR, scenario.now)


def test_whoever_has_no_assistant_is_written_to_alone() -> None:
    assert kinds(queued_invitation().when(sent(INVITATION, copied=False))) == ["LetterSent"]


def test_a_copy_is_not_copied_and_a_letter_that_is_sent_anew_is_copied_once() -> None:
    scenario = queued_invitation()
    scenario.when(sent(INVITATION, copied=True))
    assert kinds(scenario.when(sent(copy_id(INVITATION), copied=True))) == ["LetterSent"]
    scenario.when(ReportBounce(cohort_id=COHORT, letter_id=INVITATION, status="5.1.1"))
    scenario.when(RetryLetter(cohort_id=COHORT, letter_id=INVITATION))
    assert kinds(scenario.when(sent(INVITATION, copied=True))) == ["LetterSent"]


@pytest.mark.parametrize("event", FACTS, ids=lambda event: type(event).__name__)
def test_an_assistant_sees_the_dates_of_sessions_and_neither_surveys_nor_proposals(
    event: Event,
) -> None:
    name = type(event).__name__
    dated = name.startswith("Session") and name not in ("SessionMissed", "SessionDisputed")
    assert LETTERS[type(event)].copied == dated


def test_reminders_of_surveys_and_proposals_are_not_copied() -> None:
    assert [name for name in ("SurveyReminder", "ProposalReminder") if TELLINGS[name].copied] == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_copy_says_for_whom_it_is_and_its_link_is_the_assistants(language: Any) -> None:
    mine, _ = letters_for(RESCHEDULED)
    message = written(copy_of(mine), language, assistant=HELPER)
    text = part(message, "text/plain")
    assert message["To"] == "Dominique Petit <dominique.petit@example.org>"
    assert "Dominique Petit" in text
    assert CAMILLE.name in str(message["Subject"])
    assert CAMILLE.name in text
    assert [(link.role, link.person_id, link.purpose) for link in links_of(text)] == [
        ("assistant", MENTOR, "session")
    ]
    assert "None" not in text


def test_a_copy_has_no_calendar_part_and_an_id_of_its_own() -> None:
    mine, _ = letters_for(PLANNED)
    own, copied = written(mine, assistant=HELPER), written(copy_of(mine), assistant=HELPER)
    kinds_of_parts = [one.get_content_type() for one in copied.walk()]
    assert "text/calendar" in [one.get_content_type() for one in own.walk()]
    assert "text/calendar" not in kinds_of_parts
    assert own["Message-ID"] != copied["Message-ID"]
    assert own["To"] != copied["To"]


def test_the_persons_own_letter_is_the_same_with_an_assistant_as_without() -> None:
    for letter in letters_for(PLANNED):
        assert written(letter).as_bytes() == written(letter, assistant=HELPER).as_bytes()


def test_an_assistant_is_forgotten_with_the_person() -> None:
    scenario = opened().given(CAMILLE.model_copy(update={"assistant": HELPER}))
    (known,) = scenario.state.whole(Person, COHORT)
    assert known.assistant == HELPER
    scenario.given(PersonErased(cohort_id=COHORT, person_id=MENTOR))
    assert scenario.state.whole(Person, COHORT) == []


def test_whoever_has_named_nobody_any_more_is_no_longer_written_to_by_a_copy() -> None:
    scenario = opened().given(CAMILLE.model_copy(update={"assistant": HELPER}), CAMILLE)
    (known,) = scenario.state.whole(Person, COHORT)
    assert known.assistant is None
