"""Guides and sheets: whole, in both languages, safe, and shown to whom they are for."""

import re

import pytest

from schemas.known.jobs import job_families
from schemas.known.tools import tools
from services.portal import guides
from services.portal.readings import to_prepare
from tests.portal.site import Town
from tests.portal.stories import GOING_ON, LISE, PAUL
from tests.portal.test_own_space import space

TEXTS = [(name, language) for name in guides.sheets() for language in ("fr", "en")]


def test_there_is_a_guide_for_each_of_the_five_exchanges_and_ten_sheets_or_more() -> None:
    known = guides.sheets().values()
    assert [one.exchange for one in known if one.exchange] == [1, 2, 3, 4, 5]
    assert sum(one.tool is not None for one in known) >= 10


def test_every_sheet_is_for_a_tool_and_jobs_that_there_are() -> None:
    for name, one in guides.sheets().items():
        assert one.tool is None or one.tool in tools(), name
        assert set(one.jobs) <= set(job_families()), name


def test_no_text_stands_in_the_folder_that_the_index_does_not_have() -> None:
    for language in ("fr", "en"):
        folder = guides._FOLDER / language
        assert {one.name for one in folder.iterdir()} == {f"{name}.md" for name in guides.sheets()}


@pytest.mark.parametrize(("name", "language"), TEXTS)
def test_every_text_has_a_title_sections_and_something_to_try_in_as_much_time_as_it_says(
    name: str, language: str
) -> None:
    html = str(guides.body(name, language))  # type: ignore[arg-type]
    assert 5 < len(guides.title(name, language)) < 80  # type: ignore[arg-type]
    assert html.count("<h2>") >= 3
    assert "<h1>" not in html
    words = len(re.sub(r"<[^>]+>", " ", html).split())
    assert words <= guides.sheets()[name].minutes * 200, words


def test_a_text_brings_no_markup_of_its_own_and_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    evil = "# T\n<script>a()</script>\n\n![x](https://elsewhere.example/p.png) [y](javascript:a)"
    monkeypatch.setattr(guides, "_text", lambda *_: evil)
    html = str(guides.body.__wrapped__("any", "fr"))
    for mark in ("<script", "<img", 'href="javascript'):
        assert mark not in html


def test_the_sheet_for_the_job_comes_before_the_one_for_everybody() -> None:
    found = to_prepare(1, ["linkedin", "tchap"], "public-procurement", (), "fr")
    names = ["premiere-seance", "linkedin-fournisseurs", "linkedin-profil"]
    assert [one.path for one in found] == [f"/guides/{name}" for name in names]
    (last,) = to_prepare(9, ["no-such-tool"], "", (), "fr")
    assert last.path == "/guides/cinquieme-seance"


@pytest.mark.parametrize("address", [PAUL, LISE])
async def test_both_are_told_what_to_read_before_their_session(address: str) -> None:
    _, person = await space(*GOING_ON, address=address)
    assert "Pour préparer :" in person.says
    await person.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    await person.follows("suivre ses fournisseurs")
    assert person.heading.replace("\u00a0", " ") == "LinkedIn : suivre ses fournisseurs"
    await person.goes_to("/guides/linkedin-fournisseurs?langue=en")
    assert person.heading == "LinkedIn: follow your suppliers"


async def test_anybody_finds_all_of_them() -> None:
    nour = Town().person()
    await nour.goes_to("/guides")
    links = [one.get("href") for one in nour.page.all("main")[0].all("a")]
    assert links == [f"/guides/{name}" for name in guides.sheets()]
    await nour.goes_to("/guides/none")
    assert nour.status == 404
