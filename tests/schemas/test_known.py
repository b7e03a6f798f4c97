"""The catalogues of tools and of job families: whole, unambiguous, and in plain words."""

from itertools import chain

import pytest

from deploy.trial.pilot import MANAGERS, MENTORS
from schemas.known import jobs, tools
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
