"""What a signed link allows, and that nothing else does."""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.chassis.http.links import Link, LinkError, LinkSigner, LinkVerifier, generate_keys

PRIVATE, PUBLIC = generate_keys()
SIGNER, VERIFIER = LinkSigner(PRIVATE), LinkVerifier(PUBLIC)
NOW = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)
LINK = Link(
    purpose="session", cohort_id="bercy", person_id="m-1", side="mentor", id="m-1~g-1~3", attempt=2
)
TOKEN = SIGNER.sign(LINK, NOW + timedelta(days=1))
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00é"


def reason(token: str, now: datetime = NOW) -> str:
    with pytest.raises(LinkError) as caught:
        VERIFIER.verify(token, now)
    return caught.value.reason


def test_a_signed_link_is_what_it_was() -> None:
    assert VERIFIER.verify(TOKEN, NOW) == LINK


def test_a_link_without_an_attempt_stays_without_one() -> None:
    link = LINK.model_copy(update={"attempt": None})
    assert VERIFIER.verify(SIGNER.sign(link, NOW + timedelta(days=1)), NOW) == link


def test_a_token_is_safe_in_a_url_and_the_same_each_time() -> None:
    assert set(TOKEN) <= set(ALPHABET[:65])
    assert len(TOKEN) < 500
    assert SIGNER.sign(LINK, NOW + timedelta(days=1)) == TOKEN


@given(st.text(st.sampled_from('aé"\\😀/~'), max_size=80))
def test_a_token_is_the_one_that_the_library_writes(person: str) -> None:
    link, until = LINK.model_copy(update={"person_id": person}), NOW + timedelta(days=1)
    claims = link.model_dump(exclude_defaults=True) | {"exp": int(until.timestamp())}
    key = OKPKey.import_key(PRIVATE)
    expected = jwt.encode({"alg": "Ed25519"}, claims, key, algorithms=["Ed25519"])
    assert SIGNER.sign(link, until) == expected


@given(
    st.timedeltas(timedelta(seconds=1), timedelta(days=400)),
    st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_a_link_ends_when_it_expires_and_not_before(life: timedelta, late: timedelta) -> None:
    expires_at = (NOW + life).replace(microsecond=0)
    token = SIGNER.sign(LINK, expires_at)
    assert VERIFIER.verify(token, expires_at - timedelta(milliseconds=1)) == LINK
    assert reason(token, expires_at + late) == "expired"


@given(st.data())
def test_a_token_with_any_character_changed_is_forged(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda c: c != TOKEN[place]))
    assert reason(TOKEN[:place] + other + TOKEN[place + 1 :]) == "forged"


def test_the_last_character_counts_too_though_base64_ignores_some_of_its_bits() -> None:
    for other in set(ALPHABET) - {TOKEN[-1]}:
        assert reason(TOKEN[:-1] + other) == "forged"


@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda b: b.decode("latin-1")))
def test_whatever_is_sent_is_refused_and_nothing_else_happens(text: str) -> None:
    assert reason(text) == "forged"
    assert reason(f"{TOKEN}{text}") == "forged" if text else True


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800", "W10.e30.AA", "[" * 5000, "W1t" * 2000])
def test_odd_texts_are_forged(text: str) -> None:
    assert reason(text) == "forged"


def test_a_token_of_another_key_or_algorithm_is_forged() -> None:
    stranger, public = generate_keys()
    assert reason(LinkSigner(stranger).sign(LINK, NOW + timedelta(days=1))) == "forged"
    head = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    body = f"{head}.{TOKEN.split('.')[1]}"
    mac = hmac.digest(PUBLIC.encode(), body.encode(), "sha256")
    with_public_key_as_secret = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    assert reason(f"{body}.{with_public_key_as_secret}") == "forged"
    assert reason("eyJhbGciOiJub25lIn0." + TOKEN.split(".")[1] + ".") == "forged"
    with pytest.raises(ValueError, match="private"):
        LinkSigner(public)


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 2**40},
        LINK.model_dump(),
        LINK.model_dump() | {"exp": "soon"},
        LINK.model_dump() | {"exp": None},
        LINK.model_dump() | {"exp": 2**40, "attempt": "x"},
    ],
)
def test_a_well_signed_token_that_is_no_link_is_forged(claims: dict[str, object]) -> None:
    key = OKPKey.import_key(PRIVATE)
    assert reason(jwt.encode({"alg": "Ed25519"}, claims, key, algorithms=["Ed25519"])) == "forged"


def test_keys_are_checked_when_they_are_given() -> None:
    for wrong in ("", "no key", PUBLIC):
        with pytest.raises(ValueError, match="not an Ed25519 private key"):
            LinkSigner(wrong)
    # A service that only verifies has no business with a key that signs.
    for wrong in ("", "no key", PRIVATE):
        with pytest.raises(ValueError, match="not an Ed25519 public key"):
            LinkVerifier(wrong)


def test_while_the_key_is_being_changed_links_of_both_are_taken_and_of_no_third() -> None:
    private, public = generate_keys()
    later, until = LinkSigner(private).sign(LINK, NOW + timedelta(days=1)), NOW + timedelta(days=1)
    both = LinkVerifier(public, PUBLIC)
    assert both.verify(TOKEN, NOW) == both.verify(later, NOW) == LINK
    for token, now, why in (
        (TOKEN, until, "expired"),
        (later, until, "expired"),
        (TOKEN[:-4] + "AAAA", NOW, "forged"),
        (LinkSigner(generate_keys()[0]).sign(LINK, until), NOW, "forged"),
    ):
        with pytest.raises(LinkError) as caught:
            both.verify(token, now)
        assert caught.value.reason == why
