"""Letters keep to the lengths that MIME has, whatever people and programmes are called."""

import email
import re
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest

from services.notify import words
from services.notify.mail_policy import MAIL_POLICY
from services.notify.rendering import render
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    HEAD,
    LINKS,
    PLANNED,
    cohort,
    letters_for,
    person,
)
from tests.scenario import NOW


@pytest.mark.parametrize(
    "name",
    [
        *("Éléonore-Apolline de Lestrade-Grandmaison d’Hauterive", "é" * 64, "😀" * 64, "x" * 64),
        *(
            'O\'Neil (Jr.), "Al": <b>; ' * 2,
            "日本語" * 21,
            "Zoë " * 16,
            "x" * 60 + " é",
            "a b " * 16,
        ),
    ],
)
@pytest.mark.parametrize("address", ["a@b.example", "x" * 64 + "@" + "y" * 60 + ".example"])
def test_no_line_is_longer_than_mail_allows(name: str, address: str) -> None:
    """RFC 2045: 76 of what is encoded; RFC 2047: 75 for a word, 76 for its line."""
    letter = letters_for(PLANNED)[0]
    title = cohort().model_copy(update={"name": name})
    me, other = person(CAMILLE, name=name, email=address), person(ALEX, name=name)
    raw = render(letter, me, {other.id: other}, LINKS, title, HEAD, NOW).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0]
    words_of_head = re.findall(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", head)
    assert all(len(word) <= 75 for word in words_of_head)
    for line in raw.split(b"\r\n"):
        assert len(line) <= 76 or line == b" <%s>" % address.encode()
    read = email.message_from_bytes(raw, policy=policy.default)
    [to], [by] = read["To"].addresses, read["From"].addresses
    assert (to.addr_spec, by.addr_spec) == (address, HEAD.address)
    for said in (to.display_name, by.display_name):  # Python's reader keeps space between words
        assert said.replace(" ", "") == words.one_line(name).replace(" ", "")
    encoded = email.message_from_bytes(raw)["To"].rpartition("<")[0]
    if "=?" in encoded:
        assert str(make_header(decode_header(encoded))).strip() == words.one_line(name)


@pytest.mark.parametrize("header", ["Subject", "From", "X-Connecte-Letter"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_no_header_brings_another_one_with_it(header: str, end: str) -> None:
    message = EmailMessage(policy=MAIL_POLICY)
    with pytest.raises(ValueError, match=f"{header} has more than one line"):
        message[header] = f"a{end}Bcc: everybody@programme.example"
