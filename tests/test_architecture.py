"""Who may import whom, and what the chassis may not speak of."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
OUTER_ROOMS = {
    *(f"services.{service}.app" for service in SERVICES),
    *(f"services.{service}.pages" for service in SERVICES),
    *(f"services.{service}.settings" for service in ("feedback", "matching", "notify", "portal")),
    *("services.matching.search.alone", "services.matching.search.worker"),
    "services.notify.sender",
    *("services.portal.tables", "services.portal.workbooks"),
}
OUTER_WINGS = ("services.portal.web", "services.notify.inbound.server")
"""Folders of rooms that speak with people: they read, send, wait and know the hour."""

BROKERS = {"aiokafka", "faststream", "confluent_kafka", "kafka"}
DATABASES = {"motor", "pymongo", "bson"}
HTTP = {"fastapi", "starlette", "uvicorn", "httpx", "requests", "aiohttp", "urllib", "http"}
MAIL = {"aiosmtplib", "smtplib"}
IO = {"socket", "ssl", "subprocess", "threading", "asyncio"}
CHANCE_AND_CLOCK = {"time", "random", "secrets", "uuid"}
FILES_AND_LOGS = {"os", "pathlib", "io", "shutil", "tempfile", "logging"}
BY_CHANCE = {"random", "default_rng", "shuffle", "urandom"}
READS_FILES = {"read_text", "read_bytes", "write_text", "write_bytes"}
OF_THE_PACKAGE = {
    "services.notify.texts": "the texts of letters",
    "services.portal.guides": "the guides and sheets",
    "services.portal.jobs": "what job families are called",
    "services.portal.tools": "what tools are called",
}
"""Rooms that read data which comes with the code, once."""
OF_THE_CHASSIS = {"domain", "documents", "inputs", "faults"}
"""What a decision may know of it."""

CHASSIS_SPEAKS_OF = {
    "schemas.actors",
    "schemas.base",
    "schemas.envelope",
    "schemas.invalid",
    "schemas.journal",
    "schemas.links",  # which count no more; what they are to stands in no link of its
    "schemas.rights",  # who may do what; it asks, and never names a command
    "schemas.roles",  # the roles that a token can have
    "schemas.saying",  # the typography of a language
    "schemas.sources",
    "schemas.topics",
}
DOMAIN_WORDS = {
    *("mentor", "mentors", "manager", "managers", "volunteer", "volunteers"),
    *("survey", "surveys", "proposal", "proposals", "graduated", "calendar"),
    *("letter", "letters", "rollout", "availability", "directorate"),
}
OF_PYTHON = {
    ("services.chassis.watch.logs", "manager"),
    ("services.chassis.parts", "AbstractAsyncContextManager"),
    ("services.chassis.parts", "AbstractAsyncContextManager "),
}
"""Names that are not ours: that of all loggers, and of what is open for a while."""


def modules(folder: str) -> list[str]:
    """The dotted names of everything below a folder."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    assert found, folder
    return found


@cache
def path_of(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def tree(module: str) -> ast.Module:
    path = path_of(module)
    assert path is not None, module
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(module: str) -> frozenset[str]:
    """What a module imports, anywhere in it: modules of ours in full, others too."""
    found = set()
    for node in ast.walk(tree(module)):
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=source, names=names, level=level):
                assert level == 0 and source, f"{module} imports relatively"
                inner = {f"{source}.{alias.name}" for alias in names}
                of_ours = {name for name in inner if path_of(name)}
                found.update(of_ours)
                if of_ours != inner:
                    found.add(source)
    return frozenset(found)


def reached(module: str) -> frozenset[str]:
    """Everything that importing a module can load, through modules of ours."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            if path_of(name):
                waiting.extend(imports(name))
    return frozenset(seen)


def roots(names: frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def domain_rooms() -> Iterator[str]:
    for service in SERVICES:
        for module in modules(f"services/{service}"):
            outside = any(within(module, wing) for wing in OUTER_WINGS)
            if module not in OUTER_ROOMS and not outside:
                yield module


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_stands_on_the_schemas_and_the_chassis_and_on_no_other_service(
    service: str,
) -> None:
    allowed = ("schemas", "services.chassis", f"services.{service}")
    for module in modules(f"services/{service}"):
        ours = {name for name in imports(module) if path_of(name)}
        strange = {name for name in ours if not any(within(name, package) for package in allowed)}
        assert not strange, f"{module} imports {strange}"


def test_the_chassis_imports_no_service_and_no_message_of_the_domain() -> None:
    for module in modules("services/chassis"):
        ours = {name for name in imports(module) if path_of(name)}
        strange = {
            name
            for name in ours
            if not within(name, "services.chassis") and name not in CHASSIS_SPEAKS_OF
        }
        assert not strange, f"{module} imports {strange}"


FLOORS = (
    {"domain", "clock", "addresses", "settings", "faults", "beginning"},
    {"log.contract"},
    {"store.contract", "documents", "inputs", "tracing"},
    {"store", "log"},
    {"watch"},
    {"step"},
    {"http"},
    {"parts"},
    {"runtime"},
)
"""The chassis from its ground up: a front module, a contract, or a wing (all else in its folder).

The contracts lie below the wings that fulfil them, for whoever measures, decides or answers stands
on a contract. Records aside are kept as they came, so `documents` stands on that of the log. The
measures lie below the step, which counts; what a wing has measured of itself it is given.
"""


def floor_of(module: str) -> int | None:
    """How high a module of the chassis lies; None: it is none, or one of its empty packages."""
    name = module.removeprefix("services.chassis.")
    if name == module or (path := path_of(module)) is None or path.name == "__init__.py":
        return None
    for room in (name, name.partition(".")[0]):
        for number, rooms in enumerate(FLOORS):
            if room in rooms:
                return number
    pytest.fail(f"{module} has no floor")


@pytest.mark.parametrize("module", modules("services/chassis"))
def test_no_wing_imports_upward(module: str) -> None:
    here = floor_of(module)
    if here is None:
        return
    upward = {name for name in imports(module) if (floor := floor_of(name)) and floor > here}
    assert not upward, f"{module} imports {upward}"


def test_neither_of_two_wings_on_one_floor_imports_the_other() -> None:
    for module in modules("services/chassis"):
        wing = module.split(".")[2:3]
        beside = {
            name
            for name in imports(module)
            if wing in (["store"], ["log"])
            and floor_of(name) == floor_of(module)
            and name.split(".")[2:3] != wing
        }
        assert not beside, f"{module} imports {beside}"


def test_nothing_imports_in_a_circle() -> None:
    """What only a type checker imports counts too: who reads has to follow it as well."""
    everywhere = [*modules("schemas"), *modules("services"), *modules("deploy")]
    waiting = {module: imports(module) & set(everywhere) - {module} for module in everywhere}
    while free := [module for module, needs in waiting.items() if not needs & waiting.keys()]:
        for module in free:
            del waiting[module]
    assert not waiting, f"they import one another: {sorted(waiting)}"


DEPLOY = {
    "deploy.errors": (),
    "deploy.operating": ("deploy.errors",),
    "deploy.local": ("deploy.errors", "deploy.operating"),
    "deploy.trial": ("deploy.errors", "deploy.operating", "deploy.local"),
    "deploy.made": ("deploy.operating",),
    "deploy.cli": ("deploy.errors", "deploy.operating"),
}
"""What each part of deploy may import of it. The door finds by name what only a checkout has."""


@pytest.mark.parametrize("part", DEPLOY)
def test_a_wing_of_deploy_imports_only_what_lies_below_it(part: str) -> None:
    for module in modules("deploy"):
        if within(module, part):
            ours = {name for name in imports(module) if within(name, "deploy") and path_of(name)}
            allowed = (part, *DEPLOY[part])
            strange = {name for name in ours if not any(within(name, a) for a in allowed)}
            assert not strange, f"{module} imports {strange}"


def test_every_module_of_deploy_belongs_to_one_of_its_parts() -> None:
    found = {m for m in modules("deploy") if not any(within(m, part) for part in DEPLOY)}
    # What runs inside the cluster's test pod is a file of the chart.
    assert found == {"deploy", "deploy.chart.files.helm_test"}


def test_no_two_classes_of_deploy_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for module in modules("deploy"):
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


BY_NAME = {"deploy.cli", "deploy.operating.reach"}


def test_two_modules_alone_import_by_name() -> None:
    """What is imported so is seen by no rule here."""
    found = set()
    for module in (*modules("schemas"), *modules("services"), *modules("deploy")):
        for node in ast.walk(tree(module)):
            match node:
                case ast.Call(
                    func=ast.Name(id="import_module" | "__import__")
                    | ast.Attribute(attr="import_module")
                ):
                    found.add(module)
    assert found == BY_NAME


@pytest.mark.parametrize("folder", ["schemas", "services"])
def test_a_package_is_empty_but_for_what_it_says_of_itself(folder: str) -> None:
    """So whoever imports a module of it loads that one, and it has no floor of its own."""
    for path in (ROOT / folder).rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert [node for node in body if not isinstance(node, ast.Expr)] == [], path


def test_the_independent_check_trusts_no_service() -> None:
    for module in modules("deploy/trial/check"):
        assert "services" not in roots(imports(module)), module


def test_the_schemas_know_no_service_no_broker_and_no_database() -> None:
    forbidden = {"services", "deploy", "tests", *BROKERS, *DATABASES, *HTTP, *MAIL, *IO}
    for module in modules("schemas"):
        assert not roots(reached(module)) & forbidden, module


def test_nothing_that_runs_imports_what_deploys_it() -> None:
    for module in (*modules("schemas"), *modules("services")):
        assert not roots(imports(module)) & {"deploy", "tests"}, module
    for module in modules("deploy"):
        assert "tests" not in roots(imports(module)), module


@pytest.mark.parametrize("module", list(domain_rooms()))
def test_a_domain_room_reaches_no_broker_no_database_and_no_network(module: str) -> None:
    forbidden = BROKERS | DATABASES | MAIL | IO | (HTTP - {"urllib", "http"})
    met = roots(reached(module)) & forbidden
    assert not met, f"{module} reaches {met}"
    assert not roots(imports(module)) & (HTTP | CHANCE_AND_CLOCK), module
    if module not in OF_THE_PACKAGE:
        assert not roots(imports(module)) & FILES_AND_LOGS, module


KNOWS_MORE = {
    "services.feedback.views": {"watch.metrics"},
    "services.feedback.handlers": {"http.links"},
    "services.feedback.proof": {"http.links"},
    "services.notify.actions": {"http.links"},
    **{f"services.scheduling.{room}": {"http.forms"} for room in ("phrases", "refusals")},
}
"""What is counted, by views; what a page says; whose link it is, where a link is written."""


@pytest.mark.parametrize("module", list(domain_rooms()))
def test_a_domain_room_knows_of_the_chassis_what_a_decision_needs(module: str) -> None:
    known = {
        name.removeprefix("services.chassis.")
        for name in imports(module)
        if within(name, "services.chassis")
    }
    assert known - OF_THE_CHASSIS == KNOWS_MORE.get(module, set()), module


@pytest.mark.parametrize("module", list(domain_rooms()))
def test_a_domain_room_asks_for_no_time_and_waits_for_nothing(module: str) -> None:
    for node in ast.walk(tree(module)):
        match node:
            case ast.Attribute(attr="now" | "utcnow" | "today" as asked):
                pytest.fail(f"{module}:{node.lineno} asks for {asked}")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                pytest.fail(f"{module}:{node.lineno} is asynchronous")
            case ast.Call(func=ast.Name(id="open" | "print" | "input" | "hash" | "id" as called)):
                pytest.fail(f"{module}:{node.lineno} calls {called}")
            case ast.keyword(arg="key", value=ast.Name(id="hash" | "id" as order)):
                pytest.fail(f"{module}:{node.value.lineno} sorts by {order}")
            case ast.Attribute(attr=attribute) if attribute in BY_CHANCE:
                pytest.fail(f"{module}:{node.lineno} leaves it to chance: {attribute}")
            case ast.Attribute(attr=attribute) if attribute in READS_FILES:
                assert module in OF_THE_PACKAGE, f"{module}:{node.lineno}: {attribute}"


WAITS = ("services", "deploy/local", "deploy/operating", "deploy/trial")
"""What runs for others. What builds (`deploy/made`) runs at a terminal, and shows what it does."""


@pytest.mark.parametrize("module", [one for part in WAITS for one in modules(part)])
def test_nobody_waits_without_end_for_a_program_or_a_thread(module: str) -> None:
    for node in ast.walk(tree(module)):
        match node:
            case ast.Call(
                func=ast.Attribute(
                    value=ast.Name(id="subprocess"),
                    attr="run" | "call" | "check_call" | "check_output",
                ),
                keywords=given,
            ):
                assert "timeout" in {one.arg for one in given}, node.lineno
            case ast.Call(func=ast.Attribute(attr="communicate" | "join"), args=[], keywords=[]):
                raise AssertionError(f"{module}, line {node.lineno}: for how long?")


def test_one_module_alone_imports_motor() -> None:
    everywhere = (*modules("schemas"), *modules("services"), *modules("deploy"))
    assert [m for m in everywhere if "motor" in roots(imports(m))] == [
        "services.chassis.store.mongo"
    ]


def test_the_store_alone_knows_its_database() -> None:
    for module in modules("services"):
        if not within(module, "services.chassis.store"):
            assert not roots(imports(module)) & DATABASES, module


@pytest.mark.parametrize("wing", ["http", "watch"])
def test_what_shows_documents_reaches_no_database(wing: str) -> None:
    for module in modules(f"services/chassis/{wing}"):
        assert not roots(reached(module)) & DATABASES, module


def test_opentelemetry_is_imported_by_one_module_and_that_one_only_where_it_is_switched_on() -> (
    None
):
    everywhere = (*modules("schemas"), *modules("services"), *modules("deploy"))
    importing = [m for m in everywhere if "opentelemetry" in roots(imports(m))]
    assert importing == ["services.chassis.watch.otel"]
    knowing = [m for m in everywhere if "services.chassis.watch.otel" in imports(m)]
    assert knowing == ["services.chassis.runtime"]


def test_no_source_file_has_more_than_four_hundred_lines() -> None:
    everywhere = (*modules("schemas"), *modules("services"), *modules("deploy"))
    lengths = {
        module: len(path.read_text(encoding="utf-8").splitlines())
        for module in everywhere
        if (path := path_of(module))
    }
    assert {module: lines for module, lines in lengths.items() if lines > 400} == {}


def words(name: str) -> set[str]:
    """`SessionPlanned` and `session_planned` are session and planned."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def names(module: str) -> Iterator[tuple[int, str]]:
    """Every name and every text of a module but its docstrings."""
    docstrings = {id(n.value) for n in ast.walk(tree(module)) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree(module)):
        line = getattr(node, "lineno", 0)
        match node:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield line, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield line, name
            case ast.ClassDef(name=name) | ast.keyword(arg=str(name)):
                yield line, name
            case ast.alias(name=name, asname=other):
                yield line, f"{name} {other or ''}"
            case ast.Constant(value=str(text)) if id(node) not in docstrings:
                yield line, text


@pytest.mark.parametrize("module", modules("services/chassis"))
def test_the_chassis_has_no_word_of_the_domain(module: str) -> None:
    spoken = [
        (line, name)
        for line, name in names(module)
        if words(name) & DOMAIN_WORDS and (module, name) not in OF_PYTHON
    ]
    assert not spoken, f"{module}: {spoken}"


LOOKS = """
import sys

OPENS = {
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname",
    "subprocess.Popen", "os.system", "os.fork", "os.posix_spawn",
}

def watch(event, arguments):
    if event in OPENS:
        raise SystemExit(f"importing does {event} {arguments}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        raise SystemExit(f"importing writes {arguments[0]}")

sys.dont_write_bytecode = True
sys.addaudithook(watch)
import services.SERVICE.app as app
assert callable(app.build)
import threading
assert threading.active_count() == 1, threading.enumerate()
"""


@pytest.mark.parametrize("service", SERVICES)
def test_importing_a_service_opens_nothing_and_needs_no_setting(service: str) -> None:
    code = LOOKS.replace("SERVICE", service)
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
