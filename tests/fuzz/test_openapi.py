"""Every service, asked everything that its OpenAPI allows and much that it does not.

No answer is a fault of the service (5xx), and every answer is one that the OpenAPI declares: its
status, its content type and its form.
"""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from deploy.local.stack import SERVICES
from schemas.text import tidied
from schemas.topics import COMMANDS
from services.chassis.http.links import Link
from tests.fuzz.conftest import Platform
from tests.fuzz.corpus import entries

pytestmark = pytest.mark.journey

# Few of each, with new seeds every time: `make fuzz` asks for ten minutes.
ANYTHING = settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
PURPOSES = {
    "proposal": "m~g",
    "session": "m~g~1",
    "attendance": "m~g~1",
    "survey": "m~g~s1~mentor",
}

load_all_checks()
# A JSON Schema cannot say that a window ends after it starts: what it allows may be refused.
REFUSABLE = CHECKS.get_by_names(["positive_data_acceptance"])
# Nor that text is made tidy before it is measured: what it forbids may be taken.
TAKEN_TIDY = CHECKS.get_by_names(["negative_data_rejection"])


def tokens(platform: Platform) -> Iterator[str]:
    """A link for every purpose."""
    now = datetime.now(UTC)
    for purpose, about in PURPOSES.items():
        link = Link(
            purpose=purpose, cohort_id="c", person_id="m", side="mentor", id=about, attempt=1
        )
        yield platform.signer.sign(link, now + timedelta(days=1))


def is_untidy(body: object) -> bool:
    """Whether some text in it is not as the platform would keep it."""
    match body:
        case str():
            return body != tidied(body)
        case list():
            return any(map(is_untidy, body))
        case dict():
            return any(map(is_untidy, body.values()))
    return False


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("service", SERVICES)
def test_whatever_is_asked_the_answer_is_one_that_is_declared(
    platform: Platform, service: str, mode: GenerationMode
) -> None:
    schema = schemathesis.openapi.from_url(f"{platform.urls[service]}/openapi.json")
    links = st.sampled_from([None, *tokens(platform)])
    asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()

        @ANYTHING
        @given(case=operation.as_strategy(generation_mode=mode), link=links)
        def asks(session: requests.Session, case: Case, link: str | None) -> None:
            nonlocal asked
            asked += 1
            if link is not None and "token" in case.path_parameters:
                case.path_parameters["token"] = link
            if isinstance(case.query.get("wait"), float | int) and 0.2 < case.query["wait"] <= 30:
                case.query["wait"] = 0.2  # the time is better spent on other questions
            excluded = [*REFUSABLE, *(TAKEN_TIDY if is_untidy(case.body) else ())]
            case.call_and_validate(excluded_checks=excluded, session=session)

        # Unsatisfiable: there is nothing that could be wrong about the question.
        with contextlib.suppress(Unsatisfiable), requests.Session() as session:
            asks(session)

    assert asked > 20
    assert "Traceback" not in platform.log(service)


TYPES = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "application/json; charset=utf-16",
    "text/plain",
    "",
)


def harmless(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.request.content[:200], answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.json()["status"] == answer.status_code


@pytest.mark.parametrize("service", SERVICES)
def test_no_body_is_a_fault_of_the_service(platform: Platform, service: str) -> None:
    kind = COMMANDS[service][0].__name__
    paths = [f"/commands/{kind}", *(f"/links/{token}" for token in tokens(platform))]
    with httpx.Client(base_url=platform.urls[service]) as client:

        def asks(path: str, content: bytes, content_type: str) -> None:
            headers = {"content-type": content_type} if content_type else {}
            harmless(client.post(path, content=content, headers=headers))

        for _, content in entries("bodies"):
            for path in paths:
                for content_type in TYPES:
                    asks(path, content, content_type)

        ANYTHING(given(st.sampled_from(paths), st.binary(), st.sampled_from(TYPES))(asks))()

    assert "Traceback" not in platform.log(service)
