"""Surveys: asked of both sides on every occasion, once; closed once at most; answers counted."""

from collections import Counter

from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Entry, Log

SIDES = ("mentor", "manager")


def check_surveys(log: Log, report: Report) -> dict[str, str]:
    """The surveys (`cohort/survey`) that were opened, and the state in which they are."""
    states: dict[str, str] = {}
    for entry in log.facts("SurveyOpened"):
        if entry.key in states:
            report.doubled.append(f"{entry}: it had been opened already.")
        states[entry.key] = "open"
    _asked(log, states, report)
    for entry in log.facts("SurveyClosed"):
        before = states.get(entry.key)
        if before is None:
            report.lost.append(f"{entry}: it was never opened.")
        elif before != "open":
            report.doubled.append(f"{entry}: it was {before} already.")
        states[entry.key] = entry.text("outcome")
    _answers(log, report)
    return states


def _asked(log: Log, opened: dict[str, str], report: Report) -> None:
    """Every occasion was asked about, and nothing was asked without one."""
    occasions: set[str] = set()
    for entry in log.facts(
        "PairFormed", "SessionCompleted", "AttendanceCorrected", "PairGraduated"
    ):
        if entry.name == "AttendanceCorrected" and not entry.data.get("held"):
            continue
        for side in SIDES:
            survey = f"{entry.cohort}/{entry.text('pair_id')}~{_occasion(entry)}~{side}"
            occasions.add(survey)
            if survey not in opened and not log.excused("feedback", entry):
                report.lost.append(f"{entry}: survey {survey} was never opened.")
    for survey in sorted(opened.keys() - occasions):
        report.lost.append(f"Survey {survey} was opened, and nothing asks for it.")


def _occasion(entry: Entry) -> str:
    match entry.name:
        case "PairFormed":
            return "start"
        case "PairGraduated":
            return "end"
        case _:
            return f"s{entry.number('number')}"


def _answers(log: Log, report: Report) -> None:
    """As many answers as surveys that were closed by one, per cohort, kind and side."""
    closed = Counter(_group(e) for e in log.facts("SurveyClosed") if e.text("outcome") == _ANSWERED)
    answered = Counter(_group(entry) for entry in log.facts("SurveyAnswered"))
    for group in sorted(closed.keys() | answered.keys()):
        told = f"{group}: {closed[group]} surveys were closed by an answer, there are "
        if answered[group] < closed[group]:
            report.lost.append(f"{told}{answered[group]} answers.")
        elif answered[group] > closed[group]:
            report.doubled.append(f"{told}{answered[group]} answers.")


_ANSWERED = "answered"


def _group(entry: Entry) -> str:
    return f"{entry.cohort}/{entry.text('kind')}~{entry.text('side')}"
