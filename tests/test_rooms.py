"""The same rooms in every service, and what stands in their tables.

Always holds: what is demanded here follows from the published language and the domain itself; a
message that is added to a service without its rows is noticed here.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest

from schemas.base import Message
from schemas.journal import Heartbeat
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import PairStalled
from schemas.topics import COMMANDS, PEOPLE, PRIVATE_EVENTS, PUBLIC_EVENTS, Service
from services.chassis.domain import Domain, Due
from services.matching.messages import PairsFound, PlacesFound, SearchEnded
from services.notify.attention import CONCERNING
from services.notify.letters import LETTERS
from services.notify.messages import HoursGathered, LetterAttempted, TombstonesWritten
from services.notify.outdating import OUTDATING

ROOT = Path(__file__).parents[1]
SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify", "portal")

ROOMS = {"app", "evolution", "handlers", "views"}
PAGED = {"matching", "scheduling", "feedback", "portal"}
"""Services with pages, behind the links of letters or of their own; notify writes the links."""
FOLDERS = {"matching": {"search"}, "notify": {"inbound", "templates"}, "portal": {"web", "sheets"}}
READS_THE_STATE = {"handlers", "evolution", "agenda", "couple", "lookup", "pages", "participants"}
"""The rooms that look documents up; a decision is given them."""

MIRRORED: dict[str, set[type[Message]]] = {PEOPLE: {PersonContact, PersonErased}}
REACTS: dict[str, set[type[Message]]] = {
    "matching": {PairsFound, PlacesFound, SearchEnded},
    "feedback": {PairStalled},
    "notify": {
        *LETTERS,
        *OUTDATING,
        *CONCERNING,
        LetterAttempted,
        TombstonesWritten,
        HoursGathered,
    },
}
"""What a service decides on beside commands, deadlines and what it learns or mirrors."""


def domain_of(service: str) -> Domain:
    found = import_module(f"services.{service}.handlers").DOMAIN
    assert isinstance(found, Domain)
    return found


def mirrored(domain: Domain) -> set[type[Message]]:
    return {kind for table in domain.tables for kind in MIRRORED[table]}


def names(kinds: object) -> set[str]:
    return {kind.__name__ for kind in kinds}  # type: ignore[attr-defined]


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_a_service_publishes_keeps_learns_or_mirrors_has_its_row_in_the_evolution(
    service: Service,
) -> None:
    domain = domain_of(service)
    own = {*PUBLIC_EVENTS[service], *PRIVATE_EVENTS[service]} - {Heartbeat}
    assert names(domain.evolution) == names({*own, *domain.learns, *mirrored(domain)})


@pytest.mark.parametrize("service", SERVICES)
def test_whatever_a_service_is_asked_learns_or_reacts_to_has_its_handler(service: Service) -> None:
    domain = domain_of(service)
    reacts = REACTS.get(service, set())
    asked = {*COMMANDS[service], *domain.learns, *mirrored(domain), *reacts, Due}
    assert names(domain.handlers) == names(asked)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("table", ["handlers", "evolution"])
def test_the_function_of_a_row_takes_the_message_of_the_row(service: str, table: str) -> None:
    for kind, function in getattr(domain_of(service), table).items():
        hints = list(get_type_hints(function).values())
        if len(hints) < 3:  # a function of any message
            continue
        taken = getattr(hints[1], "__args__", (hints[1],))
        assert any(issubclass(kind, one) for one in taken), f"{kind.__name__}: {function.__name__}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_kind_of_document_is_written_by_the_evolution(service: str) -> None:
    """By the names that stand in `evolution.py`, its parts, or in what it writes with."""
    written = set()
    for room in ("evolution*", "agenda", "couple", "lookup", "participants"):
        for path in (ROOT / "services" / service).glob(f"{room}.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id="recast"), args=[ast.Name(id=name), *_]):
                        written.add(name)
                    case ast.Call(func=ast.Name(id=name)):
                        written.add(name)
                    case ast.Name(id="links_revoked"):  # the fold that services share
                        written.add("RevokedLinks")
    assert {kind.__name__ for kind in domain_of(service).documents} <= written


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    rooms = ROOMS | ({"pages"} if service in PAGED else set())
    found = {path.stem for path in (ROOT / "services" / service).glob("*.py")}
    assert rooms <= found
    assert not found & {"domain", "api", "folding", "common", "utils", "helpers", "misc", "core"}
    folders = {path.name for path in (ROOT / "services" / service).iterdir() if path.is_dir()}
    assert folders - {"__pycache__"} <= FOLDERS.get(service, set())


def trees(service: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "services" / service).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_decision_is_given_documents_and_never_sees_the_state(service: str) -> None:
    for path, tree in trees(service):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "services.chassis.domain":
                state = any(alias.name == "State" for alias in node.names)
                reads = path.stem in READS_THE_STATE or path.stem.startswith(
                    ("evolution_of_", "handlers_of_")
                )
                assert not state or reads, path


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_decision_needs_is_given_and_never_asserted(service: str) -> None:
    """A guard returns what it has found; one in the evolution says what a fold may rely on."""
    for path, tree in trees(service):
        asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
        assert not asserts or path.stem == "evolution", f"{path}: {asserts}"


# --- messages ---------------------------------------------------------------------------------

HOMES = {
    *SERVICES,
    *(
        "appointments",
        "attention",
        "calendars",
        "cohorts",
        "community",
        "lines",
        "links",
        "meeting",
        "rounds",
        "sheets",
        "taking_part",
    ),
    *("base", "journal", "heartbeat", "people"),
}
"""Where messages stand: those of a service, those of every service, and what others inherit."""


def test_every_message_stands_in_its_home() -> None:
    for path in (ROOT / "schemas").rglob("*.py"):
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    found, waiting = set(), [Message]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            waiting.append(kind)
            if kind.__module__.startswith("schemas."):
                found.add(kind.__module__.removeprefix("schemas."))
    assert found <= HOMES


# --- refusals ---------------------------------------------------------------------------------


def refusals() -> Iterator[tuple[str, ast.Call]]:
    for service in SERVICES:
        for path, tree in trees(service):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_is_called_by_its_name(service: str) -> None:
    """So that the next test sees them all."""
    for path, tree in trees(service):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                assert not any(
                    (alias.name == "Refusal" and alias.asname)
                    or alias.name in ("services.chassis.domain", "domain")
                    for alias in node.names
                ), path


def text_of(node: ast.expr) -> str:
    """A sentence, with an x for whatever it is told when it is said."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) or "x" for part in parts)
    return ""


def test_a_refusal_says_its_kind_its_rule_and_one_sentence() -> None:
    found = list(refusals())
    assert len(found) > 30
    for where, call in found:
        assert len(call.args) == 3, where
        kind, rule, detail = call.args
        assert isinstance(kind, ast.Constant), where
        assert kind.value in ("unknown", "conflict", "invalid"), where
        assert re.fullmatch(r"[A-Z][^;\n]*[^.;\n]\.", text_of(detail)), where
        assert isinstance(rule, ast.Constant), where
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", str(rule.value)), where
        assert str(rule.value).startswith("unknown-") == (kind.value == "unknown"), where
        assert not str(rule.value).startswith(("invalid-", "conflict-")), where
