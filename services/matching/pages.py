"""Matching's pages behind links: a proposal, its calculation, and a person's week."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from schemas.base import Command, people_of
from schemas.charter import CHARTER, Charter
from schemas.known import jobs
from schemas.known.tools import listed
from schemas.lines import LineRelation
from schemas.matching import AcceptProposal, ChangeAvailability, DeclineProposal
from schemas.saying import day_and_time, number
from schemas.values import BY_HAND, REMOTE, Words
from services.chassis.domain import State
from services.chassis.http.forms import About, Choice, Form, LinkPage, Option, Table, Text
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.matching.views import Cohort, Manager, Mentor, Override, Pair, PairState

_FORM = Form(
    Text("Votre réponse à une proposition de binôme", "Your answer to the proposal of a pair"),
    (
        Choice(
            "answer",
            Text("Acceptez-vous ce binôme ?", "Do you accept this pair?"),
            (
                Option("accept", Text("Oui, j’accepte", "Yes, I accept")),
                Option("decline", Text("Non, je décline", "No, I decline")),
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


def _pair(state: State, link: Link) -> Pair | None:
    return state.get(Pair, link.cohort_id, link.id)


_LINES: dict[LineRelation, Text] = {
    "manager-above": Text(
        "la personne accompagnée est au-dessus de son mentor dans la ligne hiérarchique",
        "whoever is coached stands above their mentor in the line of managers",
    ),
    "mentor-above": Text(
        "le mentor est au-dessus de la personne accompagnée dans la ligne hiérarchique",
        "the mentor stands above whoever is coached in the line of managers",
    ),
    "same-manager": Text(
        "vous avez tous les deux le même responsable",
        "both of you report to the same person",
    ),
}
_LINE = Text("À savoir avant de répondre", "To know before you answer")


def _form(state: State, link: Link, _: datetime) -> Form:
    pair = _pair(state, link)
    closed = _CLOSED.get(pair.state) if pair else None
    if closed is not None:
        return Form(_FORM.title, (), closed)
    charter = _charter(state, link)
    in_line = pair is not None and pair.reporting_line is not None
    return replace(_FORM, choices=(_answers(charter, in_line),)) if charter or in_line else _FORM


def _charter(state: State, link: Link) -> Charter | None:
    """What the two agree to; None where the cohort cannot be read, for it may have its own."""
    cohort = state.get(Cohort, link.cohort_id, link.cohort_id)
    return (cohort.policy.charter or CHARTER) if cohort else None


def _answers(charter: Charter | None, in_line: bool) -> Choice:
    """Yes is to the charter, too: the answer says to which text of it; and to the line, if any."""
    [asked] = _FORM.choices
    _, no = asked.options
    yes = _YES[charter is not None, in_line]
    value = _KNOWING if in_line else "accept"
    return replace(
        asked, options=(Option(f"{value}:{charter.version if charter else ''}", yes), no)
    )


_KNOWING = "accept-knowing"
"""The answer of somebody who agrees to be in one reporting line with the other."""
_YES = {
    (True, False): Text(
        "Oui, j’accepte ce binôme et la charte", "Yes, I accept this pair and the charter"
    ),
    (True, True): Text(
        "Oui, j’accepte ce binôme et la charte, et ce lien hiérarchique me convient",
        "Yes, I accept this pair and the charter, and I am at ease with this line of managers",
    ),
    (False, True): Text(
        "Oui, j’accepte ce binôme, et ce lien hiérarchique me convient",
        "Yes, I accept this pair, and I am at ease with this line of managers",
    ),
}


def _about(state: State, link: Link) -> About:
    """The other person, as far as matching knows: whose name it is stands in the letter."""
    pair = _pair(state, link)
    if pair is None:
        return About()
    lines = [*_of_the_other(state, link), (_BEGIN, _text(listed(pair.tools)))]
    if pair.reporting_line is not None and pair.state == "proposed":
        lines.insert(0, (_LINE, _LINES[pair.reporting_line]))
    if (due := pair.due_at) is not None:
        until = Text.of(lambda language: day_and_time(due, language))
        lines.append((Text("Répondre jusqu’au", "Answer until"), until))
    if (charter := _charter(state, link)) is not None and pair.state == "proposed":
        lines.append((_CHARTER, Text(charter.fr, charter.en)))
    if link.side in pair.accepted and pair.state == "proposed":
        lines.append((_YOURS, _ACCEPTED_BEFORE))
    return About(lines)


_CHARTER = Text("La charte", "The charter")
_BEGIN = Text("Pour commencer", "To begin with")
_YOURS = Text("Votre réponse", "Your answer")
_ACCEPTED_BEFORE = Text(
    "vous avez accepté ; vous pouvez encore changer d’avis",
    "you have accepted; you can still change your mind",
)


def _of_the_other(state: State, link: Link) -> Sequence[tuple[Text, Text]]:
    mentor_id, manager_id = people_of(link.id)
    if link.side == "manager":
        mentor = state.get(Mentor, link.cohort_id, mentor_id)
        return [(_NAMED, _where(mentor))] if mentor else []
    manager = state.get(Manager, link.cohort_id, manager_id)
    if manager is None:
        return []
    job, where = jobs.said(manager.job_family), _where(manager)
    return [(_NAMED, Text(f"{job.fr} ; {where.fr}", f"{job.en}; {where.en}"))]


_NAMED = Text("La personne nommée dans votre lettre", "The person named in your letter")


def _where(person: Mentor | Manager) -> Text:
    site = Text(person.site, person.site)
    if person.site == REMOTE:
        site = Text("à distance", "at a distance")
    return Text(f"{person.directorate}, {site.fr}", f"{person.directorate}, {site.en}")


def _text(words: Words) -> Text:
    return Text(words.fr, words.en)


def _command(link: Link, answers: Mapping[str, str], __: str) -> Command:
    answer, _, charter = answers.get("answer", "").partition(":")
    about = {"cohort_id": link.cohort_id, "pair_id": link.id, "by": link.side}
    if charter:
        about["charter"] = charter
    match answer:
        case "accept" | "accept-knowing":
            knowing = answer == _KNOWING
            return AcceptProposal.model_validate(about | {"knowing_the_line": knowing})
        case "decline":
            return DeclineProposal.model_validate(about)
        case _:
            raise Problem(422, "answer: it is accept, with the version of the charter, or decline")


def _after(state: State, link: Link, command: Command) -> Text:
    pair = _pair(state, link)
    if pair is not None and pair.state == "formed":
        return _CLOSED["formed"]
    return _ACCEPTED if isinstance(command, AcceptProposal) else _DECLINED


# --- the whole calculation, for whoever it was made about (CRPA, R311-3-1-2) ---------------------

_EXPLANATION = Form(
    Text("Comment ce binôme a été proposé", "How this pair was proposed"),
    (),
    Text(
        "Ni l’âge ni le grade ne comptent : ils ne sont pas dans les données.",
        "Neither age nor rank counts: they are not in the data.",
    ),
)
_CRITERIA: dict[str, Text] = {
    "coverage": Text("outils recherchés et maîtrisés", "tools asked for and mastered"),
    "job": Text("outils conseillés pour le métier", "tools recommended for the job"),
    "availability": Text("heures libres en commun", "free hours in common"),
    "bridge": Text("ouverture entre directions", "a bridge between directorates"),
    "proximity": Text("même site, ou à distance", "same site, or at a distance"),
}
_BY_ROUND = Text(
    "Le calcul propose ; chacun des deux décide, en acceptant ou en déclinant. Aucune autre "
    "décision n’en dépend.",
    "The calculation proposes; each of the two decides, by accepting or declining. No other "
    "decision depends on it.",
)
_BY_COORDINATOR = Text(
    "La coordination du programme a choisi ce binôme : le calcul n’a pas compté. Il est montré "
    "pour information.",
    "The programme’s coordinators chose this pair: the calculation did not count. It is shown for "
    "information.",
)
_DATA = Text(
    "Ce que chacun a dit à son inscription : outils et niveaux, métier, direction, site et heures "
    "libres.",
    "What each said when they enrolled: tools and levels, job, directorate, site and free hours.",
)
_OPERATIONS = Text(
    "Chaque critère vaut de 0 à 1. Il est multiplié par sa part des poids ; leur somme est le "
    "total. Parmi tous les binômes possibles, on retient ceux qui donnent un mentor au plus de "
    "managers, puis ceux dont la somme des totaux est la plus haute.",
    "Each criterion is from 0 to 1. It is multiplied by its share of the weights; their sum is the "
    "total. Among all possible pairs, those are taken that give a mentor to most managers, and "
    "then those whose totals add up to most.",
)
_COLUMNS = (
    Text("Critère", "Criterion"),
    Text("D’où il vient", "What it comes from"),
    Text("Valeur", "Value"),
    Text("Poids", "Weight"),
    Text("Points sur 100", "Points of 100"),
)


def _explaining(state: State, link: Link, _: datetime) -> Form:
    known = _pair(state, link) is not None
    return _EXPLANATION if known else Form(_EXPLANATION.title, (), _AWAY)


def _explanation(state: State, link: Link) -> About:
    """Degree and way of contribution, data, parameters with their weights, operations."""
    pair = _pair(state, link)
    if pair is None:
        return About()
    chosen = state.get(Override, link.cohort_id, link.id)
    degree = _BY_COORDINATOR if pair.round_id == BY_HAND else _BY_ROUND
    told = [
        (Text("Rôle du calcul", "What the calculation is for"), degree),
        (Text("Données utilisées", "Data used"), _DATA),
        (Text("Opérations", "Operations"), _OPERATIONS),
    ]
    if pair.round_id == BY_HAND and chosen is not None:
        told.insert(1, (Text("Raison donnée", "Reason given"), Text(chosen.reason, chosen.reason)))
    facts = {
        **{what.en: {"fr": how.fr, "en": how.en} for what, how in told},
        "Parameters": [reason.model_dump() for reason in pair.reasons],
        "Total": pair.score,
    }
    return About(told, tables=(_parameters(pair),), facts=facts)


_AWAY = Text(
    "Ce calcul ne peut pas être montré pour le moment : merci de réessayer plus tard.",
    "This calculation cannot be shown at the moment: please try again later.",
)


def _parameters(pair: Pair) -> Table:
    rows = [
        (
            _CRITERIA[reason.criterion],
            (
                _text(reason.words) if reason.words else Text("", ""),
                _figure(reason.value),
                _figure(reason.weight),
                _figure(reason.contribution),
            ),
        )
        for reason in pair.reasons
    ]
    total = (Text("Total", "Total"), (*(Text("", ""),) * 3, _figure(pair.score)))
    return Table(Text("Paramètres et poids", "Parameters and weights"), _COLUMNS, [*rows, total])


def _figure(value: float) -> Text:
    return Text(number(value, "fr", 2), number(value, "en", 2))


def _nothing_to_send(*_: object) -> Command:
    raise Problem(422, "there is nothing to answer here")


# --- a person's week, where two have no hour in common -------------------------------------------

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
    (
        Choice(
            "week",
            Text(
                "Quand êtes-vous disponible pour une séance, d’ordinaire ?",
                "When can you usually meet for a session?",
            ),
            tuple(
                Option(f"{day}-{half}", said, under=under)
                for day, under in _DAYS
                for half, said, _ in _HALVES
            ),
            several=True,
        ),
    ),
    Text(
        "Ce que vous cochez remplace ce que vous aviez indiqué. Les séances déjà prévues ne "
        "bougent pas.",
        "What you tick replaces what you had told us. Sessions that are planned stay as they are.",
    ),
    Text(
        "Une date commune est cherchée aussitôt : si elle existe, une lettre vous la dit.",
        "A common date is sought at once: if there is one, a letter tells you.",
    ),
    Text("Envoyer ma semaine", "Send my week"),
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


def _sought(*_: object) -> Text | None:
    return _WEEK.then


_REFUSALS = {
    "already-answered": Text(
        "Vous avez déjà accepté ce binôme : votre réponse est enregistrée.",
        "You have accepted this pair already: your answer is recorded.",
    ),
    "proposal-declined": Text("Cette proposition a été déclinée.", "It has been declined."),
    "proposal-expired": Text(
        "Le temps pour répondre est passé.", "The time to answer has run out."
    ),
    "line-not-agreed": Text(
        "Vous êtes dans la même ligne hiérarchique. Rouvrez la page de votre lettre : "
        "elle vous demande si cela vous convient.",
        "Both of you are in one line of managers. Open the page of your letter again: it asks you "
        "whether you are at ease with that.",
    ),
}
LINK_PAGES = {
    "proposal": LinkPage(_form, _command, _about, _after, _REFUSALS),
    "explanation": LinkPage(_explaining, _nothing_to_send, _explanation),
    "week": LinkPage(lambda *_: _WEEK, _week, after=_sought),
}
