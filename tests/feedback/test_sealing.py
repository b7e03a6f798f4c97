"""Without the key nobody learns of answers: which, how many, whether two are alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.sealing import Seal

SCORES = st.dictionaries(st.text(max_size=64), st.integers(1, 5), min_size=1, max_size=4)
SEAL, OTHER = Seal("a key"), Seal("another key")


@given(SCORES, st.text())
def test_what_is_sealed_is_opened_as_it_was_in_its_order(
    scores: dict[str, int], survey: str
) -> None:
    sealed = SEAL.seal(survey, scores)
    assert list((SEAL.open(sealed) or {}).items()) == list(scores.items())
    assert SEAL.seal(survey, scores) == sealed


@given(SCORES, st.text())
def test_by_another_key_nothing_is_opened(scores: dict[str, int], survey: str) -> None:
    assert OTHER.open(SEAL.seal(survey, scores)) is None


def test_the_same_answers_of_two_look_like_any_others() -> None:
    three = {"usefulness": 5, "ease_together": 5, "practice": 5}
    sealed = [SEAL.seal(survey, three) for survey in ("m~g~s1~mentor", "m~g~s1~manager")]
    assert sealed[0][:20] != sealed[1][:20]
    assert sealed[0][-20:] != sealed[1][-20:]
    few = SEAL.seal("n~g~s1~mentor", {"usefulness": 1})
    assert {len(text) for text in (*sealed, few)} == {len(few)}


def test_what_was_sealed_by_a_key_of_before_is_opened_while_it_is_known() -> None:
    before, scores = SEAL.seal("x", {"usefulness": 2}), {"usefulness": 2}
    changed = Seal("a new key", "a key")
    assert changed.open(before) == scores
    assert SEAL.open(changed.seal("x", scores)) is None


@pytest.mark.parametrize("given", ["", "x", "é", "AAAA", "A" * 400, SEAL.seal("x", {"a": 1})[:-8]])
def test_what_was_never_sealed_opens_to_nothing(given: str) -> None:
    assert SEAL.open(given) is None


@given(SCORES, st.text())
def test_in_the_place_of_another_seal_it_is_opened_as_it_was(
    scores: dict[str, int], survey: str
) -> None:
    first = SEAL.seal(survey, scores)
    again = SEAL.seal(survey, scores, first)
    assert again == SEAL.seal(survey, scores, first)
    assert SEAL.open(again) == scores
    assert len(again) == len(first)


def test_a_seal_is_found_by_its_survey_and_by_nothing_else() -> None:
    sealed = {name: SEAL.seal(name, {"usefulness": n}) for n, name in enumerate("xyz", 1)}
    among = ["", "é", *sealed.values(), "AAAA"]
    assert SEAL.find("y", among) == (sealed["y"], {"usefulness": 2})
    assert Seal("a new key", "a key").find("y", among) == (sealed["y"], {"usefulness": 2})
    assert SEAL.find("u", among) is None
    assert OTHER.find("y", among) is None
    assert SEAL.find("y", [sealed["y"][:-8]]) is None
