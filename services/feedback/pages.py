"""Feedback's page behind the link of a survey: its questions, each from 1 to 5.

Always holds: where there is a key for it, what is answered leaves the process sealed.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.base import Command, parent_pair
from schemas.feedback import AnswerSurvey
from schemas.saying import day_and_time
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
from services.feedback.views import Pair, Survey, kind_of, side_of

_TITLES: dict[Kind, Text] = {
    "start": Text("Votre avis, avant de commencer", "Your view, before you begin"),
    "session": Text("Votre avis sur la séance", "Your view of the session"),
    "end": Text("Votre avis sur l’ensemble du parcours", "Your view of the whole programme"),
}
_THEN = Text(
    "Vos réponses sont comptées dès l’envoi, et personne ne sait plus lesquelles sont les vôtres : "
    "vous ne pourrez pas les changer.",
    "Your answers are counted once they are sent, and nobody knows any more which are yours: you "
    "cannot change them.",
)
_BUTTON = Text("Envoyer mes réponses", "Send my answers")
_AFTER = Text("Vous n’avez plus rien à faire.", "There is nothing left to do.")
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
    return Form(_TITLES[kind_of(link.id)], choices, _text(NOTICE), _THEN, _BUTTON)


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

    return {PURPOSE: LinkPage(_form, command, _about, after=lambda *_: _AFTER)}
