"""A programme's own sheets: coordinators write them, its people read them before their session."""

from typing import Any

import pytest

from schemas.sheets import SheetText, TakeSheetBack, WriteSheet
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import (
    GOING_ON,
    JOINED,
    MANAGER_LEFT,
    OPENED,
    PAUL,
    SHEET,
    SHEET_BACK,
)
from tests.portal.test_accessibility import check
from tests.portal.test_own_space import space

TEXT = "## À essayer\n\n1. Cherchez\n2. Trouvez"
TYPED: dict[str, Any] = {"outil": "wiki", "titre": "Notre wiki", "texte": TEXT}


async def writing(*happened: Any, path: str = "nouvelle") -> tuple[Town, Person]:
    town = Town().happens(OPENED, *happened)
    anne = await town.signed_in(COORDINATOR)
    await anne.goes_to(f"/coordonner/c/fiches/{path}")
    return town, anne


async def test_a_coordinator_writes_a_sheet_and_it_is_listed_with_whom_it_is_for() -> None:
    town, anne = await writing()
    await anne.presses("Publier la fiche", **TYPED, metier=["budget"])
    (command,) = town.sent
    assert isinstance(command, WriteSheet)
    assert (command.tool, command.jobs, command.follows) == ("wiki", ("budget",), 0)
    assert (command.fr.body, command.en) == (TEXT, None)
    assert "La fiche est publiée" in anne.says
    assert "Notre wiki" in anne.says
    await anne.follows("Notre wiki")
    assert anne.heading == "Changer la fiche"
    await anne.presses("Publier la fiche", titre="Notre wiki à nous")
    again = town.sent[-1]
    assert isinstance(again, WriteSheet)
    assert (again.sheet_id, again.follows, again.fr.body) == (command.sheet_id, 1, TEXT)


async def test_a_new_sheet_that_is_sent_again_is_the_same_one() -> None:
    """After going back a browser asks for an empty form, and fills in what was typed."""
    town, anne = await writing()
    for text in (TEXT, TEXT, f"{TEXT}\n3. Gardez"):
        await anne.goes_to("/coordonner/c/fiches/nouvelle")
        await anne.presses("Publier la fiche", **TYPED | {"texte": text})
    assert len({command.subject for command in town.sent}) == 1


async def test_it_can_be_read_before_it_is_published() -> None:
    town, anne = await writing()
    english = {"titre-en": "Our wiki", "texte-en": "Search."}
    await anne.presses("Relire avant de publier", **TYPED, **english)
    assert town.sent == []
    assert [one.all("h2")[0].text for one in anne.page.all("section")] == ["Notre wiki", "Our wiki"]
    check(anne.page)
    await anne.presses("Publier la fiche")
    (command,) = town.sent
    assert isinstance(command, WriteSheet)
    assert command.en == SheetText(title="Our wiki", body="Search.")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({**TYPED, "outil": ""}, "outil"),
        ({**TYPED, "titre": "ab"}, "titre"),
        ({**TYPED, "texte": "\u200b"}, "texte"),
        ({**TYPED, "texte": "x" * 8001}, "texte"),
        ({**TYPED, "titre-en": "Our wiki"}, "texte-en"),
    ],
)
async def test_what_is_wrong_is_told_at_its_field_and_everything_typed_stays(
    typed: dict[str, str], field: str
) -> None:
    town, anne = await writing()
    await anne.presses("Publier la fiche", **typed)
    assert (anne.status, town.sent) == (422, [])
    (summary,) = [one for one in anne.page.all("div") if one.get("role") == "alert"]
    assert [link.get("href") for link in summary.all("a")] == [f"#{field}"]
    check(anne.page)
    if field != "titre":
        (title,) = [one for one in anne.page.all("input") if one.get("name") == "titre"]
        assert title.get("value") == "Notre wiki"


async def test_a_pair_reads_it_before_their_session_ahead_of_what_everybody_has() -> None:
    _, paul = await space(*GOING_ON, SHEET)
    lists = [[link.get("href") for link in one.all("a")] for one in paul.page.all("ul")]
    assert next(hrefs for hrefs in lists if "/guides/premiere-seance" in hrefs) == [
        "/guides/premiere-seance",
        "/mon-espace/c/fiches/f-1",
        "/guides/linkedin-fournisseurs",
    ]
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await paul.follows("nos marchés")
    assert paul.heading.replace("\u00a0", " ") == "LinkedIn : nos marchés"
    assert [one.text for one in paul.page.all("h2")] == ["À quoi cela sert"]


async def test_it_is_read_by_those_alone_whose_tool_and_job_it_is_for() -> None:
    for other in ({"tool": "tchap"}, {"jobs": ("budget",)}):
        _, paul = await space(*GOING_ON, SHEET.model_copy(update=other))
        assert "nos marchés" not in paul.says
        await paul.goes_to("/mon-espace/c/communaute")
        assert "nos marchés" in paul.says, "everybody finds all of them"


async def test_whoever_reads_english_is_given_the_french_and_told_so() -> None:
    _, paul = await space(*GOING_ON, SHEET)
    await paul.goes_to("/mon-espace/c/fiches/f-1?langue=en")
    assert "This sheet is in French alone." in paul.says
    (part,) = [one for one in paul.page.all("div") if one.get("lang") == "fr"]
    assert part.all("h1")
    english = SheetText(title="LinkedIn: our suppliers", body="Follow them.")
    _, paul = await space(*GOING_ON, SHEET.model_copy(update={"en": english}))
    await paul.goes_to("/mon-espace/c/fiches/f-1?langue=en")
    assert paul.heading == "LinkedIn: our suppliers"


async def test_what_is_taken_back_is_read_by_nobody_and_can_be_shown_again() -> None:
    town, anne = await writing(*GOING_ON[1:], SHEET, path="f-1")
    await anne.presses("Retirer la fiche")
    assert town.sent == [TakeSheetBack(cohort_id="c", sheet_id="f-1", follows=1)]
    assert "La fiche est retirée" in anne.says
    paul = await town.signed_in(PAUL)
    for path in ("/mon-espace", "/mon-espace/c/communaute", "/mon-espace/c/seances/m-1~g-1~1"):
        await paul.goes_to(path)
        assert "nos marchés" not in paul.says, path
    await paul.goes_to("/mon-espace/c/fiches/f-1")
    assert paul.status == 404
    await anne.follows("nos marchés")
    await anne.presses("Publier la fiche")
    await paul.goes_to("/mon-espace/c/fiches/f-1")
    assert paul.status == 200


async def test_it_is_for_whoever_takes_part_and_for_nobody_else() -> None:
    _, paul = await space(*JOINED, SHEET, MANAGER_LEFT)
    await paul.goes_to("/mon-espace/c/fiches/f-1")
    assert paul.status == 404
    eve = await Town().happens(*JOINED, SHEET).signed_in("eve@ministere.example")
    await eve.goes_to("/mon-espace/c/fiches/f-1")
    assert eve.status == 404


@pytest.mark.parametrize("button", ["Publier la fiche", "Retirer la fiche"])
async def test_what_somebody_else_wrote_meanwhile_is_shown_and_not_written_over(
    button: str,
) -> None:
    town, anne = await writing(SHEET, path="f-1")
    theirs = SheetText(title="LinkedIn : leur texte", body="Leur texte.")
    town.happens(SHEET.model_copy(update={"fr": theirs, "edition": 2}))
    town.rule = "sheet-changed"
    await anne.presses(button, texte="Mon texte.")
    assert anne.status == 409
    assert "Leur texte." in anne.says
    assert "Mon texte." in anne.says
    check(anne.page)
    town.rule = None
    await anne.presses("Publier la fiche")
    (command,) = town.sent
    assert isinstance(command, WriteSheet)
    assert (command.fr.body, command.follows) == ("Mon texte.", 2)


async def test_a_sheet_that_there_is_not_has_no_page() -> None:
    _, anne = await writing(path="f-none")
    assert anne.status == 404
    _, anne = await writing(SHEET, SHEET_BACK, path="f-1")
    assert "Retirer la fiche" not in anne.says
