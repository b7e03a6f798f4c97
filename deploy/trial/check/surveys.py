"""Surveys: asked of both sides on every occasion, once; closed once at most; answers counted.

What is sealed is not opened here: that one answer is in the place of another is told by `replaces`.
"""

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
    _changes(log, report)
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
    answered = Counter(_group(entry) for entry in first_answers(log))
    for group in sorted(closed.keys() | answered.keys()):
        told = f"{group}: {closed[group]} surveys were closed by an answer, there are "
        if answered[group] < closed[group]:
            report.lost.append(f"{told}{answered[group]} answers.")
        elif answered[group] > closed[group]:
            report.doubled.append(f"{told}{answered[group]} answers.")


def first_answers(log: Log) -> list[Entry]:
    """One for each survey that was answered: those that are changed are one answer still."""
    return [entry for entry in log.facts("SurveyAnswered") if entry.data.get("replaces") is None]


def _changes(log: Log, report: Report) -> None:
    """An answer is replaced while it waits, and counted once, however often it was."""
    waiting: dict[str, list[str]] = {}
    for entry in log.journal("feedback"):
        if entry.name == "SurveyAnswered" and (sealed := entry.text("sealed")):
            those = waiting.setdefault(_group(entry), [])
            if replaced := entry.text("replaces"):
                if replaced not in those:
                    report.doubled.append(f"{entry}: what it replaces does not wait any more.")
                    continue
                those.remove(replaced)
            those.append(sealed)
        elif entry.name == "AnswersCounted" and (sums := entry.data.get("sums")):
            _count(entry, sums, waiting, report)


def _count(
    entry: Entry, sums: dict[str, dict[str, int]], waiting: dict[str, list[str]], report: Report
) -> None:
    """No question has more answers than there are people who have answered; what waits on waits."""
    those = waiting.get(_group(entry), [])
    kept = [sealed for sealed in those if sealed in (entry.data.get("unopened") or ())]
    counted = max(one["answers"] for one in sums.values())
    if counted > len(those) - len(kept):
        told = f"{counted} answers are counted, there were {len(those) - len(kept)}"
        report.doubled.append(f"{entry}: {told}.")
    waiting[_group(entry)] = kept


_ANSWERED = "answered"


def _group(entry: Entry) -> str:
    return f"{entry.cohort}/{entry.text('kind')}~{entry.text('side')}"
