"""Whoever changes the language in the middle of a form finds there what they have typed.

By keyboard, with script and without, on a phone and at a desk. Skipped where there is no Chromium.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LETTER_FAILED, PAUL, SIMULATED
from tests.portal.test_careless_in_a_browser import (
    FORMS,
    SESSION,
    Form,
    as_it_should_be,
    at,
    button,
    filled,
)
from tests.portal.test_in_a_browser import CHROMIUM, WIDTHS, browser, open_town, sign_in, violations

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")


async def other_language(page: Any, name: str = "English", beside: str = "") -> None:
    """Reach the switch by the keyboard, and press it; `beside`: that of the form of this field."""
    switch = page.locator("#autre-langue").get_by_text(name)
    if beside:
        theirs = page.locator("form", has=page.locator(beside))
        if await theirs.get_by_role("button", name=f"{name}, ").count():
            switch = theirs.get_by_role("button", name=f"{name}, ")
    await switch.focus()
    await page.keyboard.press("Enter")
    language = "en" if name == "English" else "fr"
    await page.locator(f"html[lang={language}]").wait_for(state="attached")


async def typed_in(page: Any) -> Mapping[str, list[str]]:
    """All that the forms of the page would send, but buttons and the browser's own token."""
    found: dict[str, list[str]] = await page.evaluate("""() => {
      const all = {};
      document.querySelectorAll("#corps form").forEach((form, number) => {
        for (const [name, value] of new FormData(form)) {
          if (name !== "jeton" && typeof value === "string") {
            (all[`${number} ${name}`] ||= []).push(value.replaceAll("\\r\\n", "\\n"));
          }
        }
      });
      return all;
    }""")
    return found


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_form_is_as_it_was_in_the_other_language_and_back_and_sends_the_same(
    script: bool,
) -> None:
    async with browser() as opened:
        whole = await opened.new_page()
        size = {"width": WIDTHS[script], "height": 900}
        context = await opened.new_context(java_script_enabled=script, viewport=size)
        page = await context.new_page()
        for form in FORMS:
            if not form.typed:
                continue
            once = await as_it_should_be(form, whole)
            async with at(form, page) as town:
                before = await typed_in(page)
                beside = "" if script else next(iter(form.typed))
                await other_language(page, beside=beside)
                assert await typed_in(page) == before, form
                await other_language(page, "Français", beside)
                assert await typed_in(page) == before, form
                assert town.sent == [], form
                await button(form, page).click()
                await page.locator("main [role=status] .notice").first.wait_for()
                assert len(town.sent) == len(once.commands), form


async def test_axe_finds_nothing_on_a_page_into_which_something_is_put_back() -> None:
    async with browser() as opened:
        page = await opened.new_page()
        for form in FORMS:
            if not form.typed:
                continue
            async with at(form, page):
                await other_language(page)
                for width in WIDTHS:
                    await page.set_viewport_size({"width": width, "height": 900})
                    assert await violations(page) == [], form
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    assert wide <= width, form


async def test_enter_sends_a_form_and_does_not_change_its_language() -> None:
    async with browser() as opened, open_town(GOING_ON) as town:
        page = await opened.new_page()
        await sign_in(town, PAUL, page.context)
        await page.goto(f"{town.url}/mon-espace/c/semaine")
        await page.locator("#heures").fill("jeudi")
        await page.keyboard.press("Enter")
        await page.locator("main [role=status] .notice").first.wait_for()
        assert len(town.sent) == 1
        assert await page.locator("html").get_attribute("lang") == "fr"


TWO: tuple[tuple[str, str, tuple[Any, ...], Mapping[str, str]], ...] = (
    (PAUL, SESSION, GOING_ON, {"#lieu": "Salle 12", "#jour": "2017-03-28", "#heure": "09:30"}),
    (
        COORDINATOR,
        "/coordonner/c",
        (*GOING_ON, LETTER_FAILED),
        {"main [type=email]": "a@b.example"},
    ),
    (COORDINATOR, "/coordonner/c/participants", GOING_ON, {"#q": "lise"}),
)


@pytest.mark.parametrize(("who", "path", "happened", "typed"), TWO, ids=[one[1] for one in TWO])
async def test_of_several_forms_all_keep_what_was_typed(
    who: str, path: str, happened: tuple[Any, ...], typed: Mapping[str, str]
) -> None:
    async with browser() as opened, open_town(happened) as town:
        page = await opened.new_page()
        await sign_in(town, who, page.context)
        await filled(Form(who, path, happened, "", _within(typed)), town, page)
        await other_language(page)
        for selector, text in typed.items():
            assert await page.locator(selector).input_value() == text
        await page.goto("about:blank")


def _within(typed: Mapping[str, str]) -> Mapping[str, str]:
    return {selector.removeprefix("main "): text for selector, text in typed.items()}


async def test_without_script_each_of_several_forms_has_the_switch_beside_it() -> None:
    async with browser() as opened, open_town(GOING_ON) as town:
        context = await opened.new_context(java_script_enabled=False)
        page = await context.new_page()
        await sign_in(town, PAUL, context)
        await page.goto(town.url + SESSION)
        await page.locator("#lieu").fill("Salle 12")
        form = page.locator("form", has=page.locator("#lieu"))
        await form.get_by_role("button", name="English").click()
        assert await page.locator("html").get_attribute("lang") == "en"
        assert await page.locator("#lieu").input_value() == "Salle 12"
        assert town.sent == []


async def test_a_file_that_was_chosen_is_to_be_chosen_again_and_its_field_says_so() -> None:
    """After the language was changed, and after signing in again."""
    people = {"name": "liste.csv", "mimeType": "text/csv", "buffer": b"Nom;Adresse\n"}
    async with browser() as opened, open_town(GOING_ON) as town:
        page = await opened.new_page()
        await sign_in(town, COORDINATOR, page.context)
        await page.goto(f"{town.url}/coordonner/c/importer")
        await page.locator("[name=role][value=manager]").check()
        await page.locator("#fichier").set_input_files(people)
        await other_language(page)
        await says_to_choose(page, "Choose this file again: “liste.csv”.")
        await page.locator("#fichier").set_input_files(people)
        await page.locator("#cellules").fill("Nom;Adresse\n<Lise> & co;lise")
        await town.site.sessions.end_all(COORDINATOR)
        await page.get_by_role("button", name="Check the list").click()
        way = await page.get_by_role("link", name="Sign in").last.get_attribute("href")
        await sign_in_again(town, COORDINATOR, page.context)
        await page.goto(town.url + way.partition("vers=")[2])
        assert "Your session had ended." in await page.get_by_role("status").inner_text()
        await says_to_choose(page, "Choose this file again: “liste.csv”.")
        assert await page.locator("#cellules").input_value() == "Nom;Adresse\n<Lise> & co;lise"
        assert await violations(page) == []


async def sign_in_again(town: Town, who: str, context: Any) -> None:
    """In the browser that was there before."""
    token = await town.site.sessions.begin(who)
    await context.add_cookies([{"name": "session", "value": token, "url": town.url}])


async def says_to_choose(page: Any, words: str) -> None:
    about = await page.locator("#fichier").get_attribute("aria-describedby")
    said = [await page.locator(f"#{one}").inner_text() for one in about.split()]
    assert any(words in one for one in said), said
    assert await page.locator("[name=role][value=manager]").is_checked()


async def test_the_rows_of_a_list_keep_their_corrections_in_the_other_language() -> None:
    cells = (
        "Rôle;Nom;Adresse;Direction;Site;Outils;Disponibilités\nmentor;A;a@;D;S;LinkedIn:4;lundi"
    )
    async with browser() as opened, open_town((*GOING_ON, *SIMULATED)) as town:
        page = await opened.new_page()
        await sign_in(town, COORDINATOR, page.context)
        await page.goto(f"{town.url}/coordonner/c/importer")
        await page.locator("#cellules").fill(cells)
        await page.get_by_role("button", name="Vérifier la liste").click()
        await page.locator("#c-0-email").fill("a@ministere.example")
        await other_language(page)
        assert await page.locator("#c-0-email").input_value() == "a@ministere.example"
