"""Addresses: what is taken in can be written to, and what was taken in before stops nothing."""

import json

import pytest
from pydantic import ValidationError

from schemas.envelope import Unreadable, attributes, decode, encode
from schemas.gate.samples import AT
from schemas.people import PersonContact

GOOD = ["anne.roy@a.example", "a+b_c-d'e@sub.finances.gouv.fr", "A.B@EXAMPLE.org", "x@xn--p1ai.fr"]
BAD = [
    *("a..b@a.example", ".a@a.example", "a.@a.example", "jörg@a.example", "ａnne@a.example"),
    *("a\u200bb@a.example", "a\u00adb@a.example", "a@-a.example", "a@a-.example", "a@a..example"),
    *("a=?utf-8?q?=0A?=b@a.example", "a\x00b@a.example", "a\x7fb@a.example", "é@a.example"),
    *("a@économie.example", "a@xn--zz.example", "a@" + "b" * 60 + "." + ("c" * 60 + ".") * 4 + "d"),
    *(
        '"a b"@a.example',
        "a@[127.0.0.1]",
        "a b@a.example",
        "a@b",
        "",
        "@a.example",
        "a\n@a.example",
    ),
]


def contact(address: str) -> PersonContact:
    return PersonContact(cohort_id="c", person_id="m", name="Anne", email=address)


@pytest.mark.parametrize("address", GOOD)
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert contact(address).email == address


@pytest.mark.parametrize("address", BAD)
def test_an_address_that_no_mail_can_carry_is_refused_by_name(address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        contact(address)
    (error,) = caught.value.errors()
    assert error["loc"] == ("email",)


@pytest.mark.parametrize("address", ["a..b@a.example", "jörg@a.example", ".a@a.example"])
def test_what_was_taken_in_before_is_read_in_a_rebuild_and_set_aside_when_it_comes_anew(
    address: str,
) -> None:
    old = contact("a@a.example").model_copy(update={"email": address})
    record = encode(old, "t", 0, id="1", source="/x", time=AT)
    assert address in json.loads(record.value or b"")["email"]
    found = attributes(record.headers)
    with pytest.raises(Unreadable, match=r"PersonContact\.email: .*no letter can be sent"):
        decode(found, record.value)
    assert decode(found, record.value, "taken-in") == old
