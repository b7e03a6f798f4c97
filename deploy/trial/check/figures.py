"""What the run has come to, counted from the facts alone."""

from typing import Any

from deploy.trial.check.courses import letters_per_course
from deploy.trial.check.surveys import first_answers
from deploy.trial.check.wire import Entry, Log

_COUNTED = {
    "cohorts": "CohortOpened",
    "mentors": "MentorVolunteered",
    "managers": "ManagerEnrolled",
    "pairs_formed": "PairFormed",
    "pairs_graduated": "PairGraduated",
    "pairs_dissolved": "PairDissolved",
    "sessions_completed": "SessionCompleted",
    "sessions_missed": "SessionMissed",
    "letters_sent": "LetterSent",
    "refused": "CommandRefused",
}


def figures(log: Log) -> dict[str, Any]:
    """The figures, as `Findings` describes them."""
    counted: dict[str, Any] = {name: len(log.facts(kind)) for name, kind in _COUNTED.items()}
    aside = sum(len(origins) for origins in log.parked.values())
    return counted | {
        "surveys_answered": len(first_answers(log)),
        "letters_per_course": letters_per_course(log),
        "parked": aside,
        "events": len(log.entries),
        "rollout": _rollout(log),
    }


def _rollout(log: Log) -> dict[str, dict[str, Any]]:
    """The last verdict on each cohort, and the criteria that it rests on."""
    verdicts = {"RolloutRecommended": "recommended", "RolloutWithheld": "withheld"}
    last: dict[str, Entry] = {}
    for entry in sorted(log.facts(*verdicts), key=lambda verdict: verdict.sequence):
        last[entry.cohort] = entry
    return {
        cohort: {"verdict": verdicts[entry.name], "criteria": entry.data.get("criteria", [])}
        for cohort, entry in last.items()
    }
