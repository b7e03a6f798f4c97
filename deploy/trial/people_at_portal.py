"""Simulated people who use the portal: they open its pages and press what is there.

Always holds: they decide as those do who follow the links of their letters. What a page does not
offer (questions of a survey, a report that is corrected, the way back from a move) they do by the
link of the letter; so do assistants.
"""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Mapping, Sequence
from email.message import EmailMessage
from functools import partial
from typing import Any

import httpx

from deploy.operating.rosters import Roster
from deploy.trial.at_portal import AtPortal, PortalAway, Press
from deploy.trial.browser import Browser, NotOffered
from deploy.trial.coordinator import LOOK_AGAIN, Coordinator, DemoError
from deploy.trial.habits import Reaction
from deploy.trial.opened import Letter
from deploy.trial.people import People, own_time
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.values import WEEKDAYS

_PROPOSAL = {"accept": "oui", "decline": "non"}
_SESSION = {
    "confirm": "confirmer",
    "cancel": "annuler",
    "reschedule": "plus-tard",
    "to": "plus-tard",
    "propose": "deplacer",
    "accept": "accepter",
    "decline": "garder",
    "yes": "tenue",
    "no": "manquee",
}
"""What somebody says to a session, as its buttons are called."""
_TEN_TO_FOUR = ", ".join(
    f"{day} 10h-16h" for day in ("lundi", "mardi", "mercredi", "jeudi", "vendredi")
)
_EVERY_HALF_DAY = [f"{day}-{part}" for day in WEEKDAYS for part in ("am", "pm")]
_REFUSED = 409


class PeopleAtPortal(People):
    """Everybody who has a mailbox, and a browser.

    `addresses`: cohort and person to the address with which they sign in.
    """

    def __init__(
        self, portal: AtPortal, addresses: Mapping[tuple[str, str], str], *given: Any
    ) -> None:
        super().__init__(*given)
        self._portal = portal
        self._addresses = addresses

    def receive(self, message: EmailMessage) -> None:
        """Links to sign in are used where they are asked for."""
        if message["X-Connecte-Letter"] is not None:
            super().receive(message)

    async def _follow(self, letter: Letter, reaction: Reaction, again: int = 0) -> None:
        by_link = partial(super()._follow, letter, reaction, again)
        own: dict[str, str] = {}
        if letter.assistant:  # who has no place in the programme, and so none at the portal
            await by_link()
            return
        match letter.purpose:
            case "proposal":
                path, name, value = "/mon-espace", "reponse", _PROPOSAL[reaction.answer]
                own = {"binome": letter.subject}
            case "session" | "attendance":
                path = f"/mon-espace/{letter.cohort}/seances/{letter.subject}"
                name, value = "action", _SESSION[reaction.answer]
            case _:
                await by_link()
                return
        typed: dict[str, str] = {}
        if reaction.answer == "propose":
            moment = own_time(letter)
            typed = {"jour": moment["day"], "heure": moment["time"]}

        async def press(browser: Browser) -> None:
            await browser.chooses(name, value, typed, **own)

        if not await self._did(letter, letter.template, path, press):
            await by_link()

    async def _did(self, letter: Letter, what: str, path: str, press: Press) -> bool:
        """Whether the page offered it; what came of it is noted."""
        address = self._addresses[letter.cohort, letter.person]
        try:
            browser = await self._portal.does(address, path, press)
        except NotOffered:
            return False
        except PortalAway:
            self.failed[f"{what}: no answer"] += 1
            return True
        refused = browser.status == _REFUSED
        if refused or browser.status == 200:  # as HTTP has it
            # The other side was faster, or the programme has moved on: people shrug.
            self.done[f"{what}: refused" if refused else what] += 1
        else:
            self.failed[f"{what}: status {browser.status}"] += 1
        return True

    async def _alone(self, letter: Letter, what: str, page: str, press: Press) -> None:
        if not await self._did(letter, what, f"/mon-espace/{letter.cohort}/{page}", press):
            self.done[f"{what}: not offered"] += 1

    async def _leave(self, letter: Letter) -> None:
        async def press(browser: Browser) -> None:
            await browser.chooses("action", f"quitter-{letter.side}", {})

        await self._alone(letter, "left", "participation", press)

    async def _change_week(self, letter: Letter) -> None:
        async def press(browser: Browser) -> None:
            await browser.presses("Enregistrer ma semaine", heures=_TEN_TO_FOUR)

        await self._alone(letter, "changed their week", "semaine", press)

    async def _widen(self, letter: Letter) -> None:
        async def press(browser: Browser) -> None:
            ticks: dict[str, Any] = {"demi-journee": _EVERY_HALF_DAY}
            await browser.presses("Enregistrer ma semaine", **ticks)

        await self._alone(letter, letter.template, "semaine", press)

    async def _go_away(self, letter: Letter) -> None:
        async def press(browser: Browser) -> None:
            await browser.presses("Ajouter cette absence", premier=letter.day or "")

        await self._alone(letter, "went on leave", "absences", press)


class CoordinatorAtPortal(Coordinator):
    """Opens the cohort, imports its lists and publishes its rounds by pages."""

    def __init__(self, portal: AtPortal, address: str, *given: Any) -> None:
        super().__init__(*given)
        self._portal = portal
        self._address = address

    async def _enter(self, cohort: str, roster: Roster) -> None:
        policy = self.plan.policy
        form: dict[str, Any] = {
            "nom": self.plan.names[cohort],
            "id": cohort,
            "sessions": str(policy.sessions),
            "cadence_days": str(policy.cadence_days),
        }

        async def open_it(browser: Browser) -> None:
            await browser.presses("Ouvrir ce programme", **form)

        await self._portal.does(self._address, "/coordonner/ouvrir", open_it)
        await self._import(cohort, cells_of(roster))

    async def _import(self, cohort: str, cells: str) -> None:
        async def paste(browser: Browser) -> None:
            await browser.presses("Vérifier la liste", cellules=cells, role="")

        browser = await self._portal.does(self._address, f"/coordonner/{cohort}/importer", paste)
        assert browser.answer is not None
        if "à corriger" in browser.heading:
            raise DemoError(f"the list has faults: {browser.heading}")
        preview = browser.answer.url.path

        async def enter(browser: Browser) -> None:
            if "Inscrire ces personnes" in browser.says:
                await browser.presses("Inscrire ces personnes")

        async def entered() -> bool:
            now = await self._portal.does(self._address, preview, enter)
            return "Tout le monde est inscrit" in now.says

        await _until(entered)

    async def _ask_rounds(self, cohorts: Sequence[str], number: int) -> None:
        for cohort in cohorts:
            await _until(partial(self._published, f"/coordonner/{cohort}/tour", f"round-{number}"))

    async def _published(self, rounds: str, round_id: str) -> bool:
        """Simulated, looked at by name, and published at once; whether the page says that it is.

        Whether a round is there its own page tells: that of all rounds changes for other reasons.
        """

        async def publish(browser: Browser) -> None:
            if "Publier sans attendre" in browser.says:
                await browser.chooses("action", "maintenant", {})

        async def simulate(browser: Browser) -> None:
            await browser.chooses("action", "simuler", {"tour": round_id})

        browser = await self._portal.does(self._address, f"{rounds}/{round_id}", publish)
        if browser.status == httpx.codes.NOT_FOUND:
            await self._portal.does(self._address, rounds, simulate)
        return browser.heading == "Tour publié"


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again, as somebody does who waits; the run as a whole has a limit."""
    while True:
        if await holds():
            return
        await asyncio.sleep(LOOK_AGAIN)


def cells_of(roster: Roster) -> str:
    """A roster as cells that are pasted, with French headings."""
    contacts = {contact.person_id: contact for contact in roster.contacts}
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(_HEADINGS)
    people: tuple[VolunteerAsMentor | EnrolManager, ...] = (*roster.mentors, *roster.managers)
    for one in people:
        if isinstance(one, VolunteerAsMentor):
            person_id, tools = one.mentor_id, one.skills
            own = ["mentor", "", one.capacity]
        else:
            person_id, tools = one.manager_id, one.needs or {}
            own = ["manager", one.job_family, ""]
        contact = contacts[person_id]
        writer.writerow(
            [
                *(person_id, contact.name, contact.email, contact.language),
                *(one.directorate, one.site, *own),
                ";".join(f"{tool}:{level}" for tool, level in tools.items()),
                ";".join(f"{w.day} {w.start}-{w.end}" for w in one.availability),
                *(one.line_manager or "", ";".join(one.excludes or ())),
            ]
        )
    return out.getvalue()


_HEADINGS = (
    *("Identifiant", "Nom", "Adresse", "Langue", "Direction", "Site", "Rôle", "Poste", "Places"),
    *("Outils", "Disponibilités", "Responsable", "Exclusions"),
)
