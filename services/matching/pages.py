"""Matching's page behind the link of a proposal: yes or no."""

from collections.abc import Mapping

from schemas.base import Command
from schemas.matching import AcceptProposal, DeclineProposal
from services.chassis.http.links import Link
from services.chassis.http.pages import Choice, Form, LinkPage, Text
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


LINK_PAGES = {"proposal": LinkPage(lambda _: _FORM, _command)}
