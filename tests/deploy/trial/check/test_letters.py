"""What the check says of letters: every fact told, each letter once, each in the mailbox."""

import json
from dataclasses import replace

import pytest

from deploy.trial.check import Findings, Mail, check
from deploy.trial.check.effects import BOTH, OWED
from schemas.lines import outsider
from services.notify.letters import LETTERS
from tests.deploy.trial.check.builder import (
    COHORT,
    Run,
    id_of,
)
from tests.deploy.trial.check.stories import (
    first,
    graduated,
    judged,
    names,
    only_doubled,
    only_lost,
    planned_run,
    short_run,
    whole_run,
    with_mails,
    without,
)

LATE = "ManagerEnrolled:g-9:g-9"
LATE_FACT = {"cohort_id": COHORT, "manager_id": "g-9"}
"""The letter that `late_run` owes, and what it tells."""


def late_run() -> Run:
    """A manager enrols late, and is not told so."""
    run = short_run()
    run.fact("matching", "ManagerEnrolled", "g-9", manager_id="g-9")
    run.row("matching", "managers", "g-9")
    return run


def test_a_letter_that_comes_again_under_its_message_id_is_redelivered_and_not_doubled() -> None:
    findings = judged(whole_run(), with_mails(lambda mails: [*mails, mails[3]]))
    assert findings.clean
    assert findings.redelivered_letters == 1


def test_a_letter_that_was_not_queued_is_lost() -> None:
    only_lost(judged(late_run()), LATE, "was never queued")


def test_a_letter_that_no_fact_owes_is_lost() -> None:
    run = short_run()
    run.letter("PairFormed:m-1~g-1:m-1", "PairFormed", "m-1", "mentor", {})
    only_lost(judged(run), "PairFormed:m-1~g-1:m-1", "no fact that it tells")


def test_a_letter_that_tells_something_else_than_its_fact_is_lost() -> None:
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {"manager_id": "?"})
    only_lost(judged(run), LATE, "does not tell what")


def test_a_letter_of_a_newer_version_may_tell_more_than_its_fact_and_never_less() -> None:
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {**LATE_FACT, "added_later": None})
    assert judged(run).clean
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {"manager_id": "g-9", "added": None})
    only_lost(judged(run), LATE, "does not tell what")


@pytest.mark.parametrize(("name", "state"), [("LetterQueued", "queued"), ("LetterSent", "sent")])
def test_a_letter_that_was_queued_or_sent_twice_is_doubled(name: str, state: str) -> None:
    run = short_run()
    told = json.loads(first(run.records, name).value or b"")
    run.write("notify", name, told["letter_id"], told)
    only_doubled(judged(run), name, told["letter_id"], f"{state} already")


def test_a_letter_that_was_given_up_and_asked_for_again_may_be_sent() -> None:
    run = late_run()
    run.queue(LATE, "ManagerEnrolled", "g-9", "manager", LATE_FACT)
    for name in ("LetterDeferred", "LetterFailed", "LetterDeferred", "LetterSent"):
        run.write("notify", name, LATE, {"letter_id": LATE})
    matter = {"kind": "bounced", "about": LATE, "people": ["g-9"]}
    run.row("notify", "letters", LATE, state="sent")
    run.mails.append(Mail(COHORT, LATE, "<1>", "g-9@example.org"))
    run.write("notify", "AttentionWanted", LATE, matter)
    assert judged(run).clean


def test_a_coordinator_who_is_named_has_the_letter_of_what_wants_attention() -> None:
    run = short_run()
    told = {"gathered_at": "2017-03-07T07:00:00Z", "told": [], "coordinators": ["c-1"]}
    run.write("notify", "AttentionGathered", COHORT, told)
    letter = "AttentionGathered:20170307T070000Z:c-1"
    only_lost(judged(run), COHORT, "c-1 was not told")
    run = short_run()
    run.write("notify", "AttentionGathered", COHORT, told)
    queued = {"letter_id": letter, "person_id": "c-1", "facts": {**told, "cohort_id": COHORT}}
    run.write("notify", "DigestQueued", letter, queued)
    run.write("notify", "LetterSent", letter, {"letter_id": letter})
    run.row("notify", "letters", letter, state="sent")
    run.mails.append(Mail(COHORT, letter, "<2>", "c-1@example.org"))
    assert judged(run).clean


KEY = "a key"
CHIEF = outsider("coordination@example.org", KEY)


def digest_run(chief: str | None, *named: str) -> Run:
    """Two pairs are at risk, one manager reports to `chief`, and a coordinator's letter names them.

    Every contact has its address, so that who has whose is known.
    """
    run = short_run()
    for person in (*run.rows["notify"]["people"], "c-1"):
        address = f"{'coordination' if person == 'c-1' else person}@example.org"
        run.send("people", "PersonContact", person, person_id=person, email=address)
    run.row("notify", "people", "c-1")
    line = {"cohort_id": COHORT, "person_id": "g-1", "line_manager": chief}
    heard = id_of(run.write("matching", "LineManagerNamed", "g-1", line))
    run.write("notify", "LineManagerNamed", "g-1", line, cause=heard, copy=True)
    for about in ("m-1~g-1", "m-2~g-2"):
        matter = {"kind": "at-risk", "about": about, "people": about.split("~")}
        run.write("notify", "AttentionWanted", about, matter)
    told = {"gathered_at": "2017-03-07T07:00:00Z", "coordinators": ["c-1"], "told": []}
    run.write("notify", "AttentionGathered", COHORT, told)
    oldest = [{"about": about, "people": about.split("~")} for about in named]
    theirs = [{"kind": "at-risk", "count": len(named), "oldest": oldest}]
    letter = "AttentionGathered:20170307T070000Z:c-1"
    facts = {**told, "told": theirs if named else []}
    queued = {"letter_id": letter, "person_id": "c-1", "facts": facts}
    run.write("notify", "DigestQueued", letter, queued)
    run.write("notify", "LetterSent", letter, {"letter_id": letter, "person_id": "c-1"})
    run.row("notify", "letters", letter, state="sent")
    run.mails.append(Mail(COHORT, letter, "<2>", "c-1@example.org"))
    return run


def with_secret(run: Run, secret: str | None = KEY) -> Findings:
    return check(replace(run.evidence(), secret=secret))


def test_a_digest_that_names_somebody_behind_its_readers_wall_is_found() -> None:
    found = with_secret(digest_run(CHIEF, "m-1~g-1", "m-2~g-2")).lost
    assert names(found, "c-1", "behind its reader's wall")
    assert with_secret(digest_run(CHIEF, "m-2~g-2")).clean
    assert names(with_secret(digest_run("c-1", "m-1~g-1")).lost, "behind its reader's wall")


def test_a_digest_tells_all_that_no_wall_hides() -> None:
    assert with_secret(digest_run(None, "m-1~g-1", "m-2~g-2")).clean
    assert names(with_secret(digest_run(None, "m-2~g-2")).lost, "its reader sees 2")
    assert names(with_secret(digest_run(None, "m-3~g-3")).lost, "tells what wants no attention")


def test_whoever_was_erased_is_not_taken_for_everybody_else_who_was() -> None:
    run = digest_run(CHIEF, "m-2~g-2")
    for person in ("c-1", "g-1"):
        run.put("people", None, {}, key=f"{COHORT}/{person}")
        del run.rows["notify"]["people"][person]
    assert with_secret(run).clean


def test_of_a_wall_whose_key_is_not_known_a_digest_is_held_to_nothing() -> None:
    for named in (("m-1~g-1", "m-2~g-2"), ("m-2~g-2",)):
        assert with_secret(digest_run(CHIEF, *named), None).clean


def role_run(*told: tuple[str, str]) -> Run:
    """c-1 was made coordinator, and was told these, in this role."""
    run = short_run()
    at = "2017-03-07T07:00:00Z"
    given = {"cohort_id": COHORT, "person_id": "c-1", "role": "coordinator", "holder": "s-1"}
    given |= {"organisations": [], "given_at": at}
    run.write("notify", "RoleGiven", "c-1", {**given, "asker": "s-2"})
    run.row("notify", "roles", "c-1~coordinator", holder="s-1")
    for template, role in told:
        letter = f"{template}:c-1~{role}:20170307T070000.000000Z:c-1"
        queued = {"letter_id": letter, "person_id": "c-1", "template": template}
        run.write("notify", "RoleLetterQueued", letter, {**queued, "facts": given})
        run.write("notify", "LetterSent", letter, {"letter_id": letter})
        run.row("notify", "letters", letter, state="sent")
        run.mails.append(Mail(COHORT, letter, "<3>", "c-1@example.org"))
    return run


def test_whoever_was_given_a_role_has_the_letter_that_says_so_and_nobody_has_another() -> None:
    assert judged(role_run(("RoleGiven", "coordinator"))).clean
    assert names(judged(role_run()).lost, "RoleGiven:c-1~coordinator", "was never queued")
    both = role_run(("RoleGiven", "coordinator"), ("RoleTaken", "coordinator"))
    assert names(judged(both).lost, "RoleTaken:c-1~coordinator", "nothing that it tells")


def test_a_letter_that_is_still_queued_is_lost_only_when_the_run_is_over() -> None:
    run = late_run()
    run.queue(LATE, "ManagerEnrolled", "g-9", "manager", LATE_FACT)
    evidence = run.evidence()
    only_lost(check(evidence), LATE, "neither sent nor given up")
    assert check(evidence, over=False).clean


def test_a_letter_that_was_sent_and_never_arrived_is_lost() -> None:
    findings = judged(whole_run(), with_mails(lambda mails: mails[1:]))
    only_lost(findings, "MentorVolunteered:m-1:m-1", "is not in the mailbox")


def test_a_mail_without_its_letter_sent_is_lost() -> None:
    findings = judged(whole_run(), without("LetterSent"))
    only_lost(findings, "MentorVolunteered:m-1:m-1", "is in the mailbox, and has no LetterSent")


def test_a_mail_of_a_letter_that_was_never_queued_is_lost() -> None:
    stray = Mail(COHORT, "PairFormed:m-7~g-7:m-7", "<stray>", "m-7@example.org")
    findings = judged(whole_run(), with_mails(lambda mails: [*mails, stray]))
    only_lost(findings, "PairFormed:m-7~g-7:m-7", "was never queued")


def test_a_letter_that_arrived_under_two_message_ids_is_doubled() -> None:
    findings = judged(
        whole_run(), with_mails(lambda mails: [*mails, replace(mails[0], message_id="<other>")])
    )
    only_doubled(findings, "MentorVolunteered:m-1:m-1", "in the mailbox twice", "<other>")


def told_with(run: Run, **more: object) -> None:
    """The late manager is told so in a letter that tells something else before that."""
    run.fact("matching", "ManagerEnrolled", "g-8", manager_id="g-8")
    run.row("matching", "managers", "g-8")
    first = "ManagerEnrolled:g-8:g-9"
    run.letter(first, "ManagerEnrolled", "g-9", "manager", {}, also=[more])


ALSO = {
    "news_id": LATE,
    "template": "ManagerEnrolled",
    "side": "manager",
    "facts": LATE_FACT,
}


def test_a_fact_can_be_told_in_the_letter_of_another_one() -> None:
    run = late_run()
    told_with(run, **ALSO)
    assert not names(judged(run).lost, LATE)


def test_a_fact_that_two_letters_tell_is_doubled() -> None:
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", LATE_FACT)
    told_with(run, **ALSO)
    assert names(judged(run).doubled, LATE)


def dropped(run: Run, template: str, subject: str, by: str | None, cause: str = "outdated") -> None:
    about = {"letter_id": f"{template}:{subject}:g-9", "person_id": "g-9", "template": template}
    run.write("notify", "NewsDropped", about["letter_id"], {**about, "cause": cause, "by": by})


def waiting_and_proposed() -> Run:
    """A manager waits, and has a proposal before the letter on it has left."""
    run = short_run()
    place = {"round_id": "round-1", "position": 1, "cause": "competition"}
    run.fact("matching", "ManagerWaitlisted", "g-9", manager_id="g-9", waiting=place, first=True)
    run.fact("matching", "PairProposed", "m-9~g-9", mentor_id="m-9", manager_id="g-9")
    return run


WAITS = "ManagerWaitlisted:g-9:round-1:g-9"


def test_what_another_fact_has_made_untrue_is_not_owed_any_more() -> None:
    run = waiting_and_proposed()
    assert names(judged(run).lost, WAITS)
    run = waiting_and_proposed()
    dropped(run, "ManagerWaitlisted", "g-9:round-1", "PairProposed:m-9~g-9")
    assert not names(judged(run).lost, WAITS)


def test_of_two_facts_under_one_id_either_can_have_made_it_untrue() -> None:
    run = short_run()
    run.fact("matching", "ManagerEnrolled", "g-9", manager_id="g-9")
    for is_first in (True, False):  # they wait, and wait for another reason after the same round
        place = {"round_id": "round-1", "position": 1, "cause": "competition"}
        told = {"manager_id": "g-9", "waiting": place, "first": is_first}
        run.fact("matching", "ManagerWaitlisted", "g-9", **told)
    dropped(run, "ManagerEnrolled", "g-9", "ManagerWaitlisted:g-9:round-1")
    assert not names(judged(run).lost, "does not make it untrue")


def test_what_was_dropped_for_no_good_reason_is_lost() -> None:
    run = waiting_and_proposed()
    dropped(run, "ManagerWaitlisted", "g-9:round-1", "PairProposed:m-9~g-7")
    assert names(judged(run).lost, "does not make it untrue")
    run = waiting_and_proposed()
    dropped(run, "ManagerWaitlisted", "g-9:round-1", None, "too-late")
    assert names(judged(run).lost, "only a reminder can come too late")


def test_a_reminder_of_what_is_not_its_readers_is_lost() -> None:
    run = short_run()
    facts = {"pair_id": "m-7~g-7"}
    run.letter("ProposalReminder:m-7~g-7:1:g-1", "ProposalReminder", "g-1", "manager", facts)
    assert names(judged(run).lost, "which is not theirs")


def test_it_is_told_of_courses_that_do_not_count_what_disturbed_them() -> None:
    found = judged(whole_run()).figures["letters_per_course"]
    assert (found["courses"], found["of"], found["maximum"]) == (0, 2, None)
    assert found["disturbed"] == dict.fromkeys(
        ("SessionRescheduled", "SessionMissed", "PairStalled"), 2
    )


def test_the_letters_of_a_course_are_counted_without_its_calendar_mails() -> None:
    run = planned_run()
    graduated(run, "m-1~g-1")
    found = judged(run).figures["letters_per_course"]
    # Who has come, the proposal, the pair, the first survey and the last, the end; no dates.
    assert found == {"courses": 2, "of": 2, "median": 6, "maximum": 6, "disturbed": {}}


SIDES = {"mentor": ("mentor",), "manager": ("manager",)}


def test_what_is_told_by_letter_and_to_whom_is_the_same_for_notify_and_for_the_check() -> None:
    told = {kind.__name__: SIDES.get(telling.to, BOTH) for kind, telling in LETTERS.items()}
    assert told == OWED


def waitlisted(run: Run) -> None:
    run.fact(
        "matching",
        "ManagerWaitlisted",
        "g-1",
        manager_id="g-1",
        waiting={"round_id": "round-1", "position": 1, "cause": "competition"},
        first=True,
    )


def test_a_manager_who_had_a_proposal_in_between_may_wait_anew_in_the_same_round() -> None:
    run = short_run()
    waitlisted(run)
    run.fact("matching", "PairProposed", "m-9~g-1", mentor_id="m-9", manager_id="g-1")
    waitlisted(run)
    assert not names(judged(run).doubled, "ManagerWaitlisted")


def test_a_manager_who_waits_all_along_is_told_so_once_in_a_round() -> None:
    run = short_run()
    waitlisted(run)
    waitlisted(run)
    assert names(judged(run).doubled, "ManagerWaitlisted", "g-1", "happened before")
