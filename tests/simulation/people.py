"""Simulated people: coordinators who run cohorts, and pairs who do what people do with letters.

How people answer a letter is `deploy.trial.habits`; how late they do, and what nobody should ever
send, is here. Always holds: what somebody does depends on the seed and on what the letter is about,
never on when or how often it comes. Every programme comes to an end: a coordinator sees to it.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from deploy.trial.habits import Habits
from schemas.appointments import GiveRole, TakeRole
from schemas.base import Command, parent_pair, people_of
from schemas.calendars import DeclareAbsence, NoteHoursElsewhere, OfferHours, WithdrawAbsence
from schemas.cohorts import ChangePolicy, CloseCohort
from schemas.community import StandInDirectory, TellCommunity
from schemas.dates import Hours
from schemas.feedback import AnswerSurvey
from schemas.lines import NameLineManager, outsider
from schemas.links import OneLink, RevokeLinks
from schemas.matching import (
    AcceptProposal,
    ChangeAvailability,
    DeclineProposal,
    DissolvePair,
    EnrolManager,
    KeepApart,
    OpenCohort,
    PauseMentor,
    ProposePair,
    ResumeMentor,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.meeting import AnswerInvitation, SetMeetingPlace
from schemas.notify import ReportBounce, RetryLetter
from schemas.people import PersonContact
from schemas.places import MeetingPlace
from schemas.retention import LEAST_DAYS
from schemas.rounds import CallOffRound
from schemas.scheduling import (
    AcceptMove,
    CancelSession,
    ConfirmSession,
    CorrectAttendance,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
)
from schemas.sheets import SheetText, TakeSheetBack, WriteSheet
from schemas.taking_part import (
    AskForAnotherPartner,
    ChangeManager,
    ChangeMentor,
    KeepPartner,
    PauseManager,
    ResumeManager,
    ReturnManager,
    ReturnMentor,
)
from schemas.topics import PEOPLE
from schemas.values import CohortPolicy, QuietHours, RolloutCriteria, SiteRegion, Weights, Window
from services.feedback.questionnaire import question_ids
from services.feedback.views import kind_of, side_of
from services.matching import views as matching
from services.notify import views as notify
from services.notify.views import Letter
from services.scheduling import views as scheduling
from tests.simulation.faults import DAY, HOUR
from tests.simulation.mail import NOBODY
from tests.simulation.proof import proof_of

if TYPE_CHECKING:
    from tests.simulation.world import World

GRID = 12 * HOUR
"""People look at their letters twice a day, so that what happens at a time happens together."""
PATIENCE = 45 * DAY
"""After which a coordinator begins to end what has not ended by itself."""
SECRET = "of a world"
"""What ids of addresses are made with."""

VISIO = MeetingPlace(at="link", link="https://visio.example/{room}")
PARTNER = "Natixis"
SITES = ("Paris Bercy", "Lyon")
DIRECTORATES = ("DGFiP", "DGE", "INSEE")
WEEK = (
    Window(day="mon", start="09:00", end="12:00"),
    Window(day="tue", start="09:00", end="17:00"),
    Window(day="thu", start="14:00", end="17:00"),
)
SCORES = ("1", "2", "3", "4", "5")
OTHER_WEEK = (Window(day="tue", start="10:00", end="16:00"),)


def coordination(cohort_id: str) -> str:
    """The address of a cohort's coordinator."""
    return f"coordination@{cohort_id}.example.org"


@dataclass(slots=True)
class Cohort:
    """One programme."""

    id: str
    mentors: list[str] = field(default_factory=list)
    managers: list[str] = field(default_factory=list)
    begun_at: float = 0.0
    over: bool = False


class People:
    """Everybody: `cohorts` are whom they belong to, `busy` how many things they are about to do."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.habits = Habits(world.seed)
        self.busy = 0
        self.cohorts: dict[str, Cohort] = {}
        self._misses: dict[str, int] = {}
        self._after = 0
        self._act: dict[str, Callable[[Letter], None]] = {
            "PairProposed": self._proposal,
            "PairFormed": self._begin,
            "SessionPlanned": self._session,
            "SessionMoveProposed": self._move_proposed,
            "SessionRescheduled": self._moved,
            "AttendanceRequested": self._attendance,
            "SessionDisputed": self._disputed,
            "PlanningPostponed": self._no_common_hour,
            "SurveyOpened": self._survey,
        }

    # --- chance -----------------------------------------------------------------------------

    def mood(self, *about: str) -> float:
        """0 to 1, always the same for the same thing."""
        text = ":".join((str(self.world.seed), *about))
        return zlib.crc32(text.encode()) / 2**32

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do it when next one looks at one's letters after so long."""
        loop = self.world.loop
        at = -(-(loop.time() + seconds) // GRID) * GRID + 60.0
        self.busy += 1

        def act() -> None:
            self.busy -= 1
            do()

        loop.call_at(at, act)

    def ask(self, command: Command, days: float = 0.0, about: str = "") -> None:
        """Send a command some days later; now and then twice."""
        mood = self.mood("twice", type(command).__name__, command.cohort_id, command.subject, about)
        times = 2 if mood < 0.06 else 1
        for _ in range(times):
            self.later(days * DAY, lambda: self.world.send(command))

    def _if(self, sure: bool, command: Command, days: float) -> None:
        if sure:
            self.ask(command, days)

    # --- coordinators -------------------------------------------------------------------------

    def open(self, cohort_id: str, days: float) -> None:
        """A coordinator opens a cohort and runs it."""
        self.cohorts[cohort_id] = cohort = Cohort(cohort_id)
        self.later(days * DAY, lambda: self._open(cohort))

    def _open(self, cohort: Cohort) -> None:
        send, mood, its = self.world.send, self.mood("cohort", cohort.id), cohort.id
        cohort.begun_at = self.world.loop.time()
        send(OpenCohort(cohort_id=its, name=f"Cohorte {its}", policy=self._policy(its)))
        couples = 2 if mood < 0.1 else 1
        spare = self.mood("spare", its) < 0.15
        for number in range(couples + spare):
            self._volunteer(cohort, f"m{number}")
        for number in range(couples):
            self._enrol(cohort, f"g{number}")
        self._by_hand(its)
        if self.mood("other rules", its) < 0.3:
            other = self._policy(its).model_copy(update={"weights": Weights(bridge=30)})
            self.ask(ChangePolicy(cohort_id=its, policy=other), 3)
        self.later(HOUR, lambda: send(RunRound(cohort_id=its, round_id="r1")))
        self.later(9 * DAY, lambda: send(RunRound(cohort_id=its, round_id="r2")))
        if mood > 0.8:
            room = f"https://{its}.example.org/room"
            self.ask(TellCommunity(cohort_id=its, room=room if mood < 0.95 else None), 1)
        if (written := self.mood("sheet", its)) < 0.3:
            text = SheetText(title="Wiki", body="Cherchez une procédure.")
            sheet = WriteSheet(cohort_id=its, sheet_id="f1", tool="wiki", fr=text)
            self.ask(sheet, 1)
            if written < 0.2:
                self.ask(TakeSheetBack(cohort_id=its, sheet_id="f1", follows=1), 2)
            if written < 0.1:
                self.ask(sheet.model_copy(update={"jobs": ("tax-audit",)}), 3)
        if self.mood("coordinator", its) < 0.7:
            address = coordination(its)
            self.world.send(
                PersonContact(
                    cohort_id=its, person_id="c1", name="c1", email=address, role="coordinator"
                ),
                PEOPLE,
            )
        self._appoint(its)
        self._revoke_links(its)
        if self.mood("nonsense", its) < 0.3:
            self._nonsense(its)
        self.later(PATIENCE, lambda: self._end(cohort))

    def _appoint(self, its: str) -> None:
        """An administrator gives roles, and takes some: the last one's own, too, which stays."""
        mood = self.mood("roles", its)
        if mood > 0.4:
            return
        given = GiveRole(cohort_id=its, person_id="c1", role="administrator")
        self.ask(given, 1)
        if mood < 0.3:
            partner = {"role": "partner", "organisations": (PARTNER,)}
            self.ask(given.model_copy(update={"person_id": "m0", **partner}), 1.5)
        if mood < 0.2:
            self.ask(given.model_copy(update={"person_id": "m0"}), 2)
            self.ask(TakeRole(cohort_id=its, person_id="c1", role="administrator"), 3)
        if mood < 0.1:
            self.ask(TakeRole(cohort_id=its, person_id="m0", role="administrator"), 4)
            self.ask(given, 5)

    def _revoke_links(self, its: str) -> None:
        """Somebody has lost their telephone, or passed one letter on; some of them again."""
        mood = self.mood("links", its)
        if mood > 0.4:
            return
        lost = RevokeLinks(cohort_id=its, person_id="g0" if mood < 0.15 else "m0")
        self.ask(lost, mood * 50)
        if mood < 0.3:
            survey = OneLink(purpose="survey", id="m0~g0~s1~manager")
            self.ask(lost.model_copy(update={"link": survey}), mood * 60)
        if mood < 0.05:
            self.ask(lost.model_copy(update={"person_id": "nobody"}), 1)

    def _by_hand(self, its: str) -> None:
        """What a coordinator does beside the rounds: looks first, proposes, rules out."""
        mood = self.mood("by hand", its)
        line = self.mood("line", its)
        if line < 0.3:  # a chief who takes no part or coordinates, or both of a pair in one line
            coordinates = outsider(coordination(its), SECRET)
            chief = "chief" if line < 0.07 else coordinates if line < 0.2 else "g0"
            for below in ("m0", "g0") if line < 0.1 else ("m0",):
                named = NameLineManager(cohort_id=its, person_id=below, line_manager=chief)
                self.ask(named, line)
        if mood < 0.3:
            look = RunRound(cohort_id=its, round_id="r1" if mood < 0.15 else "s1", mode="simulate")
            self.ask(look, 0.03)
        if 0.3 < mood < 0.4:
            held = {"in_minutes": 90, "besides": ("m0~g0",)} if mood < 0.35 else {"in_minutes": 5}
            self.ask(RunRound.model_validate({"cohort_id": its, "round_id": "h1", **held}), 0.03)
            self.ask(CallOffRound(cohort_id=its, round_id="h1"), 0.03)
        if 0.2 < mood < 0.4:
            self.ask(ProposePair(cohort_id=its, pair_id="m0~g0", reason="asked for it"), 0.03)
        if mood > 0.85:
            apart = "m0~g1" if mood > 0.9 else "m0~g0"
            self.ask(KeepApart(cohort_id=its, pair_id=apart, reason="share an office"), mood * 5)

    def _policy(self, cohort_id: str) -> CohortPolicy:
        mood = self.mood("policy", cohort_id)
        night = QuietHours(start="20:00", end="08:00")
        return CohortPolicy(
            reporting_line="both_consent" if 0.4 < mood < 0.7 else "forbid",
            sessions=2 if mood < 0.75 else 3 if mood < 0.92 else 4 if mood < 0.97 else 5,
            cadence_days=2,
            proposal_days=3,
            report_days=3,
            survey_days=3,
            measure_days=30,
            stalled_days=12,
            smallest_group=3,
            quiet_hours=night if mood < 0.3 else QuietHours(start="03:00", end="03:00"),
            rollout=RolloutCriteria(pairs_graduated=1),
            regions=(SiteRegion(site=SITES[1], region="67"),) if mood < 0.5 else None,
            where=VISIO if 0.2 < mood < 0.6 else None,
        )

    def _volunteer(self, cohort: Cohort, id: str) -> None:
        cohort.mentors.append(id)
        volunteer = VolunteerAsMentor(
            cohort_id=cohort.id,
            mentor_id=id,
            directorate=DIRECTORATES[len(cohort.id) % 3],
            site=SITES[0],
            skills={"linkedin": 4, "visio": 3},
            capacity=2 if self.mood("capacity", cohort.id, id) < 0.2 else 1,
            availability=WEEK,
            organisation=PARTNER if self.mood("organisation", cohort.id, id) < 0.3 else None,
        )
        self.world.send(volunteer)
        self._contact(cohort.id, id)
        mood = self.mood("pause", cohort.id, id)
        if mood < 0.06:
            self.ask(PauseMentor(cohort_id=cohort.id, mentor_id=id), 1)
            self.ask(ResumeMentor(cohort_id=cohort.id, mentor_id=id), 4)
        elif mood < 0.1:
            self.ask(volunteer, 2)
        elif mood > 0.9:
            self.ask(StandInDirectory(cohort_id=cohort.id, mentor_id=id, listed=mood < 0.97), 1)
        elif mood < 0.16:
            more = {"skills": {"linkedin": 5}} if mood < 0.13 else {"capacity": 1, "site": SITES[1]}
            other = "" if volunteer.organisation else PARTNER
            change = {"cohort_id": cohort.id, "mentor_id": id, **more, "organisation": other}
            self.ask(ChangeMentor.model_validate(change), 2)

    def _enrol(self, cohort: Cohort, id: str) -> None:
        cohort.managers.append(id)
        self.world.send(
            EnrolManager(
                cohort_id=cohort.id,
                manager_id=id,
                directorate=DIRECTORATES[1],
                site=SITES[zlib.crc32(id.encode()) % 2],
                job_family="tax-audit",
                needs={"linkedin": 2},
                availability=WEEK,
            )
        )
        self._contact(cohort.id, id)
        mood = self.mood("pause", cohort.id, id)
        about = {"cohort_id": cohort.id, "manager_id": id}
        if mood < 0.06:
            self.ask(PauseManager(**about), mood * 50)
            self.ask(ResumeManager(**about), 4)
        elif mood < 0.1:
            self.ask(ChangeManager(**about, site=SITES[0], needs={} if mood < 0.08 else None), 2)

    def _contact(self, cohort_id: str, id: str) -> None:
        mood = self.mood("contact", cohort_id, id)
        name = self._address(cohort_id, id)
        helper = {"name": f"help-{id}", "email": f"help-{name}"}
        about = {"cohort_id": cohort_id, "person_id": id, "name": id, "email": name}
        assisted = self.mood("assistant", cohort_id, id) < 0.2
        contact = PersonContact.model_validate(about | {"assistant": helper if assisted else None})
        if mood > 0.95:
            self.later(2 * DAY, lambda: self.world.send(contact, PEOPLE))
            return
        self.world.send(contact, PEOPLE)
        if mood > 0.9:  # told again, and nobody helps them any more
            alone = contact.model_copy(update={"assistant": None})
            self.later(5 * DAY, lambda: self.world.send(alone, PEOPLE))

    def _address(self, cohort_id: str, id: str) -> str:
        """Two cohorts that open at one time may have somebody in common, in either role."""
        if self.mood("contact", cohort_id, id) < 0.02:
            return f"{NOBODY}{cohort_id}.example.org"
        number = cohort_id.removeprefix("c")
        if not number.isdigit():  # it stands alone
            return f"{id}@{cohort_id}.example.org"
        couple, second = int(number) & ~2, int(number) & 2
        mood = self.mood("in common", str(couple))
        role = "g0" if mood < 0.1 or (mood < 0.2 and second) else "m0"
        if mood < 0.4 and id == role:
            return f"both{couple}@people.example.org"
        return f"{id}@{cohort_id}.example.org"

    def _nonsense(self, id: str) -> None:
        """What no rule allows."""
        self.ask(AcceptProposal(cohort_id=id, pair_id="m7~g7", by="mentor"))
        self.ask(OpenCohort(cohort_id=id, name="another name"), 1)
        self.ask(ConfirmSession(cohort_id=id, session_id="m0~g0~1", by="mentor"))
        self.ask(AnswerSurvey(cohort_id=id, survey_id="m0~g0~end~mentor", scores={"a": 1}), 1)
        self.ask(WithdrawManager(cohort_id=id, manager_id="g9"), 2)
        self.ask(RetryLetter(cohort_id=id, letter_id="none"), 1)
        other = {"calendar": "0" * 16, "revision": 1, "goes_first": True, "gone": True}
        told = {"cohort_id": id, "person_id": "m0", **other}
        self.ask(NoteHoursElsewhere.model_validate(told), 2)

    def _end(self, cohort: Cohort) -> None:
        """See to it that what has not ended by itself ends; look again in a week if need be."""
        look = self.world.documents
        pairs = [
            pair
            for pair in look("matching", matching.Pair, cohort.id)
            if pair.state in ("proposed", "formed")
        ]
        age = self.world.loop.time() - cohort.begun_at
        for pair in pairs:
            if age > PATIENCE + 20 * DAY:
                self.world.send(WithdrawManager(cohort_id=cohort.id, manager_id=pair.manager_id))
            else:
                self.world.send(DissolvePair(cohort_id=cohort.id, pair_id=pair.id, reason=""))
        active = {
            pair.id
            for pair in look("scheduling", scheduling.Pair, cohort.id)
            if pair.state == "active"
        }
        for session in look("scheduling", scheduling.Session, cohort.id):
            if session.pair_id in active and session.asked and session.is_open:
                self._report(session.cohort_id, session.id, session.attempt, "mentor", held=True)
        if pairs or active:
            self.later(2 * DAY, lambda: self._end(cohort))
            return
        cohort.over = True
        if self.mood("closes", cohort.id) < 0.5:
            self.world.send(CloseCohort(cohort_id=cohort.id, keep_days=LEAST_DAYS))
        for letter in look("notify", notify.Letter, cohort.id):
            if letter.state == "failed" and self.mood("retry", letter.key) < 0.3:
                self.world.send(RetryLetter(cohort_id=cohort.id, letter_id=letter.id))
        if self.mood("erase", cohort.id) < 0.2:
            self.world.erase(cohort.id, cohort.mentors[0])

    # --- pairs --------------------------------------------------------------------------------

    def read(self, letter: Letter, after: int) -> None:
        """A letter has come, and is read fact by fact; one that comes again is put away.

        Some come back. `after`: how many revocations its links were written after.
        """
        self._after = after
        if self.mood("bounce", letter.key) < 0.01:
            back = ReportBounce(cohort_id=letter.cohort_id, letter_id=letter.id, status="5.2.2")
            self.ask(back, 0.1)
            return
        if letter.to_assistant:
            self._assist(letter)
            return
        for part in letter.parts():
            about = {"id": part.news_id, "template": part.template, "facts": part.facts}
            act = self._act.get(part.template)
            if act is not None:
                act(letter.model_copy(update={**about, "side": part.side, "also": ()}))

    def _assist(self, letter: Letter) -> None:
        """An assistant sees to what they get a copy of, now and then."""
        mood, facts = self.mood("assist", letter.key), letter.facts
        if letter.template not in ("SessionPlanned", "SessionRescheduled") or mood > 0.5:
            return
        about = {"cohort_id": letter.cohort_id, "session_id": facts["session_id"]}
        said = about | {"by": letter.side, "on_behalf": True}
        kind = (
            ConfirmSession if mood < 0.35 else RescheduleSession if mood < 0.45 else CancelSession
        )
        self.ask(kind.model_validate(said), self._late(letter) / 4, about=letter.key)

    def _late(self, letter: Letter) -> float:
        """After how many days somebody acts: at once, next day, or too late."""
        mood = self.mood("late", letter.key)
        return 0.0 if mood < 0.8 else 1.0 if mood < 0.98 else 9.0

    def _proposal(self, letter: Letter) -> None:
        cohort, pair, side = letter.cohort_id, letter.facts["pair_id"], letter.side
        reaction = self.habits.proposal(cohort, pair, side)
        if reaction is None:
            return
        if reaction.answer == "accept":
            knowing = letter.facts.get("reporting_line") is not None
            yes = AcceptProposal(cohort_id=cohort, pair_id=pair, by=side, knowing_the_line=knowing)
            self.ask(yes, self._late(letter))
        else:
            self.ask(DeclineProposal(cohort_id=cohort, pair_id=pair, by=side))

    def _begin(self, letter: Letter) -> None:
        cohort, pair = letter.cohort_id, letter.facts["pair_id"]
        mentor, manager = people_of(pair)
        mentors = letter.side == "mentor"
        person = mentor if mentors else manager
        if self.habits.leaves(cohort, person):
            back = self.mood("back", cohort, person) < 0.4
            if mentors:
                self.ask(WithdrawMentor(cohort_id=cohort, mentor_id=mentor), 4)
                self._if(back, ReturnMentor(cohort_id=cohort, mentor_id=mentor), 5)
            else:
                self.ask(WithdrawManager(cohort_id=cohort, manager_id=manager), 4)
                self._if(back, ReturnManager(cohort_id=cohort, manager_id=manager), 5)
        elif self.mood("parted", letter.key) < 0.01:
            self.ask(DissolvePair(cohort_id=cohort, pair_id=pair, reason="posts"), 2)
        elif self.mood("another", letter.key) < 0.05:
            about = {"cohort_id": cohort, "pair_id": pair, "by": letter.side}
            self.ask(AskForAnotherPartner.model_validate(about), 1)
            kept = KeepPartner.model_validate(about)
            self._if(self.mood("kept", letter.key) < 0.5, kept, 3)
        elif self.habits.changes_week(cohort, pair, person):
            self.ask(
                ChangeAvailability(cohort_id=cohort, person_id=person, availability=OTHER_WEEK), 1
            )

    def _session(self, letter: Letter) -> None:
        session, side, cohort = letter.facts["session_id"], letter.side, letter.cohort_id
        attempt = str(letter.facts["attempt"])  # one that was moved is answered anew
        self._away(letter)
        self._elsewhere(letter)
        if self._answers_by_calendar(letter):
            return
        reaction = self.habits.session(cohort, f"{session}.{attempt}", side)
        match reaction and reaction.answer:
            case "confirm":
                self.ask(ConfirmSession(cohort_id=cohort, session_id=session, by=side), about="c")
            case "reschedule":
                self.ask(
                    RescheduleSession(cohort_id=cohort, session_id=session, by=side), about="r"
                )
            case "to":
                self._move(letter, letter.facts["starts_at"], timedelta(hours=1))
            case "propose":
                self._move(letter, letter.facts["starts_at"], timedelta(days=1))
            case "cancel":
                self.ask(CancelSession(cohort_id=cohort, session_id=session, by=side), about="x")

    def _move(self, letter: Letter, since: str, by: timedelta) -> None:
        """Move a session to a time of one's own: at once, where both are free, or as a proposal."""
        move = RescheduleSession(
            cohort_id=letter.cohort_id,
            session_id=letter.facts["session_id"],
            by=letter.side,
            starts_at=datetime.fromisoformat(since) + by,
        )
        self.ask(move, about=str(move.starts_at))

    def _move_proposed(self, letter: Letter) -> None:
        cohort, session, at = (letter.facts[n] for n in ("cohort_id", "session_id", "proposed_at"))
        reaction = self.habits.move(cohort, f"{session}.{at}", letter.side)
        about = {"cohort_id": cohort, "session_id": session, "by": letter.side, "proposed_at": at}
        match reaction and reaction.answer:
            case "accept":
                self.ask(AcceptMove.model_validate(about), about=at)
            case "decline":
                self.ask(DeclineMove.model_validate(about), about=at)
            case "propose":
                self._move(letter, at, timedelta(hours=2))

    def _moved(self, letter: Letter) -> None:
        """A move that took effect at once: now and then the other side wants the date before."""
        facts, side = letter.facts, letter.side
        cohort, session, at = (facts[n] for n in ("cohort_id", "session_id", "starts_at"))
        if facts["may_object"] and facts["by"] != side and self.habits.objects(cohort, at, side):
            back = DeclineMove(cohort_id=cohort, session_id=session, by=side, proposed_at=at)
            self.ask(back, about=at)

    def _away(self, letter: Letter) -> None:
        """Leave that begins on the day of a session; now and then it is called off again."""
        cohort, about = letter.cohort_id, letter.facts["session_id"]
        person, day = letter.person_id, date.fromisoformat(letter.facts["starts_at"][:10])
        if self.habits.goes_away(cohort, about, person):
            first, last = day.isoformat(), (day + timedelta(days=6)).isoformat()
            leave = DeclareAbsence(
                cohort_id=cohort, person_id=person, first_day=first, last_day=last
            )
            self.ask(leave, about=about)
            if self.mood("back", letter.key) < 0.5:
                back = WithdrawAbsence(cohort_id=cohort, person_id=person, first_day=first)
                self.ask(back, 1, about)
        elif self.mood("also", letter.key) < 0.03:
            hours = (Hours(start="09:00", end="12:00"),)
            next_day = (day + timedelta(days=1)).isoformat()
            free = OfferHours(cohort_id=cohort, person_id=person, day=next_day, hours=hours)
            self.ask(free, about=about)

    def _answers_by_calendar(self, letter: Letter) -> bool:
        """Some press the button of their calendar program, now and then long afterwards."""
        mood, facts = self.mood("calendar", letter.key), letter.facts
        if mood > 0.12:
            return False
        reply = "accepted" if mood < 0.08 else "declined" if mood < 0.1 else "countered"
        start = datetime.fromisoformat(facts["starts_at"]) + timedelta(days=1)
        answer = AnswerInvitation.model_validate(
            {
                "cohort_id": letter.cohort_id,
                "session_id": facts["session_id"],
                "by": letter.side,
                "answer": reply,
                "sequence": facts["revision"],
                "proposed_at": start if reply == "countered" else None,
            }
        )
        self.ask(answer, self._late(letter) / 4, about=letter.key)
        return True

    def _elsewhere(self, letter: Letter) -> None:
        """Now and then one of them would rather meet somewhere else."""
        if self.mood("elsewhere", letter.key) < 0.04:
            chosen = MeetingPlace(at="text", text="Salle 214")
            pair = letter.facts["pair_id"]
            self.ask(
                SetMeetingPlace(
                    cohort_id=letter.cohort_id, pair_id=pair, by=letter.side, place=chosen
                ),
                about=letter.key,
            )

    def _no_common_hour(self, letter: Letter) -> None:
        """They widen their week, sooner or later."""
        if self.mood("widens", letter.key) < 0.7:
            cohort, person = letter.cohort_id, letter.person_id
            wide = ChangeAvailability(cohort_id=cohort, person_id=person, availability=WEEK)
            self.ask(wide, 1, letter.facts["retry_at"])

    def _attendance(self, letter: Letter) -> None:
        session, attempt = letter.facts["session_id"], int(letter.facts["attempt"])
        cohort = letter.cohort_id
        if attempt < 3 and self.habits.is_silent(cohort, f"{session}.{attempt}"):
            return  # neither of them reports
        held = attempt > self.habits.misses(cohort, session)
        if letter.side in self.habits.reporters(cohort, session):
            days = self._late(letter) / 4
            errs = attempt < 3 and self.habits.errs(cohort, f"{session}.{attempt}", letter.side)
            if errs:
                self._report(cohort, session, attempt, letter.side, held=not held, days=days)
                days += 3
            self._report(cohort, session, attempt, letter.side, held=held, days=days)

        survey = f"{parent_pair(session)}~s{letter.facts['number']}~{letter.side}"
        if attempt == 1:  # asked in the same letter, and taken once it was reported
            for days in (2.0, 5.0):
                self._answer(letter, survey, days)

    def _disputed(self, letter: Letter) -> None:
        """A coordinator asks both, and enters what has been."""
        if letter.side == "mentor":
            session, attempt = letter.facts["session_id"], int(letter.facts["attempt"])
            cohort = letter.cohort_id
            held = attempt > self.habits.misses(cohort, session)
            settled = CorrectAttendance(
                cohort_id=cohort, session_id=session, attempt=attempt, held=held
            )
            self.ask(settled, 1, f"{attempt}.{letter.facts['revision']}")

    def _report(
        self,
        cohort: str,
        session: str,
        attempt: int,
        side: str,
        *,
        held: bool,
        days: float = 0.0,
    ) -> None:
        report = ReportAttendance.model_validate(
            {
                "cohort_id": cohort,
                "session_id": session,
                "attempt": attempt,
                "by": side,
                "held": held,
            }
        )
        self.ask(report, days, str(attempt))

    def _survey(self, letter: Letter) -> None:
        self._answer(letter, letter.facts["survey_id"], self._late(letter))

    def _answer(self, letter: Letter, survey: str, late: float) -> None:
        cohort = letter.cohort_id
        if self.habits.survey(cohort, survey) is None:
            return
        questions = question_ids(kind_of(survey), side_of(survey))
        given = self.habits.scores(cohort, survey, dict.fromkeys(questions, SCORES))
        scores = {question: int(score) for question, score in given.items()}
        if self.mood("survey", letter.key) < 0.03:
            scores.pop(questions[0])
            scores["unasked"] = 3
        proof = proof_of(letter, survey, self._after)
        answers = AnswerSurvey(cohort_id=cohort, survey_id=survey, scores=scores, proof=proof)
        self.ask(answers, late, str(late))
        if again := self.habits.thinks_again(cohort, survey):
            others = self.habits.scores(cohort, survey, dict.fromkeys(questions, SCORES), "again")
            kept = others.items() if again.days < 1 else [*others.items()][:1]
            changed = {question: int(score) for question, score in kept}
            told = answers.model_copy(update={"scores": changed})
            self.ask(told, late + again.days, "again")
        self._forge(letter, survey, proof, late)

    def _forge(self, letter: Letter, survey: str, proof: str, late: float) -> None:
        """Somebody answers for the other side: with their own link, or without one."""
        mood = self.mood("forge", letter.key)
        if mood < 0.2:
            pair, occasion, side = survey.rsplit("~", 2)
            other = f"{pair}~{occasion}~{'manager' if side == 'mentor' else 'mentor'}"
            scores = dict.fromkeys(question_ids(kind_of(other), side_of(other)), 1)
            shown = proof if mood < 0.1 else None
            forged = AnswerSurvey(
                cohort_id=letter.cohort_id, survey_id=other, scores=scores, proof=shown
            )
            self.ask(forged, late / 2, "forged")
