"""Letters are written as the libraries would write them, which take longer over it."""

from email.errors import MessageError
from email.headerregistry import Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar.parser import Contentline
from jinja2 import UndefinedError

from deploy.operating.letter_examples import WRITTEN_AT
from deploy.operating.letters_preview import every_letter, people_of_example
from schemas.values import Language
from services.notify.invitations import folded
from services.notify.mail_parts import address_of, as_bytes
from services.notify.mail_policy import MAIL_POLICY
from services.notify.rendering import render
from services.notify.sentences import JINJA, filled
from services.notify.words import one_line
from tests.notify.facts import HEAD, PORTAL_LINKS, cohort

AWKWARD = st.text(st.sampled_from("a\\^;,é€😀 "), min_size=1, max_size=300)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_letter_has_the_bytes_that_pythons_own_generator_writes(language: Language) -> None:
    for _, letter in every_letter():
        reader, others = people_of_example(letter, language)
        message = render(letter, reader, others, PORTAL_LINKS, cohort(), HEAD, WRITTEN_AT)
        assert as_bytes(message) == message.as_bytes(policy=MAIL_POLICY)
        parts = [part.get_content() for part in message.iter_parts()]
        assert all("=_connecte" not in part for part in parts)


@given(AWKWARD)
def test_a_calendars_lines_are_folded_as_the_library_folds_them(line: str) -> None:
    assert folded(line.encode()) == Contentline(line).to_ical()


@given(
    st.sampled_from(
        ["{{ name }} : {{ n }}", "{{ name }}}", "{{ n + 1 }}", "{% if n %}{{ n }}{% endif %}"]
    ),
    st.fixed_dictionaries({"name": st.text(), "n": st.integers(0, 3)}),
)
def test_a_sentence_says_what_its_template_says(text: str, facts: dict[str, Any]) -> None:
    assert filled(text)(facts) == JINJA.from_string(text).render(facts)


@given(st.text(), st.from_regex(r"[a-z0-9._+'-]{1,12}@[a-z0-9.-]{1,12}", fullmatch=True))
def test_a_plain_address_is_what_the_library_takes_it_for(name: str, email: str) -> None:
    named = one_line(name)
    try:
        expected = Address(named, addr_spec=email)
    except (MessageError, ValueError, IndexError):
        with pytest.raises((MessageError, ValueError, IndexError)):
            address_of(named, email)
    else:
        assert str(address_of(named, email)) == str(expected)


@given(st.text(st.sampled_from("aé =?\t\n\u00a0\u2028\x7f")))
def test_a_name_is_on_one_line_whatever_is_in_it(text: str) -> None:
    kept = " ".join("".join(c if c.isprintable() or c == "\u00a0" else " " for c in text).split())
    assert one_line(text) == kept.replace("=?", "= ?")
    assert len(one_line(text).splitlines()) <= 1


def test_a_sentence_without_its_fact_is_not_written() -> None:
    for text in ("{{ other }}", "{{ other }}{% if n %}{% endif %}"):
        with pytest.raises((KeyError, UndefinedError)):
            filled(text)({"n": 1})
