"""Matching's page behind the link of a proposal: who it is about, and yes or no."""

from collections.abc import Mapping, Sequence

from schemas.base import Command, people_of
from schemas.known import jobs
from schemas.known.tools import listed
from schemas.matching import AcceptProposal, DeclineProposal
from schemas.saying import LANGUAGES, day_and_time
from schemas.values import Words
from services.chassis.domain import Document, One
from services.chassis.http.forms import About, Choice, Form, LinkPage, Text
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.matching.views import Manager, Mentor, Pair, PairState

_FORM = Form(
    Text("Votre réponse à une proposition de binôme", "Your answer to the proposal of a pair"),
    (
        Choice(
            "answer",
            Text("Acceptez-vous ce binôme ?", "Do you accept this pair?"),
            (
                ("accept", Text("Oui, j’accepte", "Yes, I accept")),
                ("decline", Text("Non, je décline", "No, I decline")),
            ),
        ),
    ),
    then=Text(
        "Si vous acceptez tous les deux, nous fixons la première séance et vous écrivons. Si l’un "
        "de vous décline, nous cherchons quelqu’un d’autre pour chacun : c’est sans conséquence.",
        "If both of you accept, we set the first session and write to you. If one of you declines, "
        "we look for somebody else for each: it has no consequence.",
    ),
    button=Text("Envoyer ma réponse", "Send my answer"),
)
_CLOSED: dict[PairState, Text] = {
    "formed": Text(
        "Ce binôme est formé : vous avez accepté tous les deux. Vous n’avez plus rien à faire.",
        "This pair is already formed: both of you accepted. There is nothing left to do.",
    ),
    "declined": Text(
        "Ce binôme ne se fera pas. Votre inscription reste valable : nous vous écrirons.",
        "This pair will not be formed. You are still enrolled: we will write to you.",
    ),
    "expired": Text(
        "Cette proposition est close. Votre inscription reste valable : nous vous écrirons.",
        "This proposal is closed. You are still enrolled: we will write to you.",
    ),
    "dissolved": Text("Ce binôme a pris fin.", "This pair has ended."),
    "graduated": Text("Ce binôme a terminé son parcours.", "This pair has had all its sessions."),
}
_ACCEPTED = Text(
    "Si l’autre personne accepte aussi, vous recevrez son adresse et la date de la première "
    "séance.",
    "If the other person accepts, too, you will be sent their address and the first date.",
)
_DECLINED = Text(
    "Votre inscription reste valable. Nous vous écrirons dès que nous aurons quelqu’un d’autre à "
    "vous présenter.",
    "You are still enrolled. We will write as soon as we have somebody else to introduce to you.",
)


def _needs(link: Link) -> Sequence[One]:
    mentor_id, manager_id = people_of(link.id)
    return (
        One(Pair, link.cohort_id, link.id),
        One(Mentor, link.cohort_id, mentor_id),
        One(Manager, link.cohort_id, manager_id),
    )


def _about(link: Link, known: Sequence[Document]) -> About:
    """The other person, as far as matching knows: whose name it is stands in the letter."""
    pair = next((found for found in known if isinstance(found, Pair)), None)
    if pair is None:
        return About()
    lines = [line for found in known for line in _of_the_other(link, found)]
    lines.append((_BEGIN, _text(listed(pair.tools))))
    if pair.due_at is not None:
        until = (day_and_time(pair.due_at, language) for language in LANGUAGES)
        lines.append((Text("Répondre jusqu’au", "Answer until"), Text(*until)))
    if link.side in pair.accepted and pair.state == "proposed":
        lines.append((_YOURS, _ACCEPTED_BEFORE))
    return About(lines, _CLOSED.get(pair.state))


_BEGIN = Text("Pour commencer", "To begin with")
_YOURS = Text("Votre réponse", "Your answer")
_ACCEPTED_BEFORE = Text(
    "vous avez accepté ; vous pouvez encore changer d’avis",
    "you have accepted; you can still change your mind",
)


def _of_the_other(link: Link, person: Document) -> Sequence[tuple[Text, Text]]:
    match person:
        case Mentor() if link.side == "manager":
            where = f"{person.directorate}, {person.site}"
            return [(Text("La personne nommée dans votre lettre", _NAMED), Text(where, where))]
        case Manager() if link.side == "mentor":
            job, where = jobs.said(person.job_family), f"{person.directorate}, {person.site}"
            said = Text(f"{job.fr} ; {where}", f"{job.en}; {where}")
            return [(Text("La personne nommée dans votre lettre", _NAMED), said)]
        case _:
            return []


_NAMED = "The person named in your letter"


def _text(words: Words) -> Text:
    return Text(words.fr, words.en)


def _command(link: Link, answers: Mapping[str, str], _: str) -> Command:
    kinds: dict[str, type[AcceptProposal | DeclineProposal]] = {
        "accept": AcceptProposal,
        "decline": DeclineProposal,
    }
    kind = kinds.get(answers.get("answer", ""))
    if kind is None:
        raise Problem(422, "answer: it is accept or decline")
    return kind.model_validate({"cohort_id": link.cohort_id, "pair_id": link.id, "by": link.side})


def _after(_: Link, command: Command) -> Text:
    return _ACCEPTED if isinstance(command, AcceptProposal) else _DECLINED


LINK_PAGES = {"proposal": LinkPage(lambda _: _FORM, _command, _needs, _about, _after)}
