"""Simulated people: they read the letters in their mailbox and follow the links in them.

Always holds: they act only as people can, through HTTP and the pages behind the links; and what
one of them does depends on the seed, on who they are and on what the letter is about, never on
when it comes, so the same seed tells the same story however often a service is killed meanwhile.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from email.message import EmailMessage
from functools import partial
from typing import Protocol

import httpx

from deploy.local.mail import Mailbox
from deploy.local.stack import ServiceProcess
from deploy.trial.calendar_program import bounced, hand_over, reply_to
from deploy.trial.habits import Habits, Reaction
from deploy.trial.opened import Letter, read
from deploy.trial.programme_time import Deed, ProgrammeTime
from schemas.topics import Service

AT_ONCE = 64
"""So many of them have a page open, or send a form."""
SURVEY_TRIES = 4
"""So often does somebody look whether the questions after a session are asked by now."""
PATIENCE = 120.0  # real seconds that somebody goes on trying when a page does not load

_DECIDED = ("answer", "held")  # fields of a page that are no questions of a survey
_TICK = re.compile(r'<input type="checkbox" name="([^"]+)"')
_RADIO = re.compile(r'<input type="radio" name="([^"]+)" value="([^"]+)"')


class World(Protocol):
    """What people see of the platform: their mail, and where the services are."""

    @property
    def mailbox(self) -> Mailbox: ...
    @property
    def services(self) -> Mapping[Service, ServiceProcess]: ...
    @property
    def inbound(self) -> int | None: ...


class People:
    """Everybody who has a mailbox. `done` counts what they did, `failed` what did not work.

    `concerned` says of a letter's cohort whether its people act at all; `heard` is given every
    answer to a command that was understood.
    """

    def __init__(
        self,
        stack: World,
        seed: int,
        time: ProgrammeTime,
        *,
        concerned: Callable[[str], bool] = lambda _: True,
        heard: Callable[[httpx.Response], None] = lambda _: None,
    ) -> None:
        self.stack = stack
        self._time = time
        self._habits = Habits(seed)
        self._concerned = concerned
        self._heard = heard
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._missed: Counter[tuple[str, str]] = Counter()
        self._held: dict[tuple[str, str, int], bool] = {}
        self._client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=AT_ONCE))
        # The client's own queue is walked along for each request that begins or ends.
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._plans: dict[str, Callable[[Letter], Reaction | None]] = {
            "PairProposed": self._proposal,
            "SessionPlanned": self._session,
            "SessionMoveProposed": self._move_proposed,
            "SessionRescheduled": self._moved,
            "AttendanceRequested": self._attendance,
            "SurveyOpened": self._survey,
        }

    async def live(self) -> None:
        """Read letters as they come, until cancelled."""
        mailbox = self.stack.mailbox
        opened, letters = mailbox.count, mailbox.letters()
        async with self._client, self._time.living(lambda: mailbox.count - opened):
            async for message in letters:
                self.receive(message)
                opened += 1

    def receive(self, message: EmailMessage) -> None:
        """Open a letter that has come."""
        if self._concerned(str(message["X-Connecte-Cohort"])):
            for told in read(message):
                self._open(told)

    def _open(self, letter: Letter) -> None:
        """Decide what to do about a letter, and when."""
        if letter.assistant:
            reaction = self._habits.assists(letter.cohort, letter.subject, letter.person)
            if letter.template == "SessionPlanned" and letter.attempt == 1 and reaction:
                self._later(reaction.days, letter, partial(self._follow, letter, reaction), "helps")
            return
        if self._comes_back(letter):
            self._later(0.05, letter, partial(self._send_back, letter))
            return
        if letter.template == "PairFormed" and self._is_helped(letter):
            self._later(0.05, letter, partial(self._name_assistant, letter), "names")
        if letter.template == "PairFormed" and self._habits.leaves(letter.cohort, letter.person):
            self._later(0.2, letter, partial(self._leave, letter))
        elif letter.template == "SessionPlanned" and self._changes_week(letter):
            self._later(0, letter, partial(self._change_week, letter))
        elif letter.template == "PlanningPostponed":
            self._later(0.5, letter, partial(self._widen, letter))
        elif self._is_away(letter):
            self._later(0.1, letter, partial(self._go_away, letter))
        elif says := self._by_calendar(letter):
            self._later(0.3, letter, partial(self._press, letter, says))
        elif (decide := self._plans.get(letter.template)) and (reaction := decide(letter)):
            self._later(reaction.days, letter, partial(self._follow, letter, reaction))

    def _later(self, days: float, letter: Letter, deed: Deed, again: str = "") -> None:
        """What a mentor's pairs do has to do with each other: they share the mentor's week."""
        whose = f"{letter.cohort}:{letter.mentor}"
        what = (letter.template, letter.subject, str(letter.attempt), letter.person, again)
        self._time.later(days, whose, ":".join(what), deed)

    # --- what they decide -------------------------------------------------------------------

    def _proposal(self, letter: Letter) -> Reaction | None:
        return self._habits.proposal(letter.cohort, letter.subject, letter.person)

    def _session(self, letter: Letter) -> Reaction | None:
        if letter.attempt > 1:
            return None
        return self._habits.session(letter.cohort, letter.subject, letter.person)

    def _move_proposed(self, letter: Letter) -> Reaction | None:
        return self._habits.move(letter.cohort, f"{letter.subject}.{letter.attempt}", letter.person)

    def _moved(self, letter: Letter) -> Reaction | None:
        """The page offers the date before to the one who was not asked, for as long as it is."""
        about = f"{letter.subject}.{letter.attempt}"
        objects = self._habits.objects(letter.cohort, about, letter.person)
        return Reaction(0.1, "decline") if objects else None

    def _attendance(self, letter: Letter) -> Reaction | None:
        """Both know whether it took place."""
        held = self._took_place(letter)
        about = f"{letter.subject}.{letter.attempt}"
        if letter.attempt == 1 and self._habits.is_silent(letter.cohort, about):
            return None
        if letter.side not in self._habits.reporters(letter.cohort, letter.subject):
            return None
        days = self._habits.report_days(letter.cohort, letter.subject, letter.person)
        if letter.attempt == 1 and self._habits.errs(letter.cohort, about, letter.person):
            right = Reaction(days + 2, "yes" if held else "no")
            self._later(right.days, letter, partial(self._follow, letter, right), "corrects")
            held = not held
        return Reaction(days, "yes" if held else "no")

    def _took_place(self, letter: Letter) -> bool:
        """A session fails to take place as often as fate has it, however often it was moved."""
        session = (letter.cohort, letter.subject)
        attempt = (*session, letter.attempt)
        if attempt not in self._held:
            self._held[attempt] = self._missed[session] >= self._habits.misses(*session)
            self._missed[session] += not self._held[attempt]
        return self._held[attempt]

    def _survey(self, letter: Letter) -> Reaction | None:
        first = self._habits.survey(letter.cohort, letter.subject)
        if first and (more := self._habits.thinks_again(letter.cohort, letter.subject)):
            again = Reaction(first.days + more.days, "again")
            self._later(again.days, letter, partial(self._follow, letter, again), "thinks again")
        return first

    def _changes_week(self, letter: Letter) -> bool:
        return (
            letter.attempt == 1
            and letter.subject.endswith("~2")
            and self._habits.changes_week(letter.cohort, letter.subject, letter.person)
        )

    def _is_away(self, letter: Letter) -> bool:
        return (
            letter.template == "SessionPlanned"
            and letter.attempt == 1
            and letter.day is not None
            and self._habits.goes_away(letter.cohort, letter.subject, letter.person)
        )

    def _by_calendar(self, letter: Letter) -> str | None:
        """What the buttons of their calendar program say for them, where something is listening."""
        if letter.template != "SessionPlanned" or letter.attempt > 1 or self.stack.inbound is None:
            return None
        return self._habits.by_calendar(letter.cohort, letter.subject, letter.person)

    def _comes_back(self, letter: Letter) -> bool:
        return (
            letter.template == "SessionPlanned"
            and letter.attempt == 1
            and self.stack.inbound is not None
            and self._habits.is_full(letter.cohort, letter.subject, letter.person)
        )

    def _is_helped(self, letter: Letter) -> bool:
        return self._habits.has_assistant(letter.cohort, letter.person)

    # --- what they do -------------------------------------------------------------------------

    async def _follow(self, letter: Letter, reaction: Reaction, again: int = 0) -> None:
        """Open the page behind the link, fill in the form, send it."""
        if letter.link is None:
            self.failed[f"{letter.template}: no link"] += 1
            return
        page = await self._patiently("GET", letter.link)
        if page is None or page.status_code != 200:
            self._note(letter, page)
            return
        fields: dict[str, list[str]] = {}
        for name, value in _RADIO.findall(page.text):
            fields.setdefault(name, []).append(value)
        decided = {
            name: answer
            for name, offered in fields.items()
            if name in _DECIDED and (answer := _offered(reaction.answer, offered))
        }
        if not fields or (any(name in _DECIDED for name in fields) and not decided):
            self.done[f"{letter.template}: not offered"] += 1
            if letter.template == "SurveyOpened" and again < SURVEY_TRIES:
                # Nobody has said yet that the session took place.
                follow = partial(self._follow, letter, reaction, again + 1)
                self._later(1, letter, follow, f"{reaction.answer} again {again}".strip())
            return
        if decided.get("answer") == "propose":
            decided |= own_time(letter)
        scored = {name: values for name, values in fields.items() if name not in _DECIDED}
        about = (letter.cohort, letter.subject)
        which = reaction.answer if letter.template == "SurveyOpened" else ""
        answers = decided | self._habits.scores(*about, scored, which)
        self._note(letter, await self._patiently("POST", letter.link, answers))

    async def _leave(self, letter: Letter) -> None:
        """Tell the coordinator, who enters it."""
        body = {"cohort_id": letter.cohort, f"{letter.side}_id": letter.person}
        kind = f"Withdraw{letter.side.capitalize()}"
        await self._patiently("POST", self._url("matching", kind), body)
        self.done["left"] += 1

    async def _change_week(self, letter: Letter) -> None:
        """Tell the coordinator that another week suits better."""
        days = ("mon", "tue", "wed", "thu", "fri")
        week = [{"day": day, "start": "10:00", "end": "16:00"} for day in days]
        body = {"cohort_id": letter.cohort, "person_id": letter.person, "availability": week}
        await self._patiently("POST", self._url("matching", "ChangeAvailability"), body)
        self.done["changed their week"] += 1

    async def _widen(self, letter: Letter) -> None:
        """Tick every half-day of the page behind the link."""
        if letter.link is None:
            self.failed[f"{letter.template}: no link"] += 1
            return
        page = await self._patiently("GET", letter.link)
        ticks = _TICK.findall(page.text) if page is not None else []
        answer = await self._patiently("POST", letter.link, dict.fromkeys(ticks, "yes"))
        self._note(letter, answer)

    async def _go_away(self, letter: Letter) -> None:
        """Tell the coordinator of leave that begins on the day of a session."""
        body = {"cohort_id": letter.cohort, "person_id": letter.person}
        days = dict.fromkeys(("first_day", "last_day"), letter.day)
        await self._patiently("POST", self._url("scheduling", "DeclareAbsence"), body | days)
        self.done["went on leave"] += 1

    async def _name_assistant(self, letter: Letter) -> None:
        """Tell the coordinator who keeps their calendar."""
        assert letter.mail is not None
        me = letter.mail["To"].addresses[0]
        body = {
            "cohort_id": letter.cohort,
            "person_id": letter.person,
            "name": me.display_name,
            "email": me.addr_spec,
            "language": str(letter.mail["Content-Language"]),
            "assistant": {"name": "Assistant·e", "email": f"assistant.{me.addr_spec}"},
        }
        await self._patiently("POST", self._url("notify", "PersonContact"), body)
        self.done["named an assistant"] += 1

    async def _press(self, letter: Letter, says: str) -> None:
        """Press a button of the invitation, as the calendar program shows it."""
        assert letter.mail is not None
        mail = reply_to(letter.mail, says)
        await self._by_mail(f"{says} by calendar", mail, letter.mail["To"].addresses[0].addr_spec)

    async def _send_back(self, letter: Letter) -> None:
        """Their mailbox is full: the mail server says so."""
        assert letter.mail is not None
        await self._by_mail("came back", bounced(letter.mail), "")

    async def _by_mail(self, what: str, mail: bytes, sender: str) -> None:
        """A mail server brings it again until it is taken or refused for good."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        code = 0
        assert self.stack.inbound is not None
        while loop.time() < deadline and not 200 <= code < 300 and code < 500:
            code = await asyncio.to_thread(hand_over, self.stack.inbound, sender, mail)
            if code < 200 or 400 <= code < 500:
                await asyncio.sleep(0.3)
        (self.done if 200 <= code < 300 else self.failed)[what] += 1
        await self._time.settled()  # so that who acts next finds it done

    def _url(self, service: Service, command: str) -> str:
        return f"{self.stack.services[service].url}/commands/{command}?wait=20"

    async def _patiently(
        self, method: str, url: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response | None:
        """Try again while a page does not load, as people do."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while loop.time() < deadline:
            try:
                async with self._turn:
                    response = await self._client.request(method, url, json=body)
            except httpx.HTTPError:
                await asyncio.sleep(0.3)
                continue
            if response.status_code < 500:
                if method == "POST":
                    self._heard(response)
                return response
            await asyncio.sleep(0.3)
        return None

    def _note(self, letter: Letter, response: httpx.Response | None) -> None:
        if response is None:
            self.failed[f"{letter.template}: no answer"] += 1
        elif response.status_code in (200, 202):
            self.done[letter.template] += 1
        else:
            # The other side was faster, or the programme has moved on: people shrug.
            rule = response.json().get("rule", response.status_code)
            self.done[f"{letter.template}: {rule}"] += 1


def _offered(answer: str, values: Sequence[str]) -> str | None:
    """The answer as a page offers it; for one that moves a session, any date of those offered."""
    wanted = ("to", "propose") if answer in ("reschedule", "to") else (answer,)
    for one in (answer, *wanted):
        for value in values:
            if value == one or value.startswith(f"{one}:"):
                return value
    return None


def own_time(letter: Letter) -> dict[str, str]:
    """A moment of their own: early on the day after, at which nobody's week begins."""
    after = date.fromisoformat(letter.day or "2017-03-06") + timedelta(days=1)
    return {"day": after.isoformat(), "time": "07:30"}
