"""For coordinators: figures with their tables, and what is taken away is no formula."""

import csv
import io
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from schemas.people import PersonContact
from schemas.scheduling import SessionCompleted
from services.portal.charts import WIDTH, chart
from services.portal.web.sheets import as_csv, as_ods, as_text
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import (
    GOING_ON,
    JOINED,
    LISE,
    MEASURED,
    OPENED,
    WAITLISTED,
    WITHHELD,
    of_session,
    planned,
)
from tests.portal.test_coordinating import office

HELD = of_session(SessionCompleted, by="mentor", completed=1)
EXPORT = "/coordonner/c/suivi/export"


async def test_following_shows_criteria_and_counts_and_never_too_small_a_figure() -> None:
    _, anne = await office("/coordonner/c/suivi", *GOING_ON, MEASURED, WITHHELD)
    assert "Pas encore." in anne.says
    assert "trop peu de réponses" in anne.says
    rows = [[cell.text for cell in row.all("th", "td")] for row in anne.page.all("tr")]
    assert ["formé", "1"] in rows


async def test_behind_every_chart_are_its_figures_and_n_stands_beside_the_rate() -> None:
    _, anne = await office("/coordonner/c/suivi", *GOING_ON, HELD, planned(2, 21))
    assert len(anne.page.all("svg")) == 2
    for drawing in anne.page.all("svg"):
        (title,), (text,) = drawing.all("title"), drawing.all("desc")
        assert drawing.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
        assert text.text
    rows = [[cell.text for cell in row.all("th", "td")] for row in anne.page.all("tr")]
    assert ["Une séance au moins", "1"] in rows
    assert ["13 mars 2017", "1", "0", "0"] in rows
    assert ["27 mars 2017", "0", "0", "1"] in rows
    assert "Présence : 100 % de séances tenues (n = 1)." in anne.says


async def test_who_waits_is_counted_by_the_cause() -> None:
    _, anne = await office("/coordonner/c/suivi", *JOINED, WAITLISTED)
    assert "Aucun mentor n’explique ces outils" in anne.says
    assert "Aucune séance pour le moment." in anne.says


@pytest.mark.parametrize("what", ["participants", "binomes", "seances"])
@pytest.mark.parametrize("kind", ["ods", "csv"])
async def test_a_table_is_taken_away_and_opens(what: str, kind: str) -> None:
    _, anne = await office(f"{EXPORT}?quoi={what}&format={kind}", *GOING_ON)
    assert anne.answer is not None
    assert anne.answer.headers["content-disposition"].endswith(f'filename="c-{what}.{kind}"')
    if kind == "csv":
        text = anne.answer.content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    else:
        book = CalamineWorkbook.from_filelike(BytesIO(anne.answer.content))
        rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == (3 if what == "participants" else 2)
    assert any("Lise Œuvrard" in row for row in rows)


async def test_a_name_that_a_spreadsheet_would_calculate_is_a_text() -> None:
    evil = PersonContact(cohort_id="c", person_id="m-1", name="=HYPERLINK(A1)", email=LISE)
    _, anne = await office(f"{EXPORT}?quoi=participants&format=csv", *GOING_ON, evil)
    assert anne.answer is not None
    assert "'=HYPERLINK(A1)" in anne.answer.text
    assert ";=" not in anne.answer.text


@pytest.mark.parametrize("query", ["quoi=reponses", "quoi=binomes&format=exe", ""])
async def test_what_is_no_table_is_not_there(query: str) -> None:
    _, anne = await office(f"{EXPORT}?{query}", OPENED)
    assert anne.status == 404


async def test_who_does_not_coordinate_takes_nothing_away() -> None:
    town = Town().happens(*GOING_ON)
    lise = await town.signed_in(LISE)
    await lise.goes_to(f"{EXPORT}?quoi=participants")
    assert lise.status == 404
    assert COORDINATOR != LISE


@given(st.text())
def test_no_text_is_calculated_and_every_text_can_be_written(text: str) -> None:
    assert not str(as_text(text)).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    (row,) = csv.reader(io.StringIO(as_csv([[text]]).decode("utf-8-sig")), delimiter=";")
    if "\r" not in text and "\n" not in text:
        assert row == [str(as_text(text))]
    CalamineWorkbook.from_filelike(BytesIO(as_ods("noms", [[text, 1]])))


@given(st.lists(st.lists(st.integers(0, 10**6), max_size=3), max_size=20))
def test_no_bar_is_drawn_outside_of_its_chart(figures: list[list[int]]) -> None:
    drawn = chart("t", "d", [("x", [("completed", n) for n in row]) for row in figures])
    for bar in drawn.bars:
        assert bar.end <= WIDTH
        assert all(x >= 0 and x + width <= WIDTH for _, x, width in bar.parts)
