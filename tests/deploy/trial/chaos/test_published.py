"""The tables of the page that publishes the proof are what the published runs have answered."""

from deploy.trial.chaos.faults import KINDS
from deploy.trial.chaos.published import PAGE, page, published


def test_the_tables_are_those_of_the_published_runs() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text, published()), "run: python -m deploy.trial.chaos.published"


def test_three_seeds_are_published_each_clean_and_with_every_kind_of_fault() -> None:
    answers = published()
    assert [answer["seed"] for answer in answers] == [1, 2, 3]
    for answer in answers:
        assert answer["clean"], answer["seed"]
        assert answer["faults"].keys() == KINDS.keys(), answer["seed"]
        assert all(answer["faults"].values()), answer["seed"]
