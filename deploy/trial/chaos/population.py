"""Invented people of a cohort, and what they ask for. The same seed invents the same."""

import random

from schemas.base import Command
from schemas.matching import (
    ChangeAvailability,
    EnrolManager,
    OpenCohort,
    PauseMentor,
    ResumeMentor,
    VolunteerAsMentor,
)
from schemas.people import PersonContact
from schemas.values import WEEKDAYS, CohortPolicy, Window

# Five sessions as ever, but as close to each other as the rules let them be: a programme has to
# come to its end within a run.
POLICY = CohortPolicy(
    cadence_days=1, proposal_days=4, report_days=3, survey_days=3, stalled_days=20, measure_days=2
)
# People who read letters take days to answer, and letters can be late.
POLICY_BY_LETTER = POLICY.model_copy(
    update={"proposal_days": 10, "report_days": 8, "survey_days": 5}
)
TOOLS = ("linkedin", "twitter", "teams", "slack", "wiki", "trello", "excel", "podcast")
DIRECTORATES = ("DGFiP", "DGDDI", "INSEE", "DGCCRF", "DGE")
SITES = ("Paris Bercy", "Montreuil", "Lyon", "Lille")
JOBS = ("tax-audit", "press-office", "procurement")


class Crowd:
    """One cohort: who is in it, and an endless supply of what they might want next."""

    def __init__(
        self, seed: int, id: str, mentors: int, managers: int, policy: CohortPolicy = POLICY
    ) -> None:
        self.id = id
        self._policy = policy
        self._chance = random.Random(f"{seed}:{self.id}")  # noqa: S311  # no secret
        self.volunteers = [self._volunteer(f"m-{i:03}") for i in range(mentors)]
        self.enrolments = [self._enrolment(f"g-{i:03}") for i in range(managers)]
        self._paused: set[str] = set()

    @property
    def opening(self) -> Command:
        return OpenCohort(cohort_id=self.id, name=f"Wave {self.id}", policy=self._policy)

    @property
    def contacts(self) -> list[Command]:
        people = [m.mentor_id for m in self.volunteers] + [g.manager_id for g in self.enrolments]
        return [
            PersonContact(
                cohort_id=self.id,
                person_id=person,
                name=f"Person {person}",
                email=f"{person}@{self.id}.example",
                language=self._chance.choice(("fr", "en")),
            )
            for person in people
        ]

    def wish(self) -> Command:
        """What somebody asks for next; now and then what is so already."""
        mood = self._chance.random()
        mentor = self._chance.choice(self.volunteers)
        if mood < 0.06:
            return mentor
        if mood < 0.25:
            if mentor.mentor_id in self._paused:
                self._paused.discard(mentor.mentor_id)
                return ResumeMentor(cohort_id=self.id, mentor_id=mentor.mentor_id)
            self._paused.add(mentor.mentor_id)
            return PauseMentor(cohort_id=self.id, mentor_id=mentor.mentor_id)
        person = self._chance.choice(self.enrolments).manager_id if mood < 0.5 else mentor.mentor_id
        return ChangeAvailability(
            cohort_id=self.id, person_id=person, availability=self._availability()
        )

    def _availability(self) -> tuple[Window, ...]:
        """Every day, so that any two find a time in common; hardly ever the same twice."""
        minute = self._chance.randrange
        return tuple(
            Window(
                day=day,
                start=f"{minute(8, 10):02}:{minute(60):02}",
                end=f"{minute(16, 19):02}:{minute(60):02}",
            )
            for day in WEEKDAYS
        )

    def _tools(self) -> dict[str, int]:
        return {tool: self._chance.randint(1, 5) for tool in self._chance.sample(TOOLS, 3)}

    def _volunteer(self, person: str) -> VolunteerAsMentor:
        return VolunteerAsMentor(
            cohort_id=self.id,
            mentor_id=person,
            directorate=self._chance.choice(DIRECTORATES),
            site=self._chance.choice(SITES),
            skills=self._tools(),
            capacity=self._chance.choice((1, 1, 2)),
            availability=self._availability(),
        )

    def _enrolment(self, person: str) -> EnrolManager:
        return EnrolManager(
            cohort_id=self.id,
            manager_id=person,
            directorate=self._chance.choice(DIRECTORATES),
            site=self._chance.choice(SITES),
            job_family=self._chance.choice(JOBS),
            needs=self._tools(),
            availability=self._availability(),
        )


def brimful(cohort: str) -> list[Command]:
    """A cohort and three people of whom everything is told that may be, and how to reach them."""
    windows = tuple(
        Window(day=day, start=f"{hour:02}:00", end=f"{hour:02}:59")
        for day in WEEKDAYS
        for hour in range(8, 12)
    )
    tools = {f"{number:0>32}": 5 for number in range(40)}
    place = "\U0001f985" * 64  # of four bytes each
    address = f"{'a' * 64}@{'.'.join(['b' * 58] * 3)}.example"
    others = tuple(f"p{number:0>47}" for number in range(200))
    told = {"directorate": place, "site": place, "availability": windows, "excludes": others}
    mentors = [f"m{number:0>47}" for number in range(2)]
    manager = f"g{0:0>47}"
    return [
        OpenCohort(cohort_id=cohort, name="\U0001f985" * 120, policy=POLICY),
        *(
            PersonContact(
                cohort_id=cohort, person_id=person, name=place, email=address, language="fr"
            )
            for person in (*mentors, manager)
        ),
        *(
            VolunteerAsMentor(cohort_id=cohort, mentor_id=mentor, skills=tools, capacity=5, **told)
            for mentor in mentors
        ),
        EnrolManager(cohort_id=cohort, manager_id=manager, job_family=place, needs=tools, **told),
    ]
