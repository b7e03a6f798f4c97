"""Every page in its states can be used by ear, by keyboard and in the dark.

Asserted without a browser: headings, landmarks, labels, languages, contrast. What a browser alone
can tell is in `test_in_a_browser.py`.
"""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import pytest

from schemas.actors import of_address
from schemas.appointments import RoleGiven
from schemas.base import Message
from schemas.people import PersonContact
from schemas.taking_part import MentorChanged
from services.portal.pages import ROUTES
from services.portal.web.entering import Entering, Entry
from services.portal.web.look import STATE, STYLE
from tests.portal.browser import Element
from tests.portal.site import BANK, COORDINATOR, OF_THE_BANK, SECRET, Town
from tests.portal.stories import (
    ASKED,
    AWAY,
    CLOSED,
    CLOSED_UNTIL,
    DISPUTED,
    FORMED,
    GOING_ON,
    JOINED,
    KEPT_APART,
    LETTER_FAILED,
    LETTERS,
    LISE,
    LISTED,
    MANAGER_LEFT,
    MANY_FAILED,
    MEASURED,
    MISSED,
    NO_DATE,
    NO_PAIR,
    NOBODY_WAITS,
    OPENED,
    PAUL,
    PROPOSED,
    PUBLISHED_SOON,
    ROUND_ENDED,
    SENT,
    SHEET,
    SHEET_BACK,
    SIMULATED,
    STALLED,
    TOLD,
    WAITLISTED,
    WITH_REASONS,
    WITHHELD,
    planned,
)
from tests.portal.test_roster import PEOPLE, as_csv
from tests.scenario import NOW

LISE_OF_A_BANK = MentorChanged.model_validate(
    {
        **{"cohort_id": "c", "mentor_id": "m-1", "directorate": "D", "site": "Lyon"},
        **{"skills": {"linkedin": 4}, "capacity": 1, "organisation": BANK},
    }
)
A_ROLE = RoleGiven(
    cohort_id="c", person_id="m-1", role="auditor", holder="s-lise", given_at=NOW, asker="token"
)
WHO_AUDITS = "clara.controle@ministere.example"
AUDITS: tuple[Message, ...] = (
    PersonContact(cohort_id="c", person_id="c-1", name="Clara Lévy", email=WHO_AUDITS),
    RoleGiven(
        **{"cohort_id": "c", "person_id": "c-1", "role": "auditor", "given_at": NOW},
        holder=of_address(WHO_AUDITS, SECRET),
    ),
)
_SOME = {"cohort_id": "c", "type": "user", "via": "portal", "follows": False, "refused": None}
DONE: list[dict[str, Any]] = [
    {**_SOME, "time": f"{NOW:%FT%TZ}", "actor": actor, "role": role, **more}
    for actor, role, more in (
        ("s-4f1f2b7c9d0e8a6b5c3d", "coordinator", {"what": "OpenCohort", "about": "c"}),
        ("m-1", "participant", {"what": "ProposalAccepted", "about": "m-1~g-1"}),
        ("s-4f1f2b7c9d0e8a6b5c3d", "coordinator", {"what": "PairChosenByHand", "about": "m-1~g-1"}),
        ("m-1", "participant", {"what": "CancelSession", "about": "x", "refused": "session-over"}),
        ("connecte", "machine", {"what": "LaterThanThis", "about": "c"}),
    )
]
EVERYTHING = (*GOING_ON, planned(2, 21), NO_DATE, STALLED, LETTER_FAILED, MEASURED, WITHHELD)
AFTER_FIFTY = quote(MANY_FAILED[49].letter_id)
ANOTHER = {"sheet_id": "f-2", "tool": "wiki", "jobs": ()}
STATES: list[Any] = [
    ("", "/", ()),
    ("", "/", (OPENED,)),
    ("", "/no/such/page", ()),
    ("", "/connexion", ()),
    ("", "/connexion/no-such-link", ()),
    ("", "/mon-espace", ()),
    ("", "/inscription/c", (OPENED,)),
    ("", "/inscription/c/mentor", (OPENED,)),
    ("", "/inscription/c/manager?poste=budget", (OPENED,)),
    (LISE, "/inscription/c/mentor", (OPENED,)),
    ("", "/guides", ()),
    ("", "/guides/linkedin-fournisseurs", ()),
    (PAUL, "/guides/premiere-seance", ()),
    (PAUL, "/mon-espace", ()),
    (PAUL, "/mon-espace", JOINED),
    (PAUL, "/mon-espace", (*JOINED, WAITLISTED)),
    (PAUL, "/mon-espace", (*JOINED, PROPOSED)),
    (PAUL, "/mon-espace", EVERYTHING),
    (LISE, "/mon-espace", EVERYTHING),
    (PAUL, "/mon-espace/c/seances/m-1~g-1~1", EVERYTHING),
    (PAUL, "/mon-espace/c/semaine", EVERYTHING),
    (LISE, "/mon-espace/c/participation", EVERYTHING),
    (PAUL, "/mon-espace/c/participation", (*JOINED, MANAGER_LEFT)),
    (LISE, "/mon-espace/c/modifier", EVERYTHING),
    (PAUL, "/mon-espace/c/modifier", EVERYTHING),
    (PAUL, "/mon-espace/c/assistant", EVERYTHING),
    (PAUL, "/mon-espace/c/agenda", EVERYTHING),
    (PAUL, "/mon-espace/c/absences", EVERYTHING),
    (PAUL, "/mon-espace/c/absences", (*JOINED, AWAY)),
    (PAUL, "/mon-espace/c/communaute", JOINED),
    (PAUL, "/mon-espace/c/communaute", (*EVERYTHING, LISTED, TOLD)),
    (LISE, "/mon-espace/c/communaute", (*EVERYTHING, LISTED, TOLD)),
    (COORDINATOR, "/coordonner/c/communaute", (OPENED,)),
    (COORDINATOR, "/coordonner/c/communaute", (*EVERYTHING, TOLD)),
    (PAUL, "/mon-espace/c/communaute", (*EVERYTHING, SHEET)),
    (PAUL, "/mon-espace/c/fiches/f-1", (*EVERYTHING, SHEET)),
    (COORDINATOR, "/coordonner/c/fiches", (OPENED,)),
    (COORDINATOR, "/coordonner/c/fiches", (OPENED, SHEET, SHEET.model_copy(update=ANOTHER))),
    (COORDINATOR, "/coordonner/c/fiches", (OPENED, SHEET, SHEET_BACK)),
    (COORDINATOR, "/coordonner/c/fiches/nouvelle", (OPENED,)),
    (COORDINATOR, "/coordonner/c/fiches/f-1", (OPENED, SHEET)),
    (COORDINATOR, "/coordonner/c/fiches/f-1", (OPENED, SHEET, SHEET_BACK)),
    (PAUL, "/mon-espace/c/lettres", JOINED),
    (PAUL, "/mon-espace/c/lettres", (*EVERYTHING, *LETTERS, *SENT)),
    (PAUL, "/mon-espace/c/donnees", JOINED),
    (PAUL, "/mon-espace/c/donnees", (*JOINED, WITH_REASONS, FORMED, AWAY, planned())),
    (PAUL, "/mon-espace/c/effacer", EVERYTHING),
    (PAUL, "/mon-espace/c/binomes/m-1~g-1/autre", EVERYTHING),
    (PAUL, "/mon-espace/c/binomes/m-1~g-1/autre", (*EVERYTHING, ASKED)),
    (COORDINATOR, "/coordonner/c", (*EVERYTHING, ASKED)),
    (COORDINATOR, "/coordonner", ()),
    (COORDINATOR, "/coordonner", EVERYTHING),
    (COORDINATOR, "/coordonner/ouvrir", ()),
    (COORDINATOR, "/administrer", ()),
    (COORDINATOR, "/administrer", (*EVERYTHING, A_ROLE)),
    (COORDINATOR, "/administrer/c/m-1~auditor", (*EVERYTHING, A_ROLE)),
    (WHO_AUDITS, "/controler", (OPENED, *AUDITS)),
    (WHO_AUDITS, "/controler/c", (OPENED, *AUDITS)),
    (WHO_AUDITS, "/controler/c?quoi=notify", (OPENED, *AUDITS)),
    (WHO_AUDITS, "/mon-espace", (OPENED, *AUDITS)),
    (OF_THE_BANK, "/coordonner", (OPENED,)),
    (OF_THE_BANK, "/coordonner/c/participants", (*EVERYTHING, LISE_OF_A_BANK)),
    (OF_THE_BANK, "/coordonner/c/participants/m-1", (*EVERYTHING, LISE_OF_A_BANK)),
    (OF_THE_BANK, "/coordonner/c/suivi", (*EVERYTHING, LISE_OF_A_BANK)),
    (COORDINATOR, "/coordonner/c", (OPENED,)),
    (COORDINATOR, "/coordonner/c", (*JOINED, WAITLISTED)),
    (COORDINATOR, "/coordonner/c", EVERYTHING),
    (COORDINATOR, "/coordonner/c", (*GOING_ON, MISSED, DISPUTED, ASKED)),
    (COORDINATOR, "/coordonner/c", (*GOING_ON, *MANY_FAILED)),
    (COORDINATOR, f"/coordonner/c?genre=letter&apres={AFTER_FIFTY}", (*GOING_ON, *MANY_FAILED)),
    (COORDINATOR, "/coordonner/c/participants", (OPENED,)),
    (COORDINATOR, "/coordonner/c/participants", EVERYTHING),
    (COORDINATOR, "/coordonner/c/participants/m-1", EVERYTHING),
    (COORDINATOR, "/coordonner/c/importer", (OPENED,)),
    (COORDINATOR, "/coordonner/c/tour", (OPENED,)),
    (COORDINATOR, "/coordonner/c/tour/round-1", (*EVERYTHING, ROUND_ENDED)),
    (COORDINATOR, "/coordonner/c/tour", (*JOINED, *SIMULATED, KEPT_APART)),
    (COORDINATOR, "/coordonner/c/tour/tour-1", (*JOINED, *SIMULATED)),
    (COORDINATOR, "/coordonner/c/tour/tour-1", (*JOINED, *NO_PAIR)),
    (COORDINATOR, "/coordonner/c/tour/tour-1", (OPENED, *NOBODY_WAITS)),
    (COORDINATOR, "/coordonner/c/tour/tour-1", (*JOINED, *SIMULATED, PUBLISHED_SOON)),
    (COORDINATOR, "/coordonner/c/tour/tour-1/ecarter?binome=m-1~g-1", (*JOINED, *SIMULATED)),
    (COORDINATOR, "/coordonner/c/tour/a-la-main", (*JOINED, WAITLISTED)),
    (COORDINATOR, "/coordonner/c/tour/a-la-main?manager=g-1", JOINED),
    (COORDINATOR, "/coordonner/c/tour/separer", (OPENED,)),
    (COORDINATOR, "/coordonner/c/reglages", (OPENED,)),
    (COORDINATOR, "/coordonner/c/reglages", (OPENED, CLOSED)),
    (COORDINATOR, "/coordonner/c/reglages", (*EVERYTHING, CLOSED_UNTIL)),
    (COORDINATOR, "/coordonner/c/suivi", (*EVERYTHING, CLOSED_UNTIL)),
    (PAUL, "/mon-espace", (*EVERYTHING, CLOSED_UNTIL)),
    (PAUL, "/mon-espace/c/donnees", (*EVERYTHING, CLOSED_UNTIL)),
    ("", "/inscription/c", (OPENED, CLOSED)),
    (COORDINATOR, "/coordonner/c/suivi", (OPENED,)),
    (COORDINATOR, "/coordonner/c/suivi", EVERYTHING),
    (COORDINATOR, "/coordonner/c/suivi", (*JOINED, WAITLISTED)),
]
NOT_THERE = {"/no/such/page", "/connexion/no-such-link"}
NO_PAGES = {
    "/inscription/{cohort}/qr.svg",
    "/mon-espace/{cohort}/communaute/rencontre.ics",
    "/mon-espace/{cohort}/nouvelles",
    "/mon-espace/{cohort}/donnees.json",
    "/agenda/{token}",
    "/coordonner/{cohort}/nouvelles",
    "/coordonner/{cohort}/suivi/export",
}
"""Pictures, files and streams: what nobody reads in a browser."""
ON_A_WAY = {
    "/reprendre/{draft}": "test_so_have_the_pages_on_the_way_in",
    "/inscription/{cohort}/confirmer/{draft}": "test_so_have_the_pages_on_the_way_in",
    "/coordonner/{cohort}/importer/{draft}": "test_so_have_the_pages_of_a_list",
    "/connexion/retour": "test_at_the_provider",
    "/deconnexion/retour": "test_at_the_provider",
}
"""Pages that something typed, or a provider, leads to; and the test that goes there."""
THEMES = {"neutral": STYLE.decode(), "state": STATE.decode()}


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(("who", "path", "happened"), STATES)
async def test_every_page_has_its_headings_landmarks_and_labels(
    who: str, path: str, happened: tuple[Message, ...], language: str
) -> None:
    town = Town(acts=acts_of(happened)).happens(*happened)
    person = await town.signed_in(who) if who else town.person()
    await person.goes_to(f"{path}{'&' if '?' in path else '?'}langue={language}")
    assert person.answer is not None
    asks = who == "" and path == "/mon-espace"  # who is there
    assert person.answer.is_success == (path not in NOT_THERE and not asks), "another page"
    assert person.page.all("html")[0].get("lang") == language
    check(person.page)


def acts_of(happened: tuple[Message, ...]) -> dict[tuple[str, str], dict[str, Any]]:
    """What matching tells auditors, where there is one; notify has more than fits on a page."""
    if AUDITS[1] not in happened:
        return {}
    many = {"items": DONE * 20, "next": None}
    return {("m", "0.0"): {"items": DONE, "next": None}, ("n", "0.0"): many}


def check(page: Element) -> None:
    check_landmarks(page)
    check_headings(page)
    check_names(page)
    check_tables(page)
    ids = [one.get("id") for one in page.all(*TAGS) if one.get("id")]
    assert len(ids) == len(set(ids))


def test_every_page_that_is_served_is_among_them() -> None:
    pages = [one for one in ROUTES if one.method == "GET"]
    left = {one.path for one in pages} - NO_PAGES - set(ON_A_WAY)
    for _, path, _ in STATES:
        shape = path.partition("?")[0]
        first = next((one.path for one in pages if matches(one.path, shape)), "")
        left -= {first}
    assert left == set()


def matches(pattern: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path) is not None


async def test_so_have_the_pages_on_the_way_in() -> None:
    town = Town().happens(OPENED)
    nour = town.person("nour@ministere.example")
    await nour.goes_to("/inscription/c/mentor")
    await nour.presses("M’inscrire", adresse="nour")
    check(nour.page)  # everything is wrong
    about = {"nom": "Nour", "direction": "DGE", "site": "Lyon", "heures": "lundi"}
    await nour.presses("M’inscrire", adresse=nour.address, outil=["wiki"], **about)
    check(nour.page)  # a letter is on its way
    await nour.goes_to((await nour.links_after(0))[-1])
    check(nour.page)  # the button that signs in
    await nour.presses("Me connecter")
    check(nour.page)  # to confirm
    town.real += timedelta(days=1)
    await nour.presses("Confirmer mon inscription")
    check(nour.page)  # signed out
    await nour.follows("Me connecter")
    await nour.presses("Recevoir mon lien", adresse="")
    check(nour.page)  # no address
    await nour.presses("Recevoir mon lien", adresse=nour.address)
    await nour.opens_the_letter(before=1)
    check(nour.page)  # to be taken up


async def test_so_have_the_pages_of_a_list() -> None:
    town = Town().happens(OPENED)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to("/coordonner/c/importer")
    await anne.presses("Vérifier la liste", files={}, cellules="", role="")
    check(anne.page)  # nothing is in it
    rows = [PEOPLE[0], [*PEOPLE[1][:-1], "lundi 9h-8h"], PEOPLE[2]]
    pasted = as_csv(rows, ";", "utf-8").decode()
    await anne.presses("Vérifier la liste", files={}, cellules=pasted, role="")
    check(anne.page)  # a fault in a cell
    assert anne.answer is not None
    here = anne.answer.url.path
    await anne.presses("Vérifier à nouveau", **{"c-0-availability": "lundi"})
    check(anne.page)  # no fault
    await Entry(town.site)._tell(here.rpartition("/")[2], Entering(2))
    await anne.goes_to(here)
    check(anne.page)  # being entered


TAGS = (
    *("a", "article", "body", "button", "div", "fieldset", "form", "h1", "h2", "h3", "header"),
    *("input", "label", "li", "main", "nav", "ol", "p", "section", "select", "span", "table"),
    *("td", "textarea", "th", "tr", "ul", "details", "summary", "legend", "dl", "dt", "dd"),
)


def check_landmarks(page: Element) -> None:
    for tag in ("main", "header", "footer"):
        assert len(page.all(tag)) == 1, tag
    assert len(page.all("head")[0].all("title")) == 1
    for drawing in page.all("svg"):  # has a name and a description of its own
        assert drawing.get("role") == "img"
        assert len(drawing.all("title", "desc")) == 2
    first, *_ = page.all("body")[0].all("a")
    assert first.get("href") == f"#{page.all('main')[0].get('id')}"
    live = [one for one in page.all("div") if one.get("aria-live") == "polite"]
    assert len(live) == 1


def check_headings(page: Element) -> None:
    levels = [int(one.tag[1]) for one in page.all("h1", "h2", "h3", "h4")]
    main = [int(one.tag[1]) for one in page.all("main")[0].all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    for before, after in pairwise(main):
        assert after <= before + 1, f"from h{before} to h{after}"


def check_names(page: Element) -> None:
    """Everything that can be pressed or filled says what it is."""
    by_id = {one.get("id"): one for one in page.all(*TAGS) if one.get("id")}
    labels = {one.get("for") for one in page.all("label")}
    inside = {id(one) for label in page.all("label") for one in label.all("input", "select")}
    for one in page.all("input", "select", "textarea"):
        if one.get("type") == "hidden":
            continue
        named = one.get("id") in labels or id(one) in inside or one.get("aria-label")
        assert named, one.get("name")
        for about in one.get("aria-describedby").split():
            assert about in by_id, about
    for one in page.all("a", "button"):
        if one.get("aria-hidden"):  # which nobody reaches, and the Enter key presses
            assert one.get("tabindex") == "-1"
            continue
        assert one.text or one.get("aria-label")
    for one in page.all("label"):
        assert not one.get("for") or one.get("for") in by_id, one.get("for")
    for one in page.all("article", "section", "div"):
        for about in one.get("aria-labelledby").split():
            assert about in by_id, about
    for fields in page.all("fieldset"):
        assert fields.all("legend"), fields.get("id")
    primary = [one for one in page.all("button", "a") if "primary" in one.get("class").split()]
    assert len(primary) <= 1, "one primary button a page"


def check_tables(page: Element) -> None:
    for table in page.all("table"):
        assert table.all("caption")
        assert all(one.get("scope") for one in table.all("th"))


# --- colours ----------------------------------------------------------------------------------

PAIRS = [
    ("text", "back"),
    ("text", "surface"),
    ("muted", "back"),
    ("muted", "surface"),
    ("action", "back"),
    ("action", "surface"),
    ("on-action", "action"),
    ("good", "back"),
    ("attention", "back"),
    ("bad", "back"),
]


def tokens(theme: str, dark: bool) -> dict[str, str]:
    """The colours of a theme, which stands over the neutral one."""
    found: dict[str, str] = {}
    for style in (THEMES["neutral"], THEMES[theme]):
        light, _, rest = style.partition("@media (prefers-color-scheme: dark)")
        part = rest.partition("}\n}")[0] if dark else light
        found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_what_is_written_stands_out_by_day_and_in_the_dark(
    ink: str, ground: str, dark: bool, theme: str
) -> None:
    found = tokens(theme, dark)
    assert contrast(found[ink], found[ground]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_the_edges_of_fields_stand_out(dark: bool) -> None:
    found = tokens("neutral", dark)
    assert contrast(found["line"], found["back"]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_no_colour_stands_outside_of_the_tokens(theme: str) -> None:
    rules = re.sub(r"--[\w-]+: #[0-9a-f]{6};?", "", THEMES[theme])
    assert not re.findall(r"#[0-9a-f]{3,8}\b", rules)


@pytest.mark.parametrize("theme", THEMES)
def test_the_focus_is_never_taken_away(theme: str) -> None:
    assert "outline: none" not in THEMES[theme]
    assert "outline: 0" not in THEMES[theme]
