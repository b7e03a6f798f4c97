"""Qui a fait quoi: what auditors are shown of the journals, and of whom nothing."""

import ast
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.actors import Actor
from schemas.lines import LineManagerNamed, outsider
from schemas.people import PersonContact, PersonErased
from schemas.topics import COMMANDS, PRIVATE_EVENTS, PUBLIC_EVENTS
from services.portal.acts import ACTS, SAID, UPKEEP
from services.portal.refusals import REFUSALS
from services.portal.web.auditing_pages import PARTS
from services.portal.web.engine import Away, Engine
from tests.portal.site import COORDINATOR, SECRET, Town
from tests.portal.test_accessibility import check
from tests.portal.test_roles import CLARA, OUTSIDE, given, opens, rows, town
from tests.test_access import ENVIRONMENT, OWN, Stand

HERE = "/controler/c"
REFUSED = (
    "refusé : Le temps pour répondre est passé. Vous restez inscrit·e : nous vous écrirons dès "
    "qu’un autre binôme vous est proposé.proposal-expired"
)
SERVICES = Path(__file__).parents[2] / "services"


def act(**more: Any) -> dict[str, Any]:
    """Something that Lise did on her own, in the morning of a Monday."""
    told = {"cohort_id": "c", "time": "2017-03-06T09:00:00Z", "actor": "m-1", "type": "app_user"}
    told |= {"role": "participant", "via": "link", "what": "ProposalAccepted"}
    return {**told, "about": "m-1~g-1", "refused": None, "follows": False, **more}


def journal(*acts: dict[str, Any], next: str | None = None) -> dict[str, Any]:
    return {"items": list(acts), "next": next}


def audited() -> Town:
    place = town()
    return place.happens(*given(place, CLARA, "auditor"))


async def test_an_auditor_of_a_programme_has_its_page_and_none_else() -> None:
    place = audited()
    clara = await place.signed_in(CLARA)
    assert await opens(clara, "/controler", HERE, "/controler/d") == [200, 200, 404]
    assert await opens(clara, "/coordonner", "/coordonner/c", "/administrer") == [404] * 3
    await clara.goes_to("/mon-espace")
    await clara.follows("Contrôler")
    await clara.follows("Connecte ton manager")
    anne = await place.signed_in(COORDINATOR)
    assert await opens(anne, "/controler", HERE) == [404, 404], "who decides is no auditor"


async def test_an_act_is_told_with_who_through_what_when_and_what_came_of_it() -> None:
    place = audited()
    no = {"what": "AcceptProposal", "about": "cmd-1", "refused": "proposal-expired"}
    by_anne = {"actor": "s-anne", "role": "coordinator", "via": "portal"}
    follows = act(what="PairFormed", follows=True)
    place.acts["m", "0.0"] = journal(act(), follows, act(**no, **by_anne))
    clara = await (await place.signed_in(CLARA)).goes_to(HERE)
    when = "lundi 6 mars 2017 à 10 h"
    told = [
        [cell.replace("\u202f", " ").replace("\u00a0", " ") for cell in row] for row in rows(clara)
    ]
    accepted, refused = (
        f"accepter une proposition{name}" for name in ("ProposalAccepted", "AcceptProposal")
    )
    assert told == [
        [when, "participationm-1", "lien d’une lettre", accepted, "m-1~g-1", "fait"],
        [when, "coordinations-anne", "portail", refused, "–", REFUSED],
    ]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", ["m-1", "s-anne", "m-1"]),
        ("?role=coordinator", ["s-anne"]),
        ("?jour=2017-03-07", ["m-1"]),
        ("?jour=2017-03-08", []),
        ("?role=participant&jour=2017-03-07", ["m-1"]),
        ("?quoi=notify", ["s-zoe"]),
        ("?quoi=no-such&jour=today&suite=x", ["m-1", "s-anne", "m-1"]),
    ],
)
async def test_acts_are_filtered_by_what_they_are_about_by_role_and_by_the_day_in_paris(
    asked: str, shown: list[str]
) -> None:
    place = audited()
    late = "2017-03-06T23:30:00Z"  # which is the next day in Paris
    both = [act(), act(actor="s-anne", role="coordinator"), act(time=late)]
    place.acts["m", "0.0"] = journal(*both)
    place.acts["n", "0.0"] = journal(act(actor="s-zoe", role="administrator", what="RoleGiven"))
    clara = await (await place.signed_in(CLARA)).goes_to(HERE + asked)
    assert [
        row[1].removeprefix("participation").removeprefix("coordination") for row in rows(clara)
    ] == [name if name != "s-zoe" else "administrations-zoe" for name in shown]


def test_every_act_is_told_in_words_or_is_what_a_service_does_beside_one() -> None:
    asked = (kind for part in PARTS for kind in COMMANDS[part] if "asked_by" in vars(kind))
    told = (kind for part in PARTS for kind in (*PUBLIC_EVENTS[part], *PRIVATE_EVENTS[part]))
    names = {kind.__name__ for kind in (*asked, *told, PersonContact, PersonErased)}
    assert names - UPKEEP == set(ACTS)
    assert not UPKEEP - names


def test_an_act_has_its_words_once() -> None:
    names = [name for some, _ in SAID for name in some]
    assert sorted(names) == sorted(ACTS)


def rules_of(part: str) -> set[str]:
    """The names of the rules by which a service refuses."""
    found = set()
    for file in (SERVICES / part).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                rule = node.args[1]
                assert isinstance(rule, ast.Constant), f"{file.name}: {ast.unparse(node)}"
                found.add(str(rule.value))
    return found


@pytest.mark.parametrize("part", PARTS)
def test_every_refusal_is_told_in_words_in_both_languages(part: str) -> None:
    rules = rules_of(part)
    assert rules
    for rule in sorted(rules):
        assert set(REFUSALS[rule]) == {"fr", "en"}, rule


def test_of_feedback_nobody_asks_for_anything_in_their_own_name() -> None:
    assert [kind for kind in COMMANDS["feedback"] if "asked_by" in vars(kind)] == []
    assert all(kind.anonymous for kind in COMMANDS["feedback"])


async def test_what_a_service_does_beside_an_act_is_no_act() -> None:
    place = audited()
    given_, letter = act(what="RoleGiven", about="c-1"), act(what="RoleLetterQueued", about="l-1")
    place.acts["n", "0.0"] = journal(given_, letter)
    clara = await (await place.signed_in(CLARA)).goes_to(f"{HERE}?quoi=notify")
    assert [row[4] for row in rows(clara)] == ["c-1"]


async def test_many_acts_are_paged_and_each_is_shown_once() -> None:
    place = audited()
    some = [act(about=f"m-{n}") for n in range(120)]
    place.acts["m", "0.0"] = journal(*some[:70], next="0.5000")
    place.acts["m", "0.5000"] = journal(next="1.0")
    place.acts["m", "1.0"] = journal(*some[70:])
    clara = await (await place.signed_in(CLARA)).goes_to(HERE)
    seen = [row[4] for row in rows(clara)]
    for expected in (50, 20):
        assert len(rows(clara)) in (50, expected)
        await clara.follows("La suite")
        seen += [row[4] for row in rows(clara)]
    assert seen == [f"m-{n}" for n in range(120)]
    assert "La suite" not in clara.says
    await clara.follows("Revenir au début")
    assert rows(clara)[0][4] == "m-0"


async def test_where_nothing_fits_for_long_the_page_says_so_and_goes_on() -> None:
    place = audited()
    for n in range(6):
        place.acts["m", f"0.{n * 10}"] = journal(next=f"0.{n * 10 + 10}")
    place.acts["m", "0.60"] = journal(act())
    clara = await (await place.signed_in(CLARA)).goes_to(HERE)
    assert "Continuez plus bas" in clara.says
    await clara.follows("La suite")
    assert len(rows(clara)) == 1


async def test_a_service_that_is_away_is_told_of_and_nothing_is_shown_as_all_there_is() -> None:
    place = audited()
    place.away = True
    clara = await (await place.signed_in(CLARA)).goes_to(HERE)
    assert clara.status == 503


async def test_nothing_is_told_of_whoever_reports_to_the_auditor() -> None:
    place = audited()
    chief = outsider(CLARA, SECRET)
    place.happens(LineManagerNamed(cohort_id="c", person_id="m-1", line_manager=chief))
    of_her = [act(about=about) for about in ("m-1", "m-1~g-1~2", "PairFormed:m-1~g-1:g-1")]
    of_her.append(act(actor="s-anne", role="coordinator", about="m-1~g-1"))
    place.acts["m", "0.0"] = journal(*of_her, act(about="round-1"), act(actor="g-1", about="g-1"))
    clara = await (await place.signed_in(CLARA)).goes_to(HERE)
    assert [row[4] for row in rows(clara)] == ["g-1"]
    assert "m-1" not in clara.page.text


@pytest.mark.parametrize("language", ["fr", "en"])
async def test_the_page_has_its_headings_landmarks_and_labels(language: str) -> None:
    place = audited()
    place.acts["m", "0.0"] = journal(*[act()] * 60)
    clara = await place.signed_in(CLARA)
    for path in ("/controler", HERE, f"{HERE}?jour=2018-01-01"):
        mark = "&" if "?" in path else "?"
        await clara.goes_to(f"{path}{mark}langue={language}")
        check(clara.page)


async def test_a_service_tells_the_portal_what_it_asks_for_an_auditor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    transport = httpx.ASGITransport(Stand("notify").app)
    machines = ENVIRONMENT["CONNECTE_HTTP_TOKEN"]
    engine = Engine({"notify": "http://n"}, machines, transport)
    ines = Actor("user", "s-ines", "auditor", "portal")
    told = await engine.acts("notify", OWN, "0.0", ines)
    [refusal] = told.items
    assert (refusal.actor, refusal.role, refusal.refused is None) == (
        "s-lise",
        "coordinator",
        False,
    )
    with pytest.raises(Away):
        await engine.acts("notify", OWN, "0.0", ines._replace(role="coordinator"))
    await engine.close()


async def test_who_audits_another_programme_is_not_told_that_there_is_this_one() -> None:
    place = town()
    place.happens(*given(place, OUTSIDE, "auditor", "d"))
    ines = await place.signed_in(OUTSIDE)
    assert await opens(ines, HERE, "/controler/no-such", "/controler/d") == [404, 404, 200]
