"""Every service, asked whatever its OpenAPI allows and much that it does not, as each role.

Whom the table lets in has an answer that the OpenAPI declares, and never that it is not for them;
everybody else has 403 of everything, whatever else is wrong with the question.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import get_args

import pytest
import requests
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.schemas import APIOperation

from deploy.local.stack import WITH_PORTAL
from schemas.rights import OPEN, rights
from schemas.roles import BY_TOKEN, Rights, Role
from schemas.topics import Service
from tests.fuzz.conftest import Platform, running_platform
from tests.fuzz.test_openapi import ANYTHING, REFUSABLE, TAKEN_TIDY, is_untidy

pytestmark = pytest.mark.journey

SOME = settings(ANYTHING, max_examples=2)
"""Of each operation, each asked as everybody: few questions, and no role left out."""
ROLES: tuple[Role, ...] = get_args(Role)
MACHINES = "the token of all machines"
OWN = "m-1"
KEPT_OUT = {
    "type": "about:blank",
    "status": 403,
    "title": "this is not for the role of this token",
    "rule": "other-role",
}
# It asks again without a token, which is what everybody is asked here as.
WITHOUT = CHECKS.get_by_names(["ignored_auth"])


@dataclass(frozen=True, slots=True)
class Asker:
    """Somebody who asks: in which role, by which headers; `for_whom`: whom a machine speaks for."""

    role: Role
    headers: Mapping[str, str]
    for_whom: Role | None = None

    def may(self, table: Rights, case: Case) -> bool:
        """What the table says: what is a person's own, no token opens."""
        if self.for_whom is not None:
            theirs = case.path_parameters.get("person_id", OWN) == OWN
            return theirs and "machine" in table and self.for_whom in table
        return table.get(self.role) in BY_TOKEN


def token_of(role: Role) -> str:
    return f"the narrow token of {role}"


def askers() -> Iterator[Asker]:
    for role in ROLES:
        yield Asker(role, {"Authorization": f"Bearer {token_of(role)}"})
    for role in ("participant", "assistant"):
        own = {"Connecte-On-Behalf-Of": f"{role} {OWN}", "Connecte-Via": "portal"}
        yield Asker("machine", {"Authorization": f"Bearer {MACHINES}", **own}, role)


EVERYBODY = tuple(askers())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform with a token for each role, good for every cohort."""
    tokens = [
        {"name": role, "role": role, "cohorts": ["*"], "token": token_of(role)} for role in ROLES
    ]
    told = {"CONNECTE_HTTP_TOKEN": MACHINES, "CONNECTE_HTTP_TOKENS": json.dumps(tokens)}
    with running_platform(tmp_path_factory.mktemp("guarded"), told, WITH_PORTAL) as platform:
        yield platform


def asked_as_everybody(
    operation: APIOperation, mode: GenerationMode, table: Rights, session: requests.Session
) -> Counter[bool]:
    """How often somebody was let in, and kept out."""
    told: Counter[bool] = Counter()

    @SOME
    @given(case=operation.as_strategy(generation_mode=mode))
    def asks(case: Case) -> None:
        if "wait" in case.query:
            case.query["wait"] = 0
        excluded = [*REFUSABLE, *WITHOUT, *(TAKEN_TIDY if is_untidy(case.body) else ())]
        for asker in EVERYBODY:
            may = asker.may(table, case)
            told[may] += 1
            answer = case.call(headers=dict(asker.headers), session=session)
            if may:
                case.validate_response(answer, excluded_checks=excluded)
                assert answer.status_code not in (401, 403), (asker, answer.text)
            else:
                assert answer.status_code == 403, (asker, answer.status_code, answer.text)
                assert answer.json() == KEPT_OUT

    asks()
    return told


@pytest.mark.parametrize("service", WITH_PORTAL)
def test_each_role_is_answered_what_is_declared_and_let_in_where_the_table_says(
    guarded: Platform, service: Service
) -> None:
    schema = schemathesis.openapi.from_url(f"{guarded.urls[service]}/openapi.json")
    told: Counter[bool] = Counter()
    modes = cycle(GenerationMode)  # of commands, what is allowed and what is not, in turns
    for found in schema.get_all_operations():
        operation = found.ok()
        method, path = operation.method.upper(), operation.path
        if f"{method} {path}" in OPEN:
            continue
        table = rights(service, method, path)
        assert table is not None, f"{service} {method} {path}"
        mode = next(modes) if method == "POST" else GenerationMode.POSITIVE
        with requests.Session() as session:
            told += asked_as_everybody(operation, mode, table, session)

    assert told[True] and told[False]
    assert "Traceback" not in guarded.log(service)
