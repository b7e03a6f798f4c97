"""The catalogues of tools and of job families: whole, unambiguous, and in plain words."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

from deploy.trial.pilot import MANAGERS, MENTORS
from schemas.known import added, jobs, tools, whole
from schemas.known.jobs import job_families, recommended


def test_the_states_own_tools_are_called_by_their_names() -> None:
    for tool, name in (("tchap", "Tchap"), ("resana", "Resana"), ("visio", "Visio")):
        assert (tools.said(tool).fr, tools.label(tool, "fr"), tools.label(tool, "en")) == (
            (name, name, name)
        )
    states = {tool.fr for tool in tools.tools().values() if tool.by in ("DINUM", "DGAFP", "DILA")}
    assert states >= {"Tchap", "Resana", "Visio", "Osmose", "Docs", "Grist", "France transfert"}


def test_a_common_noun_has_its_article_in_a_sentence_and_a_capital_alone() -> None:
    assert tools.said("shared-documents").fr == "les documents partagés"
    assert tools.label("shared-documents", "fr") == "Documents partagés"
    assert tools.listed(["tchap", "agenda", "wiki"]).fr == "Tchap, l’agenda partagé et les wikis"
    assert tools.listed(["tchap", "agenda"], either=True).en == "Tchap or shared calendars"
    assert (tools.listed([]).fr, tools.listed(["docs"]).fr) == ("", "Docs")


def test_a_tool_that_nobody_knows_is_said_as_it_is_spelt() -> None:
    assert tools.said("my-own-tool").fr == "my own tool"
    assert tools.label("my-own-tool", "en") == "My own tool"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_no_two_tools_and_no_two_families_have_one_name(language: str) -> None:
    for things in (tools.tools(), job_families()):
        names = [getattr(thing, language).casefold() for thing in things.values()]
        assert len(set(names)) == len(names)


def test_every_tool_that_somebody_provides_says_where_it_is() -> None:
    for name, tool in tools.tools().items():
        assert (tool.by is None) == (tool.link is None), name


def test_at_least_twenty_five_job_families_recommend_tools_of_the_catalogue() -> None:
    assert len(job_families()) >= 25
    for family in (*job_families(), "a job of which nobody has heard"):
        asked = recommended(family)
        assert 2 <= len(asked) <= 4, family
        assert asked.keys() <= tools.tools().keys(), family
        for why in asked.values():
            assert why.fr[0].islower() and why.en[0].islower(), why  # "pour …", "to …"
            assert why.fr.split()[0].removesuffix("e").endswith(("r", "ir", "r")), why.fr
            assert not why.fr.endswith(".") and len(why.fr) <= 60, why.fr


def test_a_family_is_known_by_its_id_and_by_its_names() -> None:
    for spelt in ("public-procurement", "Achats publics", "achats PUBLICS", "Public procurement"):
        assert jobs.is_known(spelt)
        assert jobs.said(spelt).fr == "Achats publics"
        assert set(jobs.needs_of(spelt)) == {"linkedin", "shared-documents"}
    assert not jobs.is_known("jonglerie")
    assert jobs.said("jonglerie").fr == "jonglerie"


def test_the_pilot_speaks_of_nothing_that_the_catalogue_has_not() -> None:
    rows = chain.from_iterable(
        path.read_text(encoding="utf-8").splitlines()[1:] for path in (MENTORS, MANAGERS)
    )
    cells = [cell for row in rows for cell in row.split(",")[6:8]]
    spelt = [part for cell in cells for part in cell.split(";")]
    named = {tool for tool, colon, _ in (part.partition(":") for part in spelt) if colon}
    assert named and named <= tools.tools().keys()


# --- what a deployment adds -----------------------------------------------------------------------

Adding = Callable[..., None]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adding]:
    """Put files into the folder that a deployment adds, by their names without `.toml`."""
    read = (tools.catalogue, jobs._table, jobs.job_families, jobs._by_spelling)

    def adding(**texts: str) -> None:
        monkeypatch.setenv(added.FOLDER, str(tmp_path))
        for name, text in texts.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        for table in read:
            table.cache_clear()

    yield adding
    monkeypatch.undo()
    for table in read:
        table.cache_clear()


OWN_TOOL = """
[tools]
chorus = { fr = "Chorus", en = "Chorus", family = "services" }
tchap = { fr = "Tchap (DGFiP)" }
"""
OWN_FAMILY = """
[grants]
fr = "Subventions"
en = "Grants"
[grants.tools]
chorus = { level = 3, fr = "suivre les paiements", en = "follow payments" }
"""


def test_a_deployment_adds_tools_and_job_families_and_ours_stay(add: Adding) -> None:
    before = len(tools.tools()), len(job_families())
    add(tools=OWN_TOOL, job_families=OWN_FAMILY)
    whole.check()
    assert (len(tools.tools()), len(job_families())) == (before[0] + 1, before[1] + 1)
    assert tools.label("chorus", "fr") == "Chorus"
    assert jobs.is_known("subventions")
    assert jobs.needs_of("Grants") == {"chorus": 3}
    assert tools.tools()["tchap"].fr == "Tchap (DGFiP)"
    assert tools.tools()["tchap"].family == "messaging"


def test_an_entry_with_a_known_id_is_replaced_field_by_field(add: Adding) -> None:
    add(job_families='[budget]\nfr = "Budget et comptes"\n')
    assert (jobs.said("budget").fr, jobs.said("budget").en) == ("Budget et comptes", "Budget")
    assert jobs.needs_of("Budget et comptes")["spreadsheets"] == 4


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"tools": "[tools]\nchorus = {"}, "tools.toml: "),
        ({"tools": '[tools]\nx = { fr = "X", family = "services" }'}, "tools.toml: tools.x.en"),
        ({"tools": '[tools]\nx = { fr = "X", en = "X", family = "y" }'}, "there is no family y"),
        ({"job_families": '[x]\nfr = "X"\nen = "X"'}, "job_families.toml: x.tools"),
        ({"job_families": OWN_FAMILY.replace("3", "9")}, "x.tools".replace("x", "grants")),
        ({"outils": ""}, "outils.toml: nobody reads it"),
    ],
)
def test_what_is_not_whole_is_refused_by_its_file_and_entry(
    add: Adding, texts: dict[str, str], told: str
) -> None:
    add(**texts)
    with pytest.raises(ValueError, match=r".") as refused:
        whole.check()
    assert told in str(refused.value)


def test_a_folder_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(added.FOLDER, "/no/such/folder")
    with pytest.raises(ValueError, match="there is no folder"):
        whole.check()
