"""Scheduling's pages behind the links of letters: a session's date, and whether it took place."""

from collections.abc import Mapping

from schemas.base import Command
from schemas.scheduling import CancelSession, ConfirmSession, ReportAttendance, RescheduleSession
from services.chassis.http.links import Link
from services.chassis.http.pages import Choice, Form, LinkPage, Text
from services.chassis.http.problems import Problem

_SESSION = Form(
    Text("Votre séance", "Your session"),
    (
        Choice(
            "answer",
            Text("Cette date vous convient-elle ?", "Does this date suit you?"),
            (
                ("confirm", Text("Oui, je confirme", "Yes, I confirm")),
                ("reschedule", Text("Plus tard : déplacer la séance", "Later: move the session")),
                ("cancel", Text("Non : annuler et replanifier", "No: cancel and plan again")),
            ),
        ),
    ),
)
_ATTENDANCE = Form(
    Text("Votre séance", "Your session"),
    (
        Choice(
            "held",
            Text("La séance a-t-elle eu lieu ?", "Did the session take place?"),
            (("yes", Text("Oui", "Yes")), ("no", Text("Non", "No"))),
        ),
    ),
)

_ANSWERS: dict[str, type[ConfirmSession | RescheduleSession | CancelSession]] = {
    "confirm": ConfirmSession,
    "reschedule": RescheduleSession,
    "cancel": CancelSession,
}


def _session(link: Link, answers: Mapping[str, str], _: str) -> Command:
    kind = _ANSWERS.get(answers.get("answer", ""))
    if kind is None:
        raise Problem(422, "answer: it is confirm, reschedule or cancel")
    fields = {"cohort_id": link.cohort_id, "session_id": link.id, "by": link.side}
    if kind is RescheduleSession and answers.get("starts_at"):
        fields["starts_at"] = answers["starts_at"]
    return kind.model_validate(fields)


def _attendance(link: Link, answers: Mapping[str, str], _: str) -> Command:
    held = {"yes": True, "no": False}.get(answers.get("held", ""))
    if held is None:
        raise Problem(422, "held: it is yes or no")
    return ReportAttendance.model_validate(
        {
            "cohort_id": link.cohort_id,
            "session_id": link.id,
            "attempt": link.attempt,
            "by": link.side,
            "held": held,
        }
    )


LINK_PAGES = {
    "session": LinkPage(lambda _: _SESSION, _session),
    "attendance": LinkPage(lambda _: _ATTENDANCE, _attendance),
}
