"""How many letters somebody reads in a course that nothing disturbs, counted from the log alone."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain
from statistics import median
from typing import Any

from deploy.trial.check.wire import Log

CALENDAR_MAILS = (
    "SessionPlanned",
    "SessionConfirmed",
    "SessionRescheduled",
    "SessionShifted",
    "SessionRelocated",
    "SessionPostponed",
    "SessionCancelled",
    "SessionWithdrawn",
)
"""Mails for a calendar program, one line long; all others are letters to read."""
_OF_A_PAIR = (
    *CALENDAR_MAILS[2:],
    "SessionMissed",
    "SessionMoveProposed",
    "SessionMoveRefused",
    "SessionDisputed",
    "AttendanceCorrected",
    "PlanningPostponed",
    "PairStalled",
    "PairDissolved",
    "GraduationWithdrawn",
)
_OF_A_PERSON = ("ProposalDeclined", "ProposalExpired", "ManagerWaitlisted")


def letters_per_course(log: Log) -> dict[str, Any]:
    """The letters to read per person and course, from enrolment to farewell, reminders included.

    `courses`: those whose pair graduated and where nothing was moved, missed, corrected or left
    unsaid, and whose person had no other proposal before; `of` so many whose pair graduated.
    `disturbed`: in how many of the others there was what, the most frequent first. `median` and
    `maximum` are null without any course.
    """
    causes = _causes(log)
    graduated = {
        (fact.cohort, person, fact.text("pair_id"))
        for fact in log.facts("PairGraduated")
        for person in (fact.text("mentor_id"), fact.text("manager_id"))
    }
    disturbed = {
        (cohort, person, pair): causes[cohort, pair] | causes[cohort, person]
        for cohort, person, pair in graduated
    }
    courses = [course for course in graduated if not disturbed[course]]
    read: Counter[tuple[str, str, str]] = Counter()
    of_person: dict[tuple[str, str], int] = defaultdict(int)
    for letter in log.facts("LetterQueued"):
        if letter.text("template") in CALENDAR_MAILS or letter.data.get("to_assistant"):
            continue
        reader = (letter.cohort, letter.text("person_id"))
        # It is of the course of its first fact: it would have been sent without the others.
        pair = letter.data["facts"].get("pair_id")
        if pair is None:
            of_person[reader] += 1
        else:
            read[(*reader, pair)] += 1
    counts = [read[course] + of_person[course[:2]] for course in courses]
    return {
        "courses": len(counts),
        "of": len(graduated),
        "median": median(counts) if counts else None,
        "maximum": max(counts, default=None),
        "disturbed": dict(Counter(chain.from_iterable(disturbed.values())).most_common()),
    }


def _causes(log: Log) -> Mapping[tuple[str, str], set[str]]:
    """What was not as planned, by (cohort, pair or person)."""
    causes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind in _OF_A_PAIR:
        for fact in log.facts(kind):
            causes[fact.cohort, fact.text("pair_id")].add(kind)
    for fact in log.facts("SessionCompleted"):
        if fact.data.get("presumed"):
            causes[fact.cohort, fact.text("pair_id")].add("presumed")
    for kind in _OF_A_PERSON:
        for fact in log.facts(kind):
            for name in ("mentor_id", "manager_id"):
                if fact.data.get(name):
                    causes[fact.cohort, fact.text(name)].add(kind)
    return causes
