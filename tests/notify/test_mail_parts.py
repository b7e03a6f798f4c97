"""Letters are written as the libraries would write them, which take longer over it."""

import quopri
from email.charset import BASE64, Charset
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.quoprimime import body_encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from icalendar.parser import Contentline
from jinja2 import UndefinedError

from deploy.operating.letter_examples import WRITTEN_AT
from deploy.operating.letters_preview import every_letter, people_of_example
from schemas.values import Language
from services.notify.invitations import Invitation, calendar_of, folded
from services.notify.mail_parts import address_of, quoted
from services.notify.mail_policy import LINE, MAIL_POLICY
from services.notify.rendering import render
from services.notify.sentences import JINJA, filled
from services.notify.words import one_line
from tests.notify.facts import HEAD, PLANNED, PORTAL_LINKS, cohort
from tests.scenario import NOW

AWKWARD = st.text(st.sampled_from("a\\^;,é€😀 "), min_size=1, max_size=300)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_letter_has_the_bytes_that_pythons_own_generator_writes(language: Language) -> None:
    for _, letter in every_letter():
        reader, others = people_of_example(letter, language)
        mail = render(letter, reader, others, PORTAL_LINKS, cohort(), HEAD, WRITTEN_AT)
        message = mail.as_message()
        assert mail.as_bytes() == message.as_bytes(policy=MAIL_POLICY)
        parts = [part.get_content() for part in message.iter_parts()]
        assert all("=_connecte" not in part for part in parts)


@given(st.text(st.sampled_from("ab=.\t é€😀\x00\x7f\n\u2028"), max_size=300))
def test_a_text_is_quoted_as_pythons_own_encoder_quotes_it(text: str) -> None:
    octets = "".join(f"{line}\n" for line in text.splitlines() or [""]).encode()
    assert quopri.decodestring(quoted(text)) == octets
    assert all(len(line) <= LINE for line in quoted(text).split("\n"))
    if not any(line.endswith((" ", "\t")) for line in text.splitlines()):  # it breaks those before
        assert quoted(text) == body_encode(octets.decode("latin-1"), LINE)


@given(AWKWARD.filter(lambda text: not text.isascii()))
def test_a_subject_has_the_encoded_words_of_pythons_own_header(text: str) -> None:
    base64 = Charset("utf-8")
    base64.header_encoding = BASE64
    expected = Header(text, base64, LINE, "Subject").encode(linesep="\r\n")
    assert MAIL_POLICY.fold("Subject", text) == f"Subject: {expected}\r\n"


@given(AWKWARD)
def test_a_calendars_lines_are_folded_as_the_library_folds_them(line: str) -> None:
    assert folded(line.encode()) == Contentline(line).to_ical()


@given(AWKWARD, AWKWARD, st.booleans(), st.sampled_from((None, "https://visio.example/{uid}")))
def test_a_calendar_says_what_it_was_given_whoever_had_one_of_its_shape_before(
    text: str, name: str, accepted: bool, url: str | None
) -> None:
    invitation = Invitation(
        method="REQUEST",
        summary=text,
        description=f"{text}\n{{starts}}",
        organizer=(name, "programme@example.org"),
        attendees=((name, "me@example.org", accepted), ("{uid}", "you@example.org", False)),
        url=url,
        domain="example.org",
        location=text,
        conference=url,
    )
    [entry] = Calendar.from_ical(calendar_of(PLANNED, invitation, NOW)).walk("VEVENT")
    assert (entry["summary"], entry["location"]) == (text, text)
    assert entry["description"] == f"{text}\n{{starts}}"
    assert (entry.get("url"), entry.get("conference")) == (url, url)
    assert (entry["dtstart"].dt, entry["dtend"].dt) == (PLANNED.starts_at, PLANNED.ends_at)
    assert (entry["dtstamp"].dt, entry["sequence"]) == (NOW, PLANNED.revision)
    me, you = entry["attendee"]
    assert (me, you) == ("mailto:me@example.org", "mailto:you@example.org")
    assert (me.params["CN"], you.params["CN"]) == (name.replace("\\", "/"), "{uid}")
    assert me.params["PARTSTAT"] == ("ACCEPTED" if accepted else "NEEDS-ACTION")


def test_an_address_of_two_lines_is_in_no_calendar() -> None:
    both = (("A", "a@example.org\r\nATTENDEE:b@example.org", True),)
    invitation = Invitation("CANCEL", "", "", ("", "c@example.org"), both, None, "example.org")
    with pytest.raises(ValueError, match="more than one line"):
        calendar_of(PLANNED, invitation, NOW)


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
