"""Forms that are pressed twice, sent from two tabs, after going back, or when a session has ended.

Each form is sent once as it should be; whatever else somebody does with it asks the services for
the same, is told the same, and loses nothing that was typed. Skipped where there is no Chromium.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from deploy.local.process import free_port
from schemas.base import Message
from services.chassis.store.contract import Row
from services.chassis.store.kept import MemoryKept
from services.portal.phrases import NOTICES
from services.portal.web.sessions import SESSION as SIGNED_IN
from services.portal.web.visit import FOLLOWS
from tests.conftest import eventually
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, JOINED, LETTER_FAILED, LISE, OPENED, PAUL, PROPOSED
from tests.portal.test_in_a_browser import CHROMIUM, browser, open_town, sign_in, standing

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")

SESSION = "/mon-espace/c/seances/m-1~g-1~1"
NEW = "nour.abadi@ministere.example"
IN_PROGRESS = NOTICES["en-cours"]["fr"].partition(".")[0]
"""What somebody is told who is not shown within seconds what came of their wish."""
BETWEEN = 0.12
"""Seconds between the two presses of a double click."""


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody fills in, by selectors, and the button that they press.

    `again`: what they are told who send it a second time, where that is something else.
    """

    who: str
    path: str
    happened: tuple[Message, ...]
    button: str
    typed: Mapping[str, str] = field(default_factory=dict)
    ticked: tuple[str, ...] = ()
    again: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.button}"


FORMS = [
    Form(PAUL, SESSION, GOING_ON, "Confirmer cette date"),
    Form(
        PAUL,
        SESSION,
        GOING_ON,
        "Déplacer la séance",
        {"#jour": "2017-03-28", "#heure": "09:30"},
    ),
    Form(PAUL, SESSION, GOING_ON, "Changer de lieu", {"#lieu": "Salle 12"}),
    Form(LISE, "/mon-espace", (*JOINED, PROPOSED), "Accepter ce binôme et la charte"),
    Form(PAUL, "/mon-espace/c/semaine", GOING_ON, "Enregistrer ma semaine", {"#heures": "jeudi"}),
    Form(
        PAUL,
        "/mon-espace/c/absences",
        GOING_ON,
        "Ajouter cette absence",
        {"#premier": "2017-04-10", "#dernier": "2017-04-12"},
    ),
    Form(
        LISE,
        "/mon-espace/c/modifier",
        GOING_ON,
        "Enregistrer",
        {"#site": "Lyon", "#presentation": "J’aime expliquer.\nSans jargon."},
        again="Rien n’a changé.",
    ),
    Form(
        PAUL,
        "/mon-espace/c/assistant",
        GOING_ON,
        "Enregistrer mon assistant·e",
        {"#nom": "Ada Bern", "#adresse": "ada.bern@ministere.example"},
    ),
    Form(LISE, "/mon-espace/c/participation", GOING_ON, "Faire une pause"),
    Form(
        PAUL,
        "/mon-espace/c/binomes/m-1~g-1/autre",
        GOING_ON,
        "Demander en confidence",
        {"#raison": "D’autres horaires"},
    ),
    Form(
        NEW,
        "/inscription/c/mentor",
        (OPENED,),
        "M’inscrire",
        {"#nom": "Nour Abadi", "#direction": "DGE", "#site": "Paris", "#heures": "jeudi matin"},
        ("[name=outil][value=linkedin]",),
    ),
    Form(
        COORDINATOR,
        "/coordonner/c/participants/m-1",
        GOING_ON,
        "Enregistrer",
        {"#nom": "Lise O.", "#fonction": "Cheffe de projet"},
    ),
    Form(COORDINATOR, "/coordonner/c/participants/m-1", GOING_ON, "Mettre en pause"),
    Form(
        COORDINATOR,
        "/coordonner/c/fiches/nouvelle",
        GOING_ON,
        "Publier la fiche",
        {"#outil": "linkedin", "#titre": "Nos marchés", "#texte": "# Suivre\n\n- un marché"},
    ),
    Form(
        COORDINATOR,
        "/coordonner/c/communaute",
        GOING_ON,
        "",
        {"#titre": "Retour", "#ou": "Salle 12", "#jour": "2017-04-10", "#heure": "10:00"},
    ),
    Form(COORDINATOR, "/coordonner/c/reglages", GOING_ON, "", {"#proposal_days": "12"}),
    Form(
        COORDINATOR,
        "/coordonner/c",
        (*GOING_ON, LETTER_FAILED),
        "Corriger et renvoyer",
        again="C’était déjà réglé.",
    ),
    Form(COORDINATOR, "/coordonner/ouvrir", (), "", {"#nom": "Vague 2"}),
]


@dataclass
class Sent:
    """What came of it: what services were asked for, each wish once, and what somebody is told."""

    commands: frozenset[str]
    told: str


@asynccontextmanager
async def at(form: Form, page: Any) -> AsyncIterator[Town]:
    """The form, filled in."""
    async with open_town(form.happened) as town:
        await sign_in(town, form.who, page.context)
        await filled(form, town, page)
        yield town
        town.open_.set()
        for one in page.context.pages:
            await one.goto("about:blank")  # or the portal waits to the end of its news


async def filled(form: Form, town: Town, page: Any) -> None:
    await page.goto(town.url + form.path)
    await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    for selector, text in form.typed.items():
        one = page.locator(f"main {selector}")
        if await one.evaluate("one => one.tagName") == "SELECT":
            await one.select_option(text)
        else:
            await one.fill(text)
    for selector in form.ticked:
        await page.locator(f"main {selector}").check()


def button(form: Form, page: Any) -> Any:
    if not form.button:
        return page.locator("main button.primary")
    return page.get_by_role("button", name=form.button, exact=True)


async def sent(form: Form, town: Town, page: Any) -> Sent:
    """Press the button, and see what came of it."""
    await button(form, page).click()
    return await told(town, page)


async def told(town: Town, page: Any) -> Sent:
    notice = page.locator("main [role=status] .notice").first
    await notice.wait_for()
    asked = [f"{type(one).__name__} {one.model_dump_json()}" for one in town.sent]
    ids = list(dict.fromkeys(re.findall(r"p-[0-9a-f]{12}", " ".join(asked))))  # made by chance
    for number, id_ in enumerate(ids):
        asked = [one.replace(id_, f"somebody-{number}") for one in asked]
    return Sent(frozenset(asked), await notice.inner_text())


ONCE: dict[str, Sent] = {}


async def as_it_should_be(form: Form, page: Any) -> Sent:
    """What comes of the form where it is sent once."""
    if str(form) not in ONCE:
        async with at(form, page) as town:
            ONCE[str(form)] = await sent(form, town, page)
        assert IN_PROGRESS not in ONCE[str(form)].told, form
    return ONCE[str(form)]


async def test_a_form_that_is_pressed_twice_asks_for_the_same_and_is_told_the_same() -> None:
    async with browser() as opened:
        page = await opened.new_page()
        posts: list[str] = []
        page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
        for form in FORMS:
            once = await as_it_should_be(form, page)
            async with at(form, page) as town:
                town.open_.clear()  # the services take their time
                posts.clear()
                await twice(button(form, page), page)

                async def both() -> bool:
                    return len(posts) == 2

                await eventually(both)
                town.open_.set()
                again = await told(town, page)
                assert again.commands == once.commands, form
                assert again.told in (once.told, form.again), form


async def twice(one: Any, page: Any) -> None:
    """A double click, as a hand makes it."""
    await one.scroll_into_view_if_needed()
    box = await one.bounding_box()
    where = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.click(*where)
    await asyncio.sleep(BETWEEN)
    await page.mouse.click(*where)


async def test_a_form_that_is_sent_from_two_tabs_asks_for_the_same_and_is_told_the_same() -> None:
    """So it is after going back to a page that the browser has kept.

    Neither of the two brings itself up to date.
    """
    async with browser() as opened:
        page = await (await opened.new_context()).new_page()
        for form in FORMS:
            async with at(form, page) as town:
                stays = {"name": FOLLOWS, "value": "non", "url": town.url}
                await page.context.add_cookies([stays])  # or it shows what the first has done
                other = await page.context.new_page()
                await filled(form, town, other)
                once = await sent(form, town, page)
                assert IN_PROGRESS not in once.told, form
                again = await sent(form, town, other)
                assert again.commands == once.commands, form
                assert again.told == (form.again or once.told), form
                await other.close()


async def test_whoever_goes_back_and_sends_a_form_again_asks_for_the_same() -> None:
    """The browser asks for the page again, and gives back what was typed."""
    async with browser() as opened:
        page = await opened.new_page()
        for form in FORMS:
            async with at(form, page) as town:
                once = await sent(form, town, page)
                await page.go_back()
                assert await page.locator("h1").inner_text() != "Cette page n’existe pas", form
                if await button(form, page).count() == 0:
                    continue  # the page says that it is done
                for selector, text in form.typed.items():
                    assert await page.locator(f"main {selector}").input_value() == text, form
                assert (await sent(form, town, page)).commands == once.commands, form


async def test_what_was_typed_when_a_session_had_ended_is_sent_after_signing_in() -> None:
    async with browser() as opened:
        page = await opened.new_page()
        for form in FORMS:
            if form.who == NEW:  # joins without a session, and confirms the address afterwards
                continue
            once = await as_it_should_be(form, page)
            async with at(form, page) as town:
                await town.site.sessions.end_all(form.who)
                await button(form, page).click()
                await page.get_by_role("link", name="Me connecter").click()
                await page.locator("#adresse").fill(form.who)
                await page.get_by_role("button", name="Recevoir mon lien").click()
                await opens_the_letter(town, page)
                await page.get_by_role("button", name="Envoyer maintenant").click()
                assert await told(town, page) == once, form


async def opens_the_letter(town: Town, page: Any) -> None:
    async def came() -> str:
        found = [m.get_content() for m in town.mails]
        return next((word for text in found for word in text.split() if "/connexion/" in word), "")

    await page.goto(await eventually(came))
    await page.get_by_role("button", name="Me connecter").click()


class HeldBack(MemoryKept):
    """Begins no session before it may."""

    def __init__(self) -> None:
        super().__init__()
        self.may = asyncio.Event()

    async def put(self, kind: str, key: str, value: Row, until: datetime, owner: str = "") -> None:
        if kind == SIGNED_IN:
            await self.may.wait()
        await super().put(kind, key, value, until, owner)


async def test_whoever_presses_the_button_of_a_link_twice_is_signed_in() -> None:
    """The browser shows the answer to the second press, and forgets what came with the first."""
    kept, port = HeldBack(), free_port()
    town = Town(url=f"http://127.0.0.1:{port}", kept=kept).happens(*GOING_ON)
    link = await town.site.sessions.make_link(PAUL, "/mon-espace")
    async with browser() as opened, standing(town, port):
        page = await opened.new_page()
        posts: list[str] = []
        page.on("request", lambda one: posts.append(one.url) if one.method == "POST" else None)
        await page.goto(f"{town.url}/connexion/{link}")
        await twice(page.get_by_role("button", name="Me connecter"), page)

        async def both() -> bool:
            return len(posts) == 2

        await eventually(both)
        kept.may.set()
        await page.get_by_role("heading", name="Mon espace", level=1).wait_for()
        await page.goto("about:blank")
