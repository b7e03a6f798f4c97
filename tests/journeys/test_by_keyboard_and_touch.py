"""In a real Chromium, on real services: a programme from its opening to the verdict.

The coordinator works by keyboard on a desk, the mentor by touch on a phone, the manager by keyboard
on a phone without script; and, as a drill, the coordinator by touch on a phone without script, the
mentor by keyboard on a desk, the manager by touch on a desk without script. Every page that they
come to is heard as a screen reader reads it out, and looked at by axe. Time leaps while nothing is
under way. Skipped where there is no Chromium.
"""

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import WITH_PORTAL, Stack, Terms, running_stack
from deploy.trial.coordinator import START
from deploy.trial.opened import read
from deploy.trial.pilot.generate import generate
from deploy.trial.programme_time import LeapingTime
from deploy.trial.stillness import stillness
from tests.conftest import eventually
from tests.portal.test_roster import PEOPLE, as_xlsx

playwright = pytest.importorskip("playwright.async_api")
axe = pytest.importorskip("axe_playwright_python.async_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path"),
]

ANNE, LISE, PAUL = "anne@programme.example", "lise@m.example", "paul@m.example"
SETTINGS = {"CONNECTE_COORDINATORS": ANNE, "CONNECTE_SIGN_IN_DOMAINS": "*"}
MENTORS, MANAGERS = 22, 18
MOST_TABS = 400
PATIENCE_MS = 120_000
FOCUSED = """() => {
  const at = document.activeElement;
  const label = at.labels && at.labels.length ? at.labels[0].innerText : "";
  return (at.getAttribute("aria-label") || label || at.innerText || "").trim();
}"""
LANDMARKS = re.compile(r"^- (?:/url.*|(banner|navigation|main|contentinfo)\b.*)$", re.MULTILINE)
NAMELESS = re.compile(
    r"^ *- (textbox|searchbox|spinbutton|checkbox|radio|combobox|button|link)(?! \")", re.MULTILINE
)
HEADING = re.compile(r"- heading .*\[level=(\d)\]")


@dataclass
class Visitor:
    """Somebody at a browser. `touches`: with fingers; by keyboard otherwise."""

    page: Any
    address: str
    stack: Stack
    touches: bool = False
    scripted: bool = True
    heard: set[str] = field(default_factory=set)

    async def goes_to(self, path: str) -> None:
        url = path if path.startswith("http") else self.stack.services["portal"].url + path
        await self.page.goto(url)
        await self._arrived()

    async def presses(self, words: str, of: str = "") -> None:
        """A button or link that begins with these words, and to the page that it leads to.

        `of`: on the card that tells of this person, for whoever touches what they look at.
        """
        if self.touches:
            within = self.page.get_by_role("article").filter(has_text=of) if of else self.page
            begins = re.compile("^" + re.escape(words))
            found = within.get_by_role("button", name=begins)
            found = found.or_(within.get_by_role("link", name=begins)).first
            async with self.page.expect_navigation(timeout=PATIENCE_MS):
                await found.tap()
        else:
            await self._tabs_to(words)
            async with self.page.expect_navigation(timeout=PATIENCE_MS):
                await self.page.keyboard.press("Enter")
        await self._arrived()

    async def types(self, label: str, text: str) -> None:
        """Into a field, in the stead of what is there."""
        if self.touches:
            await self.page.get_by_label(label).first.tap()
        else:
            await self._tabs_to(label)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def chooses(self, label: str) -> None:
        """A radio button or a box."""
        if self.touches:
            await self.page.get_by_label(label).first.tap()
            return
        await self._tabs_to(label)
        await self.page.keyboard.press("Space")

    async def hands_in(self, label: str, name: str, content: bytes) -> None:
        """A file; which one is chosen in a window of the system, where no page is."""
        if not self.touches:
            await self._tabs_to(label)
        file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        await self.page.get_by_label(label).first.set_input_files(file)

    async def _tabs_to(self, words: str) -> None:
        seen = []
        for _ in range(MOST_TABS):
            await self.page.keyboard.press("Tab")
            seen.append(await self.page.evaluate(FOCUSED))
            if seen[-1].startswith(words):
                return
        raise AssertionError(f"the keyboard does not reach {words!r}: {sorted(set(seen))}")

    async def signs_in(self) -> None:
        letters = self.stack.mailbox.letters()
        await self.goes_to("/connexion")
        await self.types("Votre adresse", self.address)
        await self.presses("Recevoir mon lien")
        async for letter in letters:
            body = letter.get_body(("plain",))
            found = re.search(r"https?://\S+/connexion/\S+", body.get_content()) if body else None
            if letter["Delivered-To"] == self.address and found:
                await self.goes_to(found[0])
                await self.presses("Me connecter")
                return

    @property
    def says(self) -> Awaitable[str]:
        """What is told of what was just done."""
        return self.page.get_by_role("status").inner_text()

    async def _arrived(self) -> None:
        """The page as it is read out; by axe once, in each state that has a heading of its own."""
        heading = await self.page.get_by_role("heading", level=1).inner_text()
        spoken = await self.page.locator("body").aria_snapshot()
        assert NAMELESS.search(spoken) is None, (heading, NAMELESS.findall(spoken))
        main = spoken[spoken.index("- main") :]
        levels = [int(level) for level in HEADING.findall(main)]
        assert (levels[0], levels.count(1)) == (1, 1), (heading, levels)
        if self.page.url.startswith(self.stack.services["portal"].url):
            order = [name for name in LANDMARKS.findall(spoken) if name]
            assert order in (
                ["banner", "main", "contentinfo"],
                ["banner", "navigation", "main", "contentinfo"],
            )
            assert spoken.startswith('- link "Aller au contenu"'), heading
        if self.scripted and heading not in self.heard:
            self.heard.add(heading)
            found = (await axe.Axe().run(self.page)).response["violations"]
            assert [one["id"] for one in found] == [], heading


@dataclass(frozen=True)
class Way:
    """At what somebody sits: a desk or a phone, and by what they work."""

    width: int
    touches: bool
    scripted: bool

    @property
    def options(self) -> dict[str, Any]:
        height = 844 if self.width == PHONE else 900
        told: dict[str, Any] = {"viewport": {"width": self.width, "height": height}}
        told |= {"has_touch": self.touches, "is_mobile": self.touches and self.width == PHONE}
        return {**told, "java_script_enabled": self.scripted}


PHONE, DESK = 390, 1280
MOSTLY = (Way(DESK, False, True), Way(PHONE, True, True), Way(PHONE, False, False))
ELSE = (Way(PHONE, True, False), Way(DESK, False, True), Way(DESK, True, False))
"""Of the coordinator, the mentor and the manager."""


@asynccontextmanager
async def at_work(
    stack: Stack, ways: tuple[Way, ...]
) -> AsyncIterator[tuple[Visitor, Visitor, Visitor]]:
    """Anne, Lise and Paul, each with a browser of their own."""
    async with playwright.async_playwright() as engine:
        opened = await engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            heard: set[str] = set()
            found = []
            for who, way in zip((ANNE, LISE, PAUL), ways, strict=True):
                context = await opened.new_context(locale="fr-FR", **way.options)
                context.set_default_timeout(PATIENCE_MS)
                page = await context.new_page()
                found.append(Visitor(page, who, stack, way.touches, way.scripted, heard))
            anne, lise, paul = found
            yield anne, lise, paul
        finally:
            await opened.close()


def office_list() -> bytes:
    """Forty people as French Excel saves them, two cells of them wrong."""
    lise, paul = list(PEOPLE[1]), list(PEOPLE[2])
    lise[-1], paul[3] = "lundi 9h-8h", "paul(at)m.example"
    rows = [PEOPLE[0], lise, paul]
    mentors, managers = generate(MENTORS - 1, MANAGERS - 1, 1)
    for role, people in (("mentor", mentors), ("manager", managers)):
        for one in people:
            first, _, last = one["name"].partition(" ")
            tools = one["skills"] if role == "mentor" else one["needs"]
            own = [one["email"], one["directorate"], one["site"], one.get("job_family", "")]
            rows.append([role, first, last, *own, tools, "", one["availability"]])
    return as_xlsx(rows)


GONE = generate(MENTORS - 1, MANAGERS - 1, 1)[0][0]["email"]
"""The address of a mentor that no longer is one."""


@pytest.mark.parametrize(
    "ways",
    [
        pytest.param(MOSTLY, id="desk, phone and phone without script"),
        pytest.param(ELSE, id="phone without script, desk and desk", marks=pytest.mark.drill),
    ],
)
async def test_a_programme_goes_from_its_opening_to_the_verdict(
    ways: tuple[Way, ...], tmp_path: Path
) -> None:
    terms = Terms(rate=float("inf"), start=START, settings=SETTINGS, services=WITH_PORTAL)
    async with running_stack(tmp_path, terms) as stack, at_work(stack, ways) as (anne, lise, paul):
        stack.mailbox.refuse = lambda to: "550 5.1.1 unknown" if to == GONE else None
        reached = (stack.mongodb, stack.kafka, stack.terms.partitions)
        async with stillness(*reached, services=WITH_PORTAL) as seen:
            assert stack.hand is not None
            time = LeapingTime(stack.hand, seen.next)
            await anne.signs_in()
            await opens_and_imports(anne)
            await forms_pairs(anne)
            await two_accept(lise, paul)
            await paul_moves(paul)
            await time.until(over(stack, time.now))
            await they_tell(lise, paul, time)
            await what_comes_up_is_handled(anne)
            await time.until(measured(stack))
            await anne.presses("Suivi")
            told = await anne.page.locator("main").inner_text()
            assert "Pas encore." in told  # too few answers
            graduated = anne.page.get_by_role("row").filter(has_text="Binômes terminés")
            assert "oui" in await graduated.inner_text()


async def opens_and_imports(anne: Visitor) -> None:
    await anne.presses("Ouvrir un programme")
    await anne.types("Nom du programme", "Pilote")
    await anne.types("Séances par binôme", "1")
    await anne.types("Binômes terminés pour généraliser", "1")
    await anne.presses("Ouvrir ce programme")
    assert "Le programme est ouvert." in await anne.says
    await anne.chooses("les deux")
    await anne.hands_in("Fichier", "liste.xlsx", office_list())
    await anne.presses("Vérifier la liste")
    title = await anne.page.get_by_role("heading", level=1).inner_text()
    assert title.replace("\u00a0", " ") == f"2 lignes à corriger sur {MENTORS + MANAGERS}"
    await anne.types("Disponibilités, ligne 2", "lundi 9h-18h")
    await anne.types("Adresse", PAUL)
    await anne.presses("Vérifier à nouveau")
    await anne.presses("Inscrire ces personnes")

    async def entered() -> bool:
        if "Tout le monde est inscrit." in await anne.says:
            return True
        await anne.presses("Voir où elle en est")
        return False

    await eventually(entered)


async def forms_pairs(anne: Visitor) -> None:
    await anne.presses("Tour")
    await anne.presses("Simuler un tour")
    simulated = anne.page.url.partition("?")[0]
    await anne.presses("Tour")
    await anne.presses("Former un binôme à la main")
    await anne.presses("Paul L’Hôte")
    await anne.types("Chercher un mentor par son nom", "Lise")
    await anne.presses("Chercher")
    await anne.chooses("Lise Œuvrard")
    await anne.types("Pourquoi", "Les achats, vus par qui les connaît.")
    await anne.presses("Proposer ce binôme")
    assert "Le binôme est proposé" in await anne.says
    await anne.goes_to(simulated)
    await anne.presses("Publier ce tour")
    await anne.presses("Publier sans attendre")
    assert "Paul L’Hôte" not in await anne.page.locator("table").first.inner_text()


async def two_accept(lise: Visitor, paul: Visitor) -> None:
    for one, other in ((lise, "Paul L’Hôte"), (paul, "Lise Œuvrard")):
        await one.signs_in()
        # A mentor of two places may be asked for two managers.
        await one.presses("Accepter ce binôme et la charte", of=other)
        assert "Vous avez accepté" in await one.says


async def paul_moves(paul: Visitor) -> None:
    async def has_a_date() -> bool:
        await paul.goes_to("/mon-espace")
        return "Confirmer, déplacer ou annuler" in await paul.page.locator("main").inner_text()

    await eventually(has_a_date)
    await paul.presses("Confirmer, déplacer ou annuler")
    await paul.presses("Prendre notre prochaine heure libre commune")
    assert "La séance est déplacée." in await paul.says


async def they_tell(lise: Visitor, paul: Visitor, time: LeapingTime) -> None:
    """Whether it took place, and what they thought of it."""
    await lise.goes_to("/mon-espace")
    await lise.presses("Dire si elle a eu lieu")
    await lise.presses("Oui, elle a eu lieu")
    assert "Merci, c’est noté." in await lise.says

    def survey() -> str | None:
        for message in reversed(paul.stack.mailbox.held()):
            if message["Delivered-To"] == PAUL and message["X-Connecte-Letter"]:
                for told in read(message):
                    if told.template == "SurveyOpened" and told.subject.endswith("s1~manager"):
                        return told.link
        return None

    async def came() -> bool:
        return survey() is not None

    await time.until(came)
    await paul.goes_to(survey() or "")
    for question in await paul.page.get_by_role("group").all():
        await question.get_by_role("radio").last.press("Space")
    await paul.presses("Envoyer mes réponses")


async def what_comes_up_is_handled(anne: Visitor) -> None:
    await anne.goes_to("/coordonner/pilote")
    cards = anne.page.get_by_role("listitem").filter(has_text="Lettre non remise")
    assert await cards.count() >= 1
    while await cards.count():
        await anne.types("Adresse de", "retrouvee@m.example")
        await anne.presses("Corriger et renvoyer")
        assert "La lettre est renvoyée." in await anne.says


def over(stack: Stack, now: Callable[[], datetime]) -> Callable[[], Awaitable[bool]]:
    """Whether the first session's time has come."""

    async def holds() -> bool:
        (session,) = await listed(stack, "scheduling", "sessions")
        return datetime.fromisoformat(session["starts_at"]) < now()

    return holds


def measured(stack: Stack) -> Callable[[], Awaitable[bool]]:
    """Whether the verdict knows of the pair that has completed."""

    async def holds() -> bool:
        (cohort,) = await listed(stack, "feedback", "cohorts")
        return any(c["name"] == "pairs_graduated" and c["met"] for c in cohort["criteria"])

    return holds


async def listed(stack: Stack, service: Any, what: str) -> list[Any]:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(f"{stack.services[service].url}/cohorts/pilote/{what}")
    return list(answer.json()["items"])
