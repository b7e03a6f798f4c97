"""Tokens of links: any text is refused, and a link allows one person one thing."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.http.links import Link, LinkError, LinkSigner, LinkVerifier, generate_keys
from tests.fuzz.conftest import patient
from tests.fuzz.corpus import entries

PRIVATE, PUBLIC = generate_keys()
SIGNER, VERIFIER = LinkSigner(PRIVATE), LinkVerifier(PUBLIC)
NOW = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)
SOON = NOW + timedelta(days=1)

word = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
links = st.builds(
    Link,
    purpose=st.sampled_from(["proposal", "session", "attendance", "survey"]) | word,
    cohort_id=word,
    person_id=word,
    side=st.sampled_from(["mentor", "manager"]) | word,
    id=word,
    attempt=st.none() | st.integers(1, 2**40),
)
ALGORITHMS = ["none", "None", "HS256", "ES256", "RS256", "EdDSA", "Ed448", "", None, 1, ["Ed25519"]]


def reason(token: str) -> str:
    with pytest.raises(LinkError) as caught:
        VERIFIER.verify(token, NOW)
    return caught.value.reason


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


@patient
@given(links)
def test_a_link_allows_what_was_signed_and_nothing_else(link: Link) -> None:
    assert VERIFIER.verify(SIGNER.sign(link, SOON), NOW) == link


@patient
@given(links, links)
def test_the_claims_of_one_link_are_nothing_with_the_signature_of_another(
    mine: Link, other: Link
) -> None:
    mine_parts = SIGNER.sign(mine, SOON).split(".")
    other_parts = SIGNER.sign(other, SOON).split(".")
    mixed = ".".join([mine_parts[0], other_parts[1], mine_parts[2]])
    if other == mine:
        assert VERIFIER.verify(mixed, NOW) == mine
    else:
        assert reason(mixed) == "forged"


@patient
@given(
    links,
    st.sampled_from(ALGORITHMS),
    st.dictionaries(st.sampled_from(["crit", "jwk", "kid", "b64", "typ", "zip"]), word | st.none()),
)
def test_no_other_head_makes_a_token_valid(link: Link, algorithm: Any, more: Any) -> None:
    _, claims, signature = SIGNER.sign(link, SOON).split(".")
    head = part({"alg": algorithm, **more})
    for end in (signature, "", "AA"):
        assert reason(f"{head}.{claims}.{end}") == "forged"


@patient
@given(st.text(max_size=200) | st.lists(word, min_size=3, max_size=3).map(".".join))
def test_any_text_is_refused(text: str) -> None:
    assert reason(text) == "forged"


@patient
@given(st.lists(st.dictionaries(word, word | st.integers() | st.none(), max_size=4), min_size=2))
def test_any_json_in_the_parts_is_refused(parts: list[Any]) -> None:
    assert reason(".".join([*(part(p) for p in parts), "AA"])) == "forged"


def test_what_was_once_a_fault_is_none_any_more() -> None:
    _, claims, signature = SIGNER.sign(
        Link(purpose="p", cohort_id="c", person_id="m", side="mentor", id="x"), SOON
    ).split(".")
    for _, content in entries("links"):
        text = content.decode("latin-1")
        piece = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
        for token in (text, piece, f"{piece}.{claims}.{signature}", f"{piece}.{piece}.{piece}"):
            assert reason(token) == "forged"
