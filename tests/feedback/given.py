"""What happens around feedback, in few words: events of the other services, and answers."""

from datetime import timedelta

from schemas.base import pair_of, session_of
from schemas.feedback import AnswerSurvey, CohortMeasured
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    MentorVolunteered,
    PairDissolved,
    PairFormed,
)
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    SessionCompleted,
    SessionMissed,
)
from schemas.values import CohortPolicy, Side, SurveyFigure
from services.chassis.http.links import Link, LinkSigner, LinkVerifier, generate_keys
from services.feedback.handlers import domain_by
from services.feedback.questionnaire import question_ids
from services.feedback.sealing import Seal
from services.feedback.views import Cohort, kind_of, person_of, side_of
from tests.scenario import NOW, Scenario

COHORT = "bercy-2017"
SMALL = CohortPolicy(smallest_group=3)

PRIVATE_KEY, PUBLIC_KEY = generate_keys()
SIGNER = LinkSigner(PRIVATE_KEY)
SEAL = Seal("what answers are sealed with", "what they were sealed with before")
DOMAIN = domain_by(LinkVerifier(PUBLIC_KEY), SEAL)


def opened(policy: CohortPolicy = SMALL, cohort: str = COHORT) -> CohortOpened:
    return CohortOpened(cohort_id=cohort, name="Connecte ton manager", policy=policy)


def begun(policy: CohortPolicy = SMALL) -> Scenario:
    """A cohort that was opened, and measured for the first time."""
    scenario = Scenario(DOMAIN)
    scenario.when(opened(policy))
    scenario.when_due()
    scenario.events.clear()
    return scenario


def volunteered(number: int) -> MentorVolunteered:
    return MentorVolunteered(
        cohort_id=COHORT,
        mentor_id=f"m-{number}",
        directorate="DGFiP",
        site="Bercy",
        skills={"linkedin": 4},
        capacity=1,
        availability=(),
    )


def enrolled(number: int) -> ManagerEnrolled:
    return ManagerEnrolled(
        cohort_id=COHORT,
        manager_id=f"g-{number}",
        directorate="DAE",
        site="Bercy",
        job_family="procurement",
        needs={"linkedin": 2},
        availability=(),
    )


def pair(number: int) -> str:
    return pair_of(f"m-{number}", f"g-{number}")


def _people(number: int) -> dict[str, str]:
    return {
        "cohort_id": COHORT,
        "pair_id": pair(number),
        "mentor_id": f"m-{number}",
        "manager_id": f"g-{number}",
    }


def formed(number: int) -> PairFormed:
    return PairFormed(
        **_people(number), tools=("linkedin",), mentor_availability=(), manager_availability=()
    )


def dissolved(number: int) -> PairDissolved:
    return PairDissolved(**_people(number), cause="request")


def graduated(number: int) -> PairGraduated:
    return PairGraduated(**_people(number), sessions=5)


def stalled(number: int) -> PairStalled:
    return PairStalled(**_people(number), since=NOW)


def _session(number: int, session: int) -> dict[str, object]:
    return {
        **_people(number),
        "session_id": session_of(pair(number), session),
        "number": session,
        "attempt": 1,
        "revision": 0,
        "starts_at": NOW,
        "ends_at": NOW + timedelta(hours=1),
    }


def completed(number: int, session: int = 1) -> SessionCompleted:
    return SessionCompleted.model_validate(
        {**_session(number, session), "by": "manager", "completed": session}
    )


def missed(number: int, session: int = 1) -> SessionMissed:
    return SessionMissed.model_validate({**_session(number, session), "cause": "unreported"})


def corrected(
    number: int, session: int = 1, *, held: bool, presumed: bool = False
) -> AttendanceCorrected:
    """It counted as the contrary."""
    told = {"held": held, "was_held": not held, "was_presumed": presumed, "completed": session}
    return AttendanceCorrected.model_validate({**_session(number, session), **told})


def taken_back(number: int) -> GraduationWithdrawn:
    return GraduationWithdrawn(**_people(number), completed=4, again=1)


def survey(number: int, occasion: str = "s1", side: Side = "manager") -> str:
    return f"{pair(number)}~{occasion}~{side}"


def answer(
    number: int, occasion: str = "s1", side: Side = "manager", score: int = 4
) -> AnswerSurvey:
    """The same score for every question."""
    survey_id = survey(number, occasion, side)
    questions = question_ids(kind_of(survey_id), side_of(survey_id))
    return AnswerSurvey(
        cohort_id=COHORT,
        survey_id=survey_id,
        scores=dict.fromkeys(questions, score),
        proof=proof_of(survey_id),
    )


def proof_of(survey_id: str, signer: LinkSigner = SIGNER, **changes: str | int) -> str:
    """The token of a survey's link, which outlives the survey; or of a link that is another's."""
    link = Link(
        purpose="survey",
        cohort_id=COHORT,
        person_id=person_of(survey_id),
        side=side_of(survey_id),
        id=survey_id,
    )
    return signer.sign(link.model_copy(update=changes), NOW + timedelta(days=365))


def cohort(scenario: Scenario) -> Cohort:
    found = scenario.state.get(Cohort, COHORT, COHORT)
    assert found is not None
    return found


def measures(scenario: Scenario) -> list[CohortMeasured]:
    return [event for event in scenario.events if isinstance(event, CohortMeasured)]


def usefulness(measure: CohortMeasured | Cohort, side: Side = "manager") -> SurveyFigure:
    """The published figure on how useful the sessions were to one side."""
    (figure,) = (
        figure
        for figure in measure.surveys
        if (figure.kind, figure.side, figure.question) == ("session", side, "usefulness")
    )
    return figure
