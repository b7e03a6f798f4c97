"""The papers on data protection say what the platform does, field by field."""

import pytest

from deploy.made import papers
from deploy.made.papers import NothingSaid, categories, category_of, differing, paper
from schemas.feedback import SurveyAnswered
from schemas.matching import CohortOpened
from schemas.people import PersonContact
from schemas.topics import TOPICS


def test_the_committed_papers_are_current() -> None:
    assert differing() == [], "run: make catalogue"


def test_every_field_of_every_message_is_something_that_a_paper_speaks_of() -> None:
    for topic in TOPICS.values():
        for kind in topic.types:
            for name in kind.model_fields:
                assert category_of(kind, name).why


def test_a_persons_name_is_no_cohorts_name() -> None:
    assert category_of(PersonContact, "name").name == "Identité et coordonnées"
    assert not category_of(CohortOpened, "name").personal


def test_names_and_addresses_are_on_the_restricted_topic_alone() -> None:
    [identity] = [one for one in categories() if "email" in one.fields]
    assert papers._where(identity) == ["people"]


def test_what_somebody_answered_is_said_to_be_personal() -> None:
    assert category_of(SurveyAnswered, "scores").personal


def test_a_field_of_which_nothing_is_said_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = papers._said()
    rows = [
        row | {"fields": [f for f in row["fields"] if f != "email"]} for row in said["categories"]
    ]
    monkeypatch.setattr(papers, "_said", lambda: said | {"categories": rows})
    categories.cache_clear()
    try:
        with pytest.raises(NothingSaid, match="name email in one"):
            categories()
    finally:
        categories.cache_clear()


def test_a_table_is_written_where_its_paper_asks_for_it() -> None:
    text = paper("before\n<!-- table : weights -->\nold\n<!-- fin -->\nafter\n")
    assert "`coverage`" in text and "old" not in text
    assert text.startswith("before\n") and text.endswith("after\n")
