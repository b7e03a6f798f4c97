"""Feedback's page behind the link of a survey: its questions, each from 1 to 5.

Always holds: where there is a key for it, what is answered leaves the process sealed; the page does
not show what was answered before, nor whether anything was.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.base import Command, parent_pair
from schemas.feedback import AnswerSurvey
from schemas.saying import Language, day_and_time
from services.chassis.domain import State
from services.chassis.http.forms import About, Choice, Form, LinkPage, Option, Text
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.feedback.proof import PURPOSE
from services.feedback.questionnaire import (
    NOTICE,
    QUESTIONNAIRES,
    SCALE,
    Kind,
    Question,
    misfit,
    question_ids,
)
from services.feedback.sealing import Seal
from services.feedback.surveys import COUNTED
from services.feedback.views import Pair, Survey, kind_of, side_of

_TITLES: dict[Kind, Text] = {
    "start": Text("Votre avis, avant de commencer", "Your view, before you begin"),
    "session": Text("Votre avis sur la séance", "Your view of the session"),
    "end": Text("Votre avis sur l’ensemble du parcours", "Your view of the whole programme"),
}
_AFTER = Text(
    "Vous pouvez encore changer vos réponses par le même lien, {until}tant qu’elles n’ont pas été "
    "comptées avec celles des autres.",
    "You can still change your answers by the same link, {until}as long as they have not been "
    "counted with those of others.",
)
_BEFORE = Text(
    "Vous pourrez changer vos réponses par le même lien, {until}tant qu’elles n’ont pas été "
    "comptées avec celles des autres. Une nouvelle réponse à une question remplace la précédente ; "
    "ce que vous laissez sans réponse reste tel que vous l’aviez dit.",
    "You can change your answers by the same link, {until}as long as they have not been counted "
    "with those of others. A new answer to a question replaces the one before; what you leave out "
    "stays as you had said it.",
)
_UNTIL = Text("jusqu’au {day} et ", "until {day} and ")
_REFUSALS = {
    COUNTED.rule: Text(
        "Votre réponse a été comptée avec les autres, sans nom ; elle ne peut plus être retrouvée.",
        "Your answer was counted with those of others, without a name; it cannot be found again.",
    )
}
_BUTTON = Text("Envoyer mes réponses", "Send my answers")
_SCALE = tuple(Option(step.id, Text(step.fr, step.en)) for step in SCALE)


def _text(question: Question) -> Text:
    return Text(question.fr, question.en)


_NOT_YET = Text(
    "Dites-nous d’abord si la séance a eu lieu, par l’autre lien de la même lettre : ces questions "
    "sont posées aussitôt après.",
    "Do tell us first whether the session took place, by the other link of the same letter: these "
    "questions are asked right after that.",
)


def _form(state: State, link: Link, __: datetime) -> Form:
    """The questions; of a session that nobody has said to have taken place, what to do first."""
    pair = state.get(Pair, link.cohort_id, parent_pair(link.id))
    if pair is not None and state.get(Survey, link.cohort_id, link.id) is None:
        return Form(_TITLES[kind_of(link.id)], (), _NOT_YET)
    questions = QUESTIONNAIRES[kind_of(link.id), side_of(link.id)]
    choices = tuple(Choice(q.id, _text(q), _SCALE, required=False) for q in questions)
    then = _as_long(_BEFORE, state, link)
    return Form(_TITLES[kind_of(link.id)], choices, None, then, _BUTTON, hint=_text(NOTICE))


def _as_long(text: Text, state: State, link: Link) -> Text:
    """How long an answer can be changed: the same, whether or not there is one."""
    survey = state.get(Survey, link.cohort_id, link.id)
    if survey is None:
        return Text(text.fr.format(until=""), text.en.format(until=""))
    closes_at = survey.closes_at

    def said(language: Language) -> str:
        of, until = (text.en, _UNTIL.en) if language == "en" else (text.fr, _UNTIL.fr)
        return of.format(until=until.format(day=day_and_time(closes_at, language)))

    return Text.of(said)


def _about(state: State, link: Link) -> About:
    """With whom, which session, and until when, whether or not it was answered."""
    lines = [(Text("Avec", "With"), _NAMED)]
    occasion = link.id.split("~")[2]
    if kind_of(link.id) == "session":
        number = occasion.removeprefix("s")
        lines.append((Text("Séance", "Session"), Text(number, number)))
    survey = state.get(Survey, link.cohort_id, link.id)
    if survey is not None:
        closes_at = survey.closes_at
        until = Text.of(lambda language: day_and_time(closes_at, language))
        lines.append((Text("Répondre jusqu’au", "Answer until"), until))
    return About(lines)


_NAMED = Text("la personne nommée dans votre lettre", "the person named in your letter")


def _command(link: Link, answers: Mapping[str, str], token: str, seal: Seal | None) -> Command:
    asked = question_ids(kind_of(link.id), side_of(link.id))
    if wrong := misfit(asked, answers):  # told before anybody looks whether it was answered
        raise Problem(422, f"The answers are not to what is asked: {wrong}.", rule="wrong-answers")
    command = AnswerSurvey.model_validate(
        {
            "cohort_id": link.cohort_id,
            "survey_id": link.id,
            "scores": dict(answers),
            "proof": token,
        }
    )
    if seal is None:
        return command
    scores = {question: command.scores[question] for question in asked if question in answers}
    sealed = seal.seal(f"{link.cohort_id}/{link.id}", scores)
    return command.model_copy(update={"scores": {}, "sealed": sealed})


def link_pages(seal: Seal | None) -> dict[str, LinkPage]:
    """By purpose of a link, its page.

    Without a `seal` commands are such as an older process beside this one can read.
    """

    def command(link: Link, answers: Mapping[str, str], token: str) -> Command:
        return _command(link, answers, token, seal)

    def after(state: State, link: Link, _: Command) -> Text:
        return _as_long(_AFTER, state, link)

    return {PURPOSE: LinkPage(_form, command, _about, after, _REFUSALS)}
