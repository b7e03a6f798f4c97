"""The moods of a mail server: by the seed and the letter alone; and what had to come again."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from deploy.local.mail import TAKEN, Verdict
from deploy.trial.mail_trouble import FOR_GOOD, Arrival, Mood, handed_over_again, mood

SEEDS, LETTERS = st.integers(0, 9), st.text(min_size=1, max_size=20)


@given(SEEDS, LETTERS)
def test_a_letter_is_refused_for_good_whenever_it_comes_or_taken_before_it_is_given_up(
    seed: int, letter: str
) -> None:
    found = mood(seed, letter)
    assert found == mood(seed, letter)
    answers = [found.verdict(number).answer for number in range(1, 9)]
    if found.for_good:
        assert set(answers) == {FOR_GOOD}
    else:
        assert FOR_GOOD not in answers
        assert answers[3:] == [TAKEN.answer] * 5
        assert sum(answer is None for answer in answers) <= 1


def test_a_seed_has_all_moods() -> None:
    moods = [mood(1, f"c/{number}") for number in range(400)]
    codes = Counter(answer[:3] for one in moods for answer in one.answers)
    assert codes["421"] > 20
    assert codes["450"] > 20
    assert 10 < sum(one.for_good for one in moods) < 60
    deaths = Counter(one.dies for one in moods)
    assert min(deaths.values()) > 5
    assert deaths.keys() == {None, True, False}


def test_a_letter_that_its_server_does_not_confirm_comes_again_and_is_taken() -> None:
    unconfirmed = Mood(("450 4.2.1 busy",), dies=True)
    verdicts = [unconfirmed.verdict(number) for number in (1, 2, 3)]
    assert verdicts == [Verdict(False, "450 4.2.1 busy"), Verdict(True, None), TAKEN]


def came(letter: str, opened_at: float, at: float, verdict: Verdict = TAKEN) -> Arrival:
    return Arrival(letter, opened_at, at, verdict)


def test_a_letter_comes_again_only_where_somebody_ended_in_its_conversation() -> None:
    refused = came("c/put-off", 0, 1, Verdict(False, "450 4.2.1 busy"))
    arrivals = [refused, came("c/put-off", 0, 2), came("c/1", 0, 3), came("c/2", 5, 6)]
    assert handed_over_again(arrivals, [], []) == []
    assert handed_over_again([*arrivals, came("c/1", 4, 7)], [3.5], []) == [("c/1", "kill")]
    assert handed_over_again([*arrivals, came("c/1", 4, 7)], [], [3.5]) == [("c/1", "mail")]
    for end in (3.5, 8.5):
        found = handed_over_again([*arrivals, came("c/2", 5, 8)], [end], [])
        assert found == [("c/2", "otherwise")]
