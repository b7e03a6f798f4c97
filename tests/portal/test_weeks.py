"""What people write of their week, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import WEEKDAYS, Window
from services.portal import weeks

TIMES = st.integers(0, 95).map(lambda n: f"{n // 4:02d}:{n % 4 * 15:02d}")
WINDOWS = (
    st.tuples(st.sampled_from(WEEKDAYS), TIMES, TIMES)
    .filter(lambda given: given[1] < given[2])
    .map(lambda given: Window(day=given[0], start=given[1], end=given[2]))
)


@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("lundi 9h-12h, jeudi après-midi", "mon 09:00-12:00;thu 14:00-18:00"),
        ("mon 09:00-12:00;thu 14:00-18:00", "mon 09:00-12:00;thu 14:00-18:00"),
        ("Lundi de 9h30 à 12h et mardi matin", "mon 09:30-12:00;tue 09:00-12:00"),
        ("lun. 8h-9h, 14h-15h", "mon 08:00-09:00;mon 14:00-15:00"),
        ("lundi ٩h٣٠-²³h", "mon 09:30-23:00"),
        ("MARDI", "tue 09:00-18:00"),
        ("vendredi apres midi", "fri 14:00-18:00"),
        ("Monday 9:00-12:30 and Friday morning", "mon 09:00-12:30;fri 09:00-12:00"),
        ("lundi 9-12", "mon 09:00-12:00"),
        ("jeudi\u00a09\u202fh\u00a0–\u00a011\u202fh", "thu 09:00-11:00"),
    ],
)
def test_a_week_is_read_as_people_write_it(text: str, week: str) -> None:
    found = weeks.read_week(text)
    assert ";".join(f"{w.day} {w.start}-{w.end}" for w in found) == week


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", ""),
        ("lundi 9h-8h", "lundi 9h-8h"),
        ("lundi matin, dimanche", "dimanche"),
        ("9h-12h", "9h-12h"),
        ("lundi tôt", "lundi tot"),
        ("lundi 25h-26h", "lundi 25h-26h"),
        ("lundi 9h75-10h", "lundi 9h75-10h"),
    ],
)
def test_what_is_no_week_is_named(text: str, part: str) -> None:
    with pytest.raises(weeks.NoWeek) as found:
        weeks.read_week(text)
    assert found.value.part == part


@given(st.lists(WINDOWS, min_size=1, max_size=20, unique=True))
def test_what_is_written_is_read_again_as_it_was(windows: list[Window]) -> None:
    assert list(weeks.read_week(weeks.written(windows))) == windows


@given(st.sets(st.sampled_from([f"{d}-{p}" for d in WEEKDAYS for p in weeks.PARTS])))
def test_half_days_that_were_ticked_are_ticked_again(ticked: set[str]) -> None:
    assert set(weeks.half_days_of(weeks.of_half_days(ticked))) == ticked


@given(st.text(max_size=80))
def test_any_text_is_a_week_or_is_told_to_be_none(text: str) -> None:
    try:
        assert weeks.read_week(text)
    except weeks.NoWeek as error:
        assert error.fr
        assert error.en
