"""Matching's pages behind the links of letters: a proposal, yes or no; and a person's week."""

from collections.abc import Mapping

from schemas.base import Command
from schemas.matching import AcceptProposal, ChangeAvailability, DeclineProposal
from services.chassis.http.links import Link
from services.chassis.http.pages import Choice, Field, Form, LinkPage, Text
from services.chassis.http.problems import Problem

_FORM = Form(
    Text("Votre binôme", "Your pair"),
    (
        Choice(
            "answer",
            Text("Acceptez-vous cette proposition ?", "Do you accept this proposal?"),
            (
                ("accept", Text("Oui, j’accepte", "Yes, I accept")),
                ("decline", Text("Non, je décline", "No, I decline")),
            ),
        ),
    ),
)


def _command(link: Link, answers: Mapping[str, str], _: str) -> Command:
    kinds: dict[str, type[AcceptProposal | DeclineProposal]] = {
        "accept": AcceptProposal,
        "decline": DeclineProposal,
    }
    kind = kinds.get(answers.get("answer", ""))
    if kind is None:
        raise Problem(422, "answer: it is accept or decline")
    return kind.model_validate({"cohort_id": link.cohort_id, "pair_id": link.id, "by": link.side})


_DAYS = (
    ("mon", Text("Lundi", "Monday")),
    ("tue", Text("Mardi", "Tuesday")),
    ("wed", Text("Mercredi", "Wednesday")),
    ("thu", Text("Jeudi", "Thursday")),
    ("fri", Text("Vendredi", "Friday")),
)
_HALVES = (
    ("am", Text("matin, 9 h – 12 h 30", "morning, 9:00 – 12:30"), ("09:00", "12:30")),
    ("pm", Text("après-midi, 13 h 30 – 18 h", "afternoon, 13:30 – 18:00"), ("13:30", "18:00")),
)
_WEEK = Form(
    Text("Votre semaine", "Your week"),
    (),
    Text(
        "Quand êtes-vous disponible pour une séance, d’ordinaire ? Ce que vous cochez remplace ce "
        "que vous aviez indiqué ; les séances déjà prévues ne bougent pas.",
        "When can you usually meet for a session? What you tick replaces what you had told us; "
        "sessions that are planned stay as they are.",
    ),
    tuple(
        Field(f"{day}-{half}", Text(f"{d.fr} {h.fr}", f"{d.en} {h.en}"), "checkbox")
        for day, d in _DAYS
        for half, h, _ in _HALVES
    ),
)


def _week(link: Link, answers: Mapping[str, str], _: str) -> Command:
    week = [
        {"day": day, "start": start, "end": end}
        for day, _ in _DAYS
        for half, _, (start, end) in _HALVES
        if answers.get(f"{day}-{half}")
    ]
    if not week:
        raise Problem(422, "tick at least one half-day, mon-am to fri-pm")
    return ChangeAvailability.model_validate(
        {"cohort_id": link.cohort_id, "person_id": link.person_id, "availability": week}
    )


LINK_PAGES = {
    "proposal": LinkPage(lambda _: _FORM, _command),
    "week": LinkPage(lambda _: _WEEK, _week),
}
