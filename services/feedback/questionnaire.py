"""What is asked: the questions of each kind of survey, for each side, in French and English.

Always holds: every question may be answered by 1 (not at all) to 5 (fully), there is no free text,
and every survey after a session asks how useful the hour was. A question whose meaning changes
gets a new id, so that answers to the old one are never mixed with answers to the new one.
"""

from collections.abc import Iterable
from functools import cache
from typing import Literal

from schemas.base import Value
from schemas.values import Side

Kind = Literal["start", "session", "end"]

KINDS: tuple[Kind, ...] = ("start", "session", "end")
SIDES: tuple[Side, ...] = ("mentor", "manager")

USEFULNESS = "usefulness"
"""The question after a session on which the roll-out's satisfaction rests."""


class Question(Value):
    """One question; `id` is a key of the answers (`[a-z_]+`)."""

    id: str
    fr: str
    en: str


SCALE: tuple[Question, ...] = (
    Question(id="1", fr="Pas du tout", en="Not at all"),
    Question(id="2", fr="Plutôt non", en="Rather not"),
    Question(id="3", fr="Moyennement", en="Somewhat"),
    Question(id="4", fr="Plutôt oui", en="Rather so"),
    Question(id="5", fr="Tout à fait", en="Fully"),
)
"""What each answer means, lowest first."""

NOTICE = Question(
    id="notice",
    fr=(
        "Répondez à ce que vous voulez : chaque question est facultative. Vos réponses sont "
        "comptées sans votre nom et ne paraissent que par groupes. Si une séance vous a été peu "
        "utile (« pas du tout » ou « plutôt non »), la coordination apprend aussitôt que le "
        "binôme a besoin d’aide, et rien de plus."
    ),
    en=(
        "Answer what you like: every question is optional. Your answers are counted without your "
        "name and only shown for groups. If a session was of little use to you (“not at all” or "
        "“rather not”), the coordinators learn at once that the pair needs help, and nothing "
        "else."
    ),
)
"""To be shown above every survey: what happens with the answers, the exception included."""

_USEFUL = Question(
    id=USEFULNESS, fr="Cette séance vous a-t-elle été utile ?", en="Was this session useful to you?"
)
_RELATION = Question(
    id="ease_together",
    fr="Étiez-vous à l’aise dans l’échange ?",
    en="Did you feel at ease with each other?",
)
_BRIDGE = Question(
    id="bridge",
    fr="Le binôme vous a-t-il fait connaître d’autres métiers ou d’autres générations ?",
    en="Did the pair show you other jobs or other generations?",
)
_RECOMMEND = Question(
    id="recommend",
    fr="Recommanderiez-vous le programme autour de vous ?",
    en="Would you recommend the programme to a colleague?",
)
_EXPECTATIONS = Question(
    id="expectations",
    fr="Savez-vous ce que vous attendez de ces échanges ?",
    en="Do you know what you expect of these exchanges?",
)

QUESTIONNAIRES: dict[tuple[Kind, Side], tuple[Question, ...]] = {
    ("start", "mentor"): (
        _EXPECTATIONS,
        Question(
            id="ready",
            fr="Pensez-vous pouvoir accompagner quelqu’un ?",
            en="Do you feel ready to coach somebody?",
        ),
        Question(
            id="time_granted",
            fr="Votre encadrement vous laisse-t-il le temps nécessaire ?",
            en="Does your own manager leave you the time for it?",
        ),
    ),
    ("start", "manager"): (
        _EXPECTATIONS,
        Question(
            id="at_ease",
            fr="Êtes-vous à l’aise avec les outils numériques de votre métier ?",
            en="Are you at ease with the digital tools of your job?",
        ),
        Question(
            id="choosing",
            fr="Savez-vous choisir les outils et réseaux utiles à votre métier ?",
            en="Can you tell which tools and networks serve your job?",
        ),
    ),
    ("session", "mentor"): (
        _USEFUL,
        _RELATION,
        Question(
            id="needs_known",
            fr="Les besoins à traiter étaient-ils clairs ?",
            en="Was it clear which needs to work on?",
        ),
    ),
    ("session", "manager"): (
        _USEFUL,
        _RELATION,
        Question(
            id="practice",
            fr="Allez-vous vous servir de ce que vous avez vu ?",
            en="Will you use what you saw?",
        ),
    ),
    ("end", "mentor"): (
        _RECOMMEND,
        _BRIDGE,
        Question(
            id="recognised",
            fr="Votre engagement a-t-il été reconnu ?",
            en="Was what you gave recognised?",
        ),
    ),
    ("end", "manager"): (
        _RECOMMEND,
        _BRIDGE,
        # The same two as at the start, so that the two means can be set side by side.
        Question(
            id="at_ease",
            fr="Êtes-vous à l’aise avec les outils numériques de votre métier ?",
            en="Are you at ease with the digital tools of your job?",
        ),
        Question(
            id="choosing",
            fr="Savez-vous choisir les outils et réseaux utiles à votre métier ?",
            en="Can you tell which tools and networks serve your job?",
        ),
    ),
}


@cache
def question_ids(kind: Kind, side: Side) -> tuple[str, ...]:
    """The ids of what is asked, in the order in which it is asked."""
    return tuple(question.id for question in QUESTIONNAIRES[kind, side])


def misfit(asked: Iterable[str], answered: Iterable[str]) -> str:
    """Which questions were not asked; empty if the answers fit. Every question is optional."""
    # Cut, for what is not a question of ours can be anything.
    unknown = sorted(question[:40] for question in set(answered) - set(asked))
    return f"{', '.join(unknown)} not asked" if unknown else ""
