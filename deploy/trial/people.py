"""Simulated people: they read the letters in their mailbox and follow the links in them.

Always holds: they act only as people can, through HTTP and the pages behind the links; and what
one of them does depends on the seed, on who they are and on what the letter is about, never on
when it comes, so the same seed tells the same story however often a service is killed meanwhile.
"""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol

import httpx

from deploy.local.mail import Mailbox
from deploy.local.stack import ServiceProcess, Terms
from schemas.base import people_of
from schemas.topics import Service

DAY = 86_400.0
PATIENCE = 120.0  # real seconds that somebody goes on trying when a page does not load

_LINK = re.compile(r"https?://\S+/links/[\w.-]+")
_RADIO = re.compile(r'<input type="radio" name="([^"]+)" value="([^"]+)"')


class World(Protocol):
    """What people see of the platform: their mail, where the services are, how time passes."""

    @property
    def mailbox(self) -> Mailbox: ...
    @property
    def services(self) -> Mapping[Service, ServiceProcess]: ...
    @property
    def terms(self) -> Terms: ...


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody sees when they open a letter: what it tells, of what, and where to act."""

    template: str
    cohort: str
    subject: str
    person: str
    attempt: int
    link: str | None

    @property
    def side(self) -> str:
        return "mentor" if people_of(self.subject)[0] == self.person else "manager"


@dataclass(frozen=True, slots=True)
class Plan:
    """What somebody will do about a letter, and after how many days; `answers` by field."""

    days: float
    answers: Mapping[str, str]


class People:
    """Everybody who has a mailbox. `done` counts what they did, `failed` what did not work.

    `concerned` says of a letter's cohort whether its people act at all; `told` is given every
    answer to a command that was understood.
    """

    def __init__(
        self,
        stack: World,
        seed: int,
        *,
        concerned: Callable[[str], bool] = lambda _: True,
        told: Callable[[httpx.Response], None] = lambda _: None,
    ) -> None:
        self.stack = stack
        self.seed = seed
        self._concerned = concerned
        self._told = told
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._missed: Counter[tuple[str, str]] = Counter()
        self._held: dict[tuple[str, str, int], bool] = {}
        self._client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=20))
        self._plans: dict[str, Callable[[Letter], Plan | None]] = {
            "PairProposed": self._proposal,
            "SessionPlanned": self._session,
            "AttendanceRequested": self._attendance,
            "SurveyOpened": self._survey,
        }

    async def live(self) -> None:
        """Read letters as they come, until cancelled."""
        letters = self.stack.mailbox.letters()
        async with self._client, asyncio.TaskGroup() as tasks:
            async for message in letters:
                if not self._concerned(str(message["X-Connecte-Cohort"])):
                    continue
                action = self._action(_read(message))
                if action is not None:
                    tasks.create_task(action)

    def _action(self, letter: Letter) -> Coroutine[None, None, None] | None:
        if letter.template == "PairFormed" and self._leaves(letter):
            return self._leave(letter)
        if letter.template == "SessionPlanned" and self._changes_week(letter):
            return self._change_week(letter)
        decide = self._plans.get(letter.template)
        plan = decide(letter) if decide else None
        return self._follow(letter, plan) if plan else None

    # --- what they decide -------------------------------------------------------------------

    def _chance(self, *about: str) -> random.Random:
        return random.Random(":".join((str(self.seed), *about)))  # noqa: S311  # no secret

    def _proposal(self, letter: Letter) -> Plan | None:
        chance = self._chance("proposal", letter.cohort, letter.subject, letter.person)
        mood = chance.random()
        if mood < 0.02:
            return None  # never answers; the proposal expires
        return Plan(chance.uniform(0.1, 3), {"answer": "decline" if mood < 0.06 else "accept"})

    def _session(self, letter: Letter) -> Plan | None:
        if letter.attempt > 1:
            return None
        chance = self._chance("session", letter.cohort, letter.subject, letter.person)
        mood = chance.random()
        if mood > 0.5:
            return None
        answer = "cancel" if mood < 0.02 else "reschedule" if mood < 0.05 else "confirm"
        return Plan(chance.uniform(0.1, 2), {"answer": answer})

    def _attendance(self, letter: Letter) -> Plan | None:
        """Both know whether it took place; one of them reports, now and then both."""
        chance = self._chance("held", letter.cohort, letter.subject)
        mood = chance.random()
        misses = 2 if mood < 0.02 else 1 if mood < 0.12 else 0
        reporter = chance.choice(("mentor", "manager", "both"))
        held = self._took_place(letter, misses)
        if reporter not in (letter.side, "both"):
            return None
        days = self._chance("report", letter.cohort, letter.subject, letter.person).uniform(0.1, 3)
        return Plan(days, {"held": "yes" if held else "no"})

    def _took_place(self, letter: Letter, misses: int) -> bool:
        """A session fails to take place as often as fate has it, however often it was moved."""
        session = (letter.cohort, letter.subject)
        attempt = (*session, letter.attempt)
        if attempt not in self._held:
            self._held[attempt] = self._missed[session] >= misses
            self._missed[session] += not self._held[attempt]
        return self._held[attempt]

    def _survey(self, letter: Letter) -> Plan | None:
        chance = self._chance("survey", letter.cohort, letter.subject)
        if chance.random() > 0.8:
            return None  # answering is optional
        return Plan(chance.uniform(0.1, 3), {})

    def _leaves(self, letter: Letter) -> bool:
        return self._chance("leave", letter.cohort, letter.person).random() < 0.02

    def _changes_week(self, letter: Letter) -> bool:
        chance = self._chance("week", letter.cohort, letter.subject, letter.person)
        return letter.attempt == 1 and letter.subject.endswith("~2") and chance.random() < 0.05

    # --- what they do -------------------------------------------------------------------------

    async def _follow(self, letter: Letter, plan: Plan) -> None:
        """Open the page behind the link after a while, fill in the form, send it."""
        await self._while(plan.days)
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
        chance = self._chance("scores", letter.cohort, letter.subject)
        answers = {
            name: plan.answers.get(name) or chance.choices(values, _mood(values))[0]
            for name, values in fields.items()
        }
        self._note(letter, await self._patiently("POST", letter.link, answers))

    async def _leave(self, letter: Letter) -> None:
        """Tell the coordinator, who enters it."""
        await self._while(0.2)
        kind = "WithdrawMentor" if letter.side == "mentor" else "WithdrawManager"
        body = {"cohort_id": letter.cohort, f"{letter.side}_id": letter.person}
        await self._patiently("POST", self._url("matching", kind), body)
        self.done["left"] += 1

    async def _change_week(self, letter: Letter) -> None:
        """Tell the coordinator that another week suits better."""
        days = ("mon", "tue", "wed", "thu", "fri")
        week = [{"day": day, "start": "10:00", "end": "16:00"} for day in days]
        body = {"cohort_id": letter.cohort, "person_id": letter.person, "availability": week}
        await self._patiently("POST", self._url("matching", "ChangeAvailability"), body)
        self.done["changed their week"] += 1

    def _url(self, service: Service, command: str) -> str:
        return f"{self.stack.services[service].url}/commands/{command}?wait=20"

    async def _while(self, days: float) -> None:
        await asyncio.sleep(days * DAY / self.stack.terms.rate)

    async def _patiently(
        self, method: str, url: str, body: Mapping[str, object] | None = None
    ) -> httpx.Response | None:
        """Try again while a page does not load, as people do."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE
        while loop.time() < deadline:
            try:
                response = await self._client.request(method, url, json=body)
            except httpx.HTTPError:
                await asyncio.sleep(0.3)
                continue
            if response.status_code < 500:
                if method == "POST":
                    self._told(response)
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


def _read(message: EmailMessage) -> Letter:
    template, subject, *rest = str(message["X-Connecte-Letter"]).split(":")
    body = message.get_body(("plain",))
    link = _LINK.search(body.get_content()) if body else None
    attempt = rest[0].partition(".")[0] if len(rest) > 1 else "1"
    return Letter(
        template=template,
        cohort=str(message["X-Connecte-Cohort"]),
        subject=subject,
        person=rest[-1] if rest else subject,
        attempt=int(attempt) if attempt.isdigit() else 1,
        link=link.group() if link else None,
    )


def _mood(values: list[str]) -> list[float]:
    """People like the programme, mostly: the higher of the scores are likelier."""
    return [0.03, 0.07, 0.15, 0.4, 0.35][-len(values) :]
