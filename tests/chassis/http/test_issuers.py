"""Tokens of identity providers: what counts, what does not, and keys that change meanwhile."""

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from fastapi import FastAPI, Request
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from schemas.actors import pseudonym
from services.chassis.http import issuers
from services.chassis.http.application import create_app
from services.chassis.http.discovery import ASKED_EVERY, FRESH_SECONDS, KEPT_SECONDS
from services.chassis.http.guards import protected
from services.chassis.http.identity import caller_of
from services.chassis.http.issuers import TOLD_EVERY, providers
from services.chassis.settings import Issuer
from tests.chassis.http.issuer import AUDIENCE, CLIENT, SECRET, LocalIssuer
from tests.chassis.http.site import problem

KEY = "what pseudonyms are made with"
REFUSED = "a valid bearer token is needed"


@dataclass
class Hour:
    """The real time, which a test moves on."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Guarded:
    """A route behind the guard, which tells whom it has let in."""

    issuers: tuple[Issuer, ...]
    hour: Hour = field(default_factory=Hour)

    def __post_init__(self) -> None:
        self.app: FastAPI = create_app("guarded", "A route.")
        rights = {"coordinator": "cohorts", "machine": "cohorts"}
        kind = protected([providers(self.issuers, KEY, self.hour)], lambda *_: rights)  # type: ignore[arg-type,return-value]
        for listed in ("cohorts", "pairs"):
            path = f"/cohorts/{{cohort_id}}/{listed}"
            self.app.router.add_api_route(path, _told, route_class_override=kind)

    async def ask(self, token: str, cohort: str = "c", listed: str = "cohorts") -> httpx.Response:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get(f"/cohorts/{cohort}/{listed}", headers=headers)


async def _told(request: Request, cohort_id: str) -> dict[str, Any]:
    actor = caller_of(request).actor
    return {"cohort": cohort_id, **(actor._asdict() if actor else {})}


def of(issuer: LocalIssuer, **changes: Any) -> Issuer:
    told = {
        "issuer": issuer.url,
        "audience": AUDIENCE,
        "algorithms": [issuer.algorithm],
        "role_claim": "groups",
        "roles": {"coordination": "coordinator", "audit": "auditor"},
        "cohorts_claim": "cohorts",
    }
    return Issuer.model_validate({n: v for n, v in (told | changes).items() if v is not None})


COORDINATES = {"groups": ["others", "coordination"], "cohorts": ["c"]}


@pytest.fixture
def issuer() -> Iterator[LocalIssuer]:
    with LocalIssuer() as running:
        yield running


async def test_a_person_is_let_in_by_an_id_that_tells_nothing(issuer: LocalIssuer) -> None:
    answer = await Guarded((of(issuer),)).ask(issuer.token(**COORDINATES))
    assert answer.json() == {
        "cohort": "c",
        "type": "user",
        "id": pseudonym(KEY, issuer.url, "lise"),
        "role": "coordinator",
        "via": "api",
    }


async def test_what_is_about_people_is_shown_to_no_person_but_to_machines(
    issuer: LocalIssuer,
) -> None:
    person = await Guarded((of(issuer),)).ask(issuer.token(**COORDINATES), listed="pairs")
    assert person.status_code == 403
    assert person.json()["rule"] == "in-the-portal"
    given = {"role_claim": None, "roles": None, "cohorts_claim": None}
    machines = of(issuer, role="machine", cohorts=["c"], **given)
    machine = await Guarded((machines,)).ask(issuer.token(), listed="pairs")
    assert machine.status_code == 200


@pytest.mark.parametrize(
    ("claims", "address"),
    [
        ({"email": "Lise@m.example"}, "Lise@m.example"),
        ({"email": "lise@m.example", "email_verified": True}, "lise@m.example"),
        ({"email": "lise@m.example", "email_verified": False}, None),
        ({"email": "lise@m.example", "email_verified": "true"}, None),
        ({"email": ["lise@m.example"]}, None),
        ({"email": ""}, None),
        ({}, None),
    ],
)
async def test_somebody_is_known_by_the_address_that_their_provider_vouches_for(
    issuer: LocalIssuer, claims: dict[str, Any], address: str | None
) -> None:
    token = issuer.token(**claims)
    person = await providers((of(issuer, address_claim="email"),), KEY)(token)
    assert person is not None and person.address == address
    nobody = await providers((of(issuer),), KEY)(token)
    assert nobody is not None and nobody.address is None


async def test_a_token_of_the_shape_of_proconnect_counts() -> None:
    claims = {
        "sub": "b6048e95bb134ec5b1d1e1fa69f287172e91722b9354d637a1bcf2ebb0fd2ef5",
        "uid": "lise.martin",
        "siret": "11000201100044",
        "usual_name": "MARTIN",
        "given_name": "Lise",
        "email": "lise.martin@ministere.example",
        "acr": "eidas1",
        "amr": ["pwd"],
        "auth_time": int(time.time()),
        "nonce": "n-0S6_WzA2Mj",
        "at_hash": "77QmUPtjPfzWtF2AnpK9RA",
    }
    with LocalIssuer("ES256") as issuer:
        known = of(
            issuer,
            role_claim="email",
            roles={"lise.martin@ministere.example": "coordinator"},
            cohorts_claim=None,
            cohorts=["c"],
        )
        answer = await Guarded((known,)).ask(issuer.token(**claims))
    assert answer.json()["role"] == "coordinator"
    assert not any(part in answer.text for part in ("MARTIN", "lise", claims["sub"][:12]))


async def test_a_machine_has_its_token_by_client_credentials_and_is_known_by_name(
    issuer: LocalIssuer,
) -> None:
    grant = {"grant_type": "client_credentials"}
    async with httpx.AsyncClient() as client:
        given = await client.post(f"{issuer.url}/token", data=grant, auth=(CLIENT, SECRET))
    known = of(
        issuer, role="machine", role_claim=None, roles=None, cohorts=["*"], cohorts_claim=None
    )
    answer = await Guarded((known,)).ask(given.json()["access_token"])
    told = answer.json()
    assert (told["type"], told["id"], told["role"]) == ("service_account", CLIENT, "machine")


async def test_of_several_issuers_each_vouches_for_its_own_tokens_alone(
    issuer: LocalIssuer,
) -> None:
    with LocalIssuer("ES256") as other:
        guarded = Guarded((of(issuer), of(other)))
        for one in (issuer, other):
            assert (await guarded.ask(one.token(**COORDINATES))).status_code == 200
        in_its_name = other.token(iss=issuer.url, **COORDINATES)
        problem(await guarded.ask(in_its_name), 401)


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"groups": [], "cohorts": ["c"]}, 403),
        ({"groups": ["audit"], "cohorts": ["c"]}, 403),
        ({"cohorts": ["c"]}, 403),
        ({"groups": "others coordination", "cohorts": "d c"}, 200),
        ({"groups": ["coordination"], "cohorts": ["d"]}, 403),
        ({"groups": ["coordination"]}, 403),
        ({"groups": ["coordination"], "cohorts": ["*"]}, 200),
        ({"groups": {"coordination": True}, "cohorts": ["c"]}, 403),
    ],
)
async def test_role_and_cohorts_are_what_the_claims_say_and_nothing_without(
    issuer: LocalIssuer, claims: dict[str, Any], status: int
) -> None:
    answer = await Guarded((of(issuer),)).ask(issuer.token(**claims))
    assert answer.status_code == status


@pytest.mark.parametrize("claims", [{"sub": "\ud800"}, {"email": "\ud800@there.example"}])
async def test_what_no_text_can_say_is_nobody_s_claim(
    issuer: LocalIssuer, claims: dict[str, Any]
) -> None:
    said = json.dumps(issuer.claims(**COORDINATES, **claims)).encode()  # with \\u in it
    odd = jws.serialize_compact({"alg": "RS256", "kid": issuer.key.kid}, said, issuer.key)
    answer = await Guarded((of(issuer, address_claim="email"),)).ask(odd)
    assert problem(answer, 401)["title"] == REFUSED


def written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(
    issuer: LocalIssuer, algorithm: str, sign: Callable[[bytes], bytes], **more: Any
) -> str:
    head = {"alg": algorithm, "kid": issuer.key.kid, **more}
    told = ".".join(written(json.dumps(p).encode()) for p in (head, issuer.claims(**COORDINATES)))
    return f"{told}.{written(sign(told.encode()))}"


def with_a_header_that_has_to_be_understood(issuer: LocalIssuer) -> str:
    def sign(told: bytes) -> bytes:
        key: Any = issuer.key.private_key
        return bytes(key.sign(told, PKCS1v15(), SHA256()))

    return by_hand(issuer, "RS256", sign, crit=["urn:x"], **{"urn:x": 1})


def unsigned(issuer: LocalIssuer) -> str:
    return by_hand(issuer, "none", lambda _: b"")


def by_hmac_with_the_public_key(issuer: LocalIssuer) -> str:
    public = issuer.key.as_pem(private=False)
    return by_hand(issuer, "HS256", lambda told: hmac.digest(public, told, "sha256"))


def by_a_key_of_its_own(issuer: LocalIssuer) -> str:
    head = {"alg": "RS256", "kid": issuer.key.kid}
    return jwt.encode(head, issuer.claims(**COORDINATES), RSAKey.generate_key(2048))


def changed(issuer: LocalIssuer) -> str:
    head, _, signature = issuer.token(groups=[], cohorts=["c"]).split(".")
    told = json.dumps(issuer.claims(**COORDINATES)).encode()
    return f"{head}.{written(told)}.{signature}"


NOW = int(time.time())
BAD: dict[str, Any] = {
    "no token": lambda _: "not.a.token",
    "alg none": unsigned,
    "hmac with the public key": by_hmac_with_the_public_key,
    "a strange key": by_a_key_of_its_own,
    "changed": changed,
    "another algorithm of the same key": lambda i: jwt.encode(
        {"alg": "PS256", "kid": i.key.kid}, i.claims(**COORDINATES), i.key, algorithms=["PS256"]
    ),
    "unknown kid": lambda i: i.token({"kid": "nobody's"}, **COORDINATES),
    "a shared key's kid": lambda i: i.token({"kid": "shared"}, **COORDINATES),
    "no kid": lambda i: i.token({"kid": None}, **COORDINATES),
    "another type": lambda i: i.token({"typ": "logout+jwt"}, **COORDINATES),
    "critical and unknown": with_a_header_that_has_to_be_understood,
    "expired": lambda i: i.token(exp=int(time.time()) - 31, **COORDINATES),
    "without an end": lambda i: i.token(exp=None, **COORDINATES),
    "an end that is no moment": lambda i: i.token(exp="tomorrow", **COORDINATES),
    "not yet": lambda i: i.token(nbf=int(time.time()) + 60, **COORDINATES),
    "issued tomorrow": lambda i: i.token(iat=int(time.time()) + 86400, **COORDINATES),
    "another audience": lambda i: i.token(aud="another", **COORDINATES),
    "no audience": lambda i: i.token(aud=None, **COORDINATES),
    "another issuer": lambda i: i.token(iss="https://other.example", **COORDINATES),
    "no issuer": lambda i: i.token(iss=None, **COORDINATES),
    "nobody's": lambda i: i.token(sub=None, **COORDINATES),
    "huge": lambda i: i.token(more="x" * 9000, **COORDINATES),
    "two parts": lambda i: ".".join(i.token(**COORDINATES).split(".")[:2]),
}


@pytest.mark.parametrize("what", BAD)
async def test_what_is_no_good_is_refused_in_one_sentence_that_tells_nobody_why(
    issuer: LocalIssuer, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = BAD[what](issuer)
    found = problem(await Guarded((of(issuer),)).ask(token), 401)
    assert found["title"] == REFUSED
    assert token not in caplog.text


async def test_operators_are_told_of_a_wrong_audience_now_and_then_and_by_no_stranger(
    issuer: LocalIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    guarded = Guarded((of(issuer),))
    with LocalIssuer() as stranger:
        forged = stranger.token(iss=issuer.url, aud="another", **COORDINATES)
    problem(await guarded.ask(forged), 401)
    assert "audience" not in caplog.text
    wrong = issuer.token(aud="another", **COORDINATES)
    for later in (0, TOLD_EVERY - 5, TOLD_EVERY + 5):
        guarded.hour.ahead = later
        problem(await guarded.ask(wrong), 401)
    told = [row.getMessage() for row in caplog.records if "audience" in row.getMessage()]
    assert len(told) == 2
    for text in told:
        assert all(part in text for part in (issuer.url, AUDIENCE, "CONNECTE_OIDC_ISSUERS"))
        assert "another" not in text


@pytest.mark.parametrize("changes", [{"exp": -20}, {"nbf": 20}])
async def test_clocks_may_differ_by_so_much_and_no_more(
    issuer: LocalIssuer, changes: dict[str, int]
) -> None:
    times = {name: int(time.time()) + by for name, by in changes.items()}
    lenient, strict = Guarded((of(issuer),)), Guarded((of(issuer, skew_seconds=0),))
    token = issuer.token(**times, **COORDINATES)
    assert (await lenient.ask(token)).status_code == 200
    problem(await strict.ask(token), 401)


async def test_a_token_that_was_let_in_before_is_checked_in_all_but_its_signature(
    issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    verify = issuers.jws.deserialize_compact

    def counted(token: str, *more: Any, **named: Any) -> Any:
        checked.append(token)
        return verify(token, *more, **named)

    monkeypatch.setattr(issuers.jws, "deserialize_compact", counted)
    monkeypatch.setattr(issuers, "MOST_KNOWN", 2)
    guarded = Guarded((of(issuer),))
    first, *others = (issuer.token(jti=str(n), **COORDINATES) for n in range(3))
    for _ in range(3):
        assert (await guarded.ask(first)).status_code == 200
    assert checked == [first]
    assert (await guarded.ask(first[:-8] + "AAAAAAAA")).status_code == 401
    for token in (*others, first):
        assert (await guarded.ask(token)).status_code == 200
    assert checked[-3:] == [*others, first], "of so many and no more it is known"
    guarded.hour.ahead = 24 * 3600 - 10
    assert (await guarded.ask(first)).status_code == 401


async def test_a_rotated_key_is_found_and_the_one_before_counts_no_more(
    issuer: LocalIssuer,
) -> None:
    guarded = Guarded((of(issuer),))
    before = issuer.token(**COORDINATES)
    assert (await guarded.ask(before)).status_code == 200
    issuer.rotate()
    guarded.hour.ahead = ASKED_EVERY + 1
    assert (await guarded.ask(issuer.token(**COORDINATES))).status_code == 200
    problem(await guarded.ask(before), 401)


async def test_what_another_key_of_the_same_name_has_signed_counts_no_more(
    issuer: LocalIssuer,
) -> None:
    guarded = Guarded((of(issuer),))
    before = issuer.token(exp=int(time.time() + 2 * FRESH_SECONDS), **COORDINATES)
    assert (await guarded.ask(before)).status_code == 200
    name = issuer.key.kid
    issuer.key = type(issuer.key).generate_key(2048, {"kid": name, "use": "sig"})
    guarded.hour.ahead = FRESH_SECONDS + 1
    problem(await guarded.ask(before), 401)


async def test_keys_are_asked_for_once_in_a_while_whatever_is_sent(issuer: LocalIssuer) -> None:
    guarded = Guarded((of(issuer),))
    good = issuer.token(**COORDINATES)
    for number in range(5):
        assert (await guarded.ask(good)).status_code == 200
        problem(await guarded.ask(issuer.token({"kid": f"made-up-{number}"})), 401)
    assert issuer.asked["/keys"] == 1
    guarded.hour.ahead = FRESH_SECONDS + 1
    fresh = issuer.token(exp=int(guarded.hour()) + 60, **COORDINATES)
    assert (await guarded.ask(fresh)).status_code == 200
    assert issuer.asked["/keys"] == 2


async def test_while_the_issuer_is_away_its_last_keys_count_for_a_day_and_then_it_is_said(
    issuer: LocalIssuer,
) -> None:
    guarded = Guarded((of(issuer),))
    good = issuer.token(exp=int(time.time() + 3 * KEPT_SECONDS), **COORDINATES)
    assert (await guarded.ask(good)).status_code == 200
    issuer.away = True
    guarded.hour.ahead = KEPT_SECONDS - 60
    assert (await guarded.ask(good)).status_code == 200
    guarded.hour.ahead = KEPT_SECONDS + 60
    answer = await guarded.ask(good)
    assert problem(answer, 503)["title"] == "the identity provider does not answer"
    assert int(answer.headers["retry-after"]) > 0
    issuer.away = False
    guarded.hour.ahead += ASKED_EVERY + 1
    assert (await guarded.ask(good)).status_code == 200


@pytest.mark.parametrize("told", [{"issuer": "https://other.example"}, {"jwks_uri": 7}])
async def test_a_provider_that_says_it_is_another_or_has_no_keys_vouches_for_nobody(
    issuer: LocalIssuer, told: dict[str, Any]
) -> None:
    issuer.told = told
    problem(await Guarded((of(issuer),)).ask(issuer.token(**COORDINATES)), 503)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://issuer.example"},
        {"jwks_uri": "http://issuer.example/keys"},
        {"algorithms": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"skew_seconds": 301},
        {"audience": ""},
        {"role": "emperor"},
        {"role": "machine"},
        {"roles": {}},
        {"cohorts": ["*"]},
        {"cohorts_claim": None},
        {"organisations": {"542097902": "Natixis"}},
        {"organisation_claim": "siret"},
        {"more": 1},
    ],
)
def test_an_issuer_that_is_not_set_in_one_way_is_refused(wrong: dict[str, Any]) -> None:
    right = {
        "issuer": "https://issuer.example",
        "audience": AUDIENCE,
        "role_claim": "groups",
        "roles": {"coordination": "coordinator"},
        "cohorts_claim": "cohorts",
    }
    assert Issuer.model_validate(right).algorithms == ("RS256",)
    with pytest.raises(ValueError, match=r"."):
        Issuer.model_validate(right | wrong)
