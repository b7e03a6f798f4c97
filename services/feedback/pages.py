"""Feedback's page behind the link of a survey: its questions, each from 1 to 5."""

from collections.abc import Mapping

from schemas.base import Command
from schemas.feedback import AnswerSurvey
from services.chassis.http.links import Link
from services.chassis.http.pages import Choice, Form, LinkPage, Text
from services.chassis.http.problems import Problem
from services.feedback.proof import PURPOSE
from services.feedback.questionnaire import (
    NOTICE,
    QUESTIONNAIRES,
    SCALE,
    Question,
    misfit,
    question_ids,
)
from services.feedback.views import kind_of, side_of

_SCALE = tuple((step.id, Text(step.fr, step.en)) for step in SCALE)


def _text(question: Question) -> Text:
    return Text(question.fr, question.en)


def _form(link: Link) -> Form:
    questions = QUESTIONNAIRES[kind_of(link.id), side_of(link.id)]
    choices = tuple(Choice(q.id, _text(q), _SCALE) for q in questions)
    return Form(Text("Votre avis", "Your opinion"), choices, _text(NOTICE))


def _command(link: Link, answers: Mapping[str, str], token: str) -> Command:
    asked = question_ids(kind_of(link.id), side_of(link.id))
    if wrong := misfit(asked, answers):  # told before anybody looks whether it was answered
        raise Problem(422, f"The answers are not to what is asked: {wrong}.", rule="wrong-answers")
    return AnswerSurvey.model_validate(
        {
            "cohort_id": link.cohort_id,
            "survey_id": link.id,
            "scores": dict(answers),
            "proof": token,
        }
    )


LINK_PAGES = {PURPOSE: LinkPage(_form, _command)}
