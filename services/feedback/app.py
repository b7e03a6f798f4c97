"""Composition root of feedback. `python -m services.feedback.app` runs it."""

import sys

import services.chassis.beginning  # noqa: F401  # before all that it spares
from schemas.feedback import AnswerSurvey
from services.chassis.parts import Parts
from services.chassis.runtime import Service, main, verifier_of
from services.chassis.settings import load
from services.feedback.handlers import domain_by
from services.feedback.pages import link_pages
from services.feedback.sealing import Seal
from services.feedback.settings import FeedbackSettings
from services.feedback.views import COUNTED, LISTED, MEASURES


def build() -> Service:
    """The service, from the environment; nothing is opened yet."""
    settings = load(FeedbackSettings)
    seal = Seal(*settings.answers_secrets)
    parts = Parts(
        domain_by(verifier_of(settings), seal),
        LISTED,
        MEASURES,
        COUNTED,
        link_pages=link_pages(seal if settings.answers_key else None),
        by_link=frozenset({AnswerSurvey}),
    )
    return Service(settings, parts)


if __name__ == "__main__":
    sys.exit(main(build))
