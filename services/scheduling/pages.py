"""Scheduling's pages behind the links of letters: a session's date, and whether it took place."""

from collections.abc import Mapping, Sequence

from schemas.base import Command
from schemas.saying import LANGUAGES, span
from schemas.scheduling import CancelSession, ConfirmSession, ReportAttendance, RescheduleSession
from services.chassis.domain import Document, One
from services.chassis.http.forms import About, Choice, Form, LinkPage, Text
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.scheduling.views import Cohort, Session

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
    then=Text(
        "L’autre personne apprend tout changement par une lettre, et vos agendas sont mis à jour.",
        "The other person learns of any change by letter, and your calendars are updated.",
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

_NEXT: dict[type[Command], Text] = {
    ConfirmSession: Text(
        "Après la séance, nous vous demanderons simplement si elle a eu lieu.",
        "After the session we will simply ask whether it took place.",
    ),
    RescheduleSession: Text(
        "Vous recevez tous les deux la nouvelle date, avec une invitation pour votre agenda.",
        "Both of you are sent the new date, with an invitation for your calendar.",
    ),
    CancelSession: Text(
        "La séance quitte vos agendas, et nous vous proposons une nouvelle date à tous les deux.",
        "The session leaves your calendars, and we propose a new date to both of you.",
    ),
    ReportAttendance: Text(
        "Si la séance a eu lieu, nous vous demanderons votre avis ; sinon, une nouvelle date "
        "arrive. Vous n’avez rien d’autre à faire.",
        "If the session took place, we will ask for your view; if not, a new date is coming. There "
        "is nothing else to do.",
    ),
}
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


def _needs(link: Link) -> Sequence[One]:
    return (One(Session, link.cohort_id, link.id), One(Cohort, link.cohort_id, link.cohort_id))


def _about(link: Link, known: Sequence[Document]) -> About:
    """Which session, when, with whom, as far as scheduling knows: names stand in the letter."""
    lines = []
    for found in known:
        match found:
            case Session():
                when = (span(found.starts_at, found.ends_at, language) for language in LANGUAGES)
                lines.append((_WHEN, Text(*when)))
            case Cohort():
                number, of = link.id.rpartition("~")[2], found.policy.sessions
                lines.append((_WHICH, Text(f"{number} sur {of}", f"{number} of {of}")))
            case _:
                pass
    return About([*lines, (_WITH, _NAMED)])


_WHEN, _WHICH, _WITH = Text("Quand", "When"), Text("Séance", "Session"), Text("Avec", "With")
_NAMED = Text("la personne nommée dans votre lettre", "the person named in your letter")


def _after(_: Link, command: Command) -> Text | None:
    return _NEXT.get(type(command))


LINK_PAGES = {
    "session": LinkPage(lambda _: _SESSION, _session, _needs, _about, _after),
    "attendance": LinkPage(lambda _: _ATTENDANCE, _attendance, _needs, _about, _after),
}
