"""Who may answer a survey: the person whom it asks, and nobody in their place.

Always holds: only a token that notify has signed for this very survey is a proof. It is checked
again where the answer is decided on, so whoever can write to the topic of commands can do no more
than whoever has the link; and it opens nothing but the survey that the command names anyway.
"""

from datetime import datetime

from schemas.feedback import AnswerSurvey
from services.chassis.documents import RevokedLinks
from services.chassis.http.links import LinkError, LinkVerifier

PURPOSE = "survey"
"""What a survey's link is for."""


def is_proven(
    links: LinkVerifier, command: AnswerSurvey, now: datetime, revoked: RevokedLinks | None
) -> bool:
    """Whether the command carries the token of the survey that it answers, in time, and not one
    that was `revoked`."""
    try:
        link = links.verify(command.proof or "", now)
    except LinkError:
        return False
    if revoked is not None and not revoked.counts(link.name, link.after):
        return False
    of_survey = (PURPOSE, command.cohort_id, command.survey_id)
    return (link.purpose, link.cohort_id, link.id) == of_survey
