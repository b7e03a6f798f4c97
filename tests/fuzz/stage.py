"""The real parts under the fuzz: inputs go in, and what is wrong afterwards is found.

Always holds: whatever was sent, each service is the process that it was, live and ready, has
nothing left to read, to publish or to decide on, answers what it is asked, and has logged no fault.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient

from deploy.local.stack import WITH_PORTAL, ServiceProcess, Stack, Terms, running_stack
from deploy.trial.stillness import Stillness, stillness
from schemas.envelope import Headers
from services.chassis.http.links import Link, LinkSigner, generate_keys
from services.chassis.log.contract import Received
from services.chassis.step.admission import read
from services.chassis.store.generations import A_PLACE
from services.notify.handlers import DOMAIN as NOTIFY
from tests.conftest import PATIENCE, eventually
from tests.fuzz.inputs import PARTITIONS, PROOF, SEQUENCE, Input, named

ALLOWED = {503}
"""Of the answers that blame the service: it says so itself, and when to come back."""
SURVEY = "m-1~g-1~start~mentor"
LARGEST_REQUEST = 16 * 1024 * 1024


@dataclass
class Stage:
    """A running platform, and what it said of the inputs."""

    stack: Stack
    still: Stillness
    mongodb: AsyncMongoClient[dict[str, Any]]
    http: httpx.AsyncClient
    producers: dict[str, AIOKafkaProducer]
    signer: LinkSigner
    sequences: dict[tuple[str, int], int] = field(default_factory=dict)
    read_to: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)

    async def play(self, inputs: Sequence[Input]) -> list[str]:
        """Send them in order; what is wrong afterwards."""
        found: list[str] = []
        await self._see_sequences()
        for one in inputs:
            match one.how:
                case "http":
                    found += await self._ask(one)
                case "record":
                    await self._send(one)
                case "settle":
                    found += await self._settle()
                    await self._see_sequences()
        return found + await self.wrong()

    async def wrong(self) -> list[str]:
        """What of what always holds does not."""
        found = await self._settle()
        for name in WITH_PORTAL:
            found += [f"{name}: {what}" for what in (*self._ended(name), *self._logged(name))]
            found += [f"{name}: {what}" for what in await self._unwell(name)]
        return found

    async def restart(self) -> list[str]:
        """Every service ends and comes back, over all that was sent; what is wrong then."""
        try:
            await asyncio.gather(*map(_again, self.stack.services.values()))
        except Exception as error:  # noqa: BLE001  # a finding, as the others
            return [f"after a restart: {error}"[:2000]]
        return await self.wrong()

    # --- in ------------------------------------------------------------------------------------

    async def _ask(self, one: Input) -> list[str]:
        service, _, path = one.to.partition("/")
        url = f"{self.stack.services[service].url}/{path}"  # type: ignore[index]
        headers = {"content-type": "application/json"}
        value = self._signed(one.value or b"")
        try:
            answer = await self.http.post(url, content=value, headers=headers)
        except httpx.HTTPError as error:
            return [f"{type(error).__name__} for {named(one)}"]
        status = answer.status_code
        self._count(f"{status}")
        if status >= 500 and status not in ALLOWED:
            return [f"answered {status}: {answer.text[:200]} for {named(one)}"]
        if "wait=" in path and status >= 300:  # it was to lead somewhere
            return [f"answered {status}: {answer.text[:200]} for {named(one)}"]
        return []

    async def _send(self, one: Input) -> None:
        source = (one.to, one.partition)
        sequence = self.sequences.get(source, 0) + 1
        headers: Headers = [
            (name, None if raw is None else _filled(raw, sequence)) for name, raw in one.headers
        ]
        key = None if one.key is None else one.key.encode("latin-1")
        value = None if one.value is None else self._signed(one.value)
        if key is None and value is None:
            key = b""  # the client sends none of both to nobody
        try:
            await self.producers[one.codec].send_and_wait(
                one.to, value, key=key, partition=one.partition, headers=list(headers)
            )
        except KafkaError as error:
            self._count(type(error).__name__)
            return
        self._count("taken")
        taken = read(NOTIFY, PARTITIONS, Received(one.to, one.partition, 0, key, value, headers))
        if taken.counted and taken.attributes and taken.attributes.sequence == sequence:
            self.sequences[source] = sequence

    def _signed(self, value: bytes) -> bytes:
        """With the token of the survey that the cohort's mentor is asked."""
        if PROOF.encode() not in value:
            return value
        try:
            cohort = str(json.loads(value)["cohort_id"])
            link = Link(
                purpose="survey", cohort_id=cohort, person_id="m-1", side="mentor", id=SURVEY
            )
            # A cohort that no text can hold (half a surrogate pair) is signed for by nobody.
            token = self.signer.sign(link, datetime.now(UTC) + timedelta(days=1))
        except (ValueError, KeyError, TypeError, RecursionError):
            return value
        return value.replace(PROOF.encode(), token.encode())

    async def _see_sequences(self) -> None:
        """How far somebody has read each source: the next number is the one after."""
        for name in WITH_PORTAL:
            async for row in self.mongodb[f"connecte_{name}"]["places"].find(A_PLACE):
                for topic, sequence in row["seen"].items():
                    spot = (topic, row["_id"])
                    self.sequences[spot] = max(self.sequences.get(spot, 0), sequence)

    def _count(self, answer: str) -> None:
        self.answers[answer] = self.answers.get(answer, 0) + 1

    # --- out -----------------------------------------------------------------------------------

    async def _settle(self) -> list[str]:
        """Wait until nothing is under way; what still is if that does not come true."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.stack.failed.done():
                return [f"a service refuses to run: {self.stack.failed.exception()}"[:2000]]
            still, _ = await self.still.next(datetime.now(UTC))
            if still:
                return []
            await asyncio.sleep(0.1)
        return [f"not at rest within {PATIENCE:g} s: {await self._under_way()}"]

    async def _under_way(self) -> str:
        seen = await self.still._look()
        ends = await self.still._kafka.end_offsets(self.still._ends)
        late = [
            f"{name} is at {seen[name].read(*spot)} of {ends[spot]} in {spot[0]}/{spot[1]}"
            for name, spots in self.still._reads.items()
            for spot in spots
            if seen[name].read(*spot) < ends[spot]
        ]
        owes = [f"{name} has to publish" for name, found in seen.items() if found.outbox]
        now = datetime.now(UTC)
        dues = [f"{n} is due since {f.due}" for n, f in seen.items() if f.due and f.due <= now]
        return "; ".join([*late, *owes, *dues])

    def _ended(self, name: Any) -> list[str]:
        service = self.stack.services[name]
        if service.starts > 1:
            again, service.starts = service.starts - 1, 1
            return [f"it ended and was started again {again} times"]
        return []

    def _logged(self, name: str) -> list[str]:
        with (self.stack.directory / f"{name}.log").open(encoding="utf-8") as log:
            log.seek(self.read_to.get(name, 0))
            lines = log.readlines()
            self.read_to[name] = log.tell()
        return [f"it logged {line.strip()[:3000]}" for line in lines if is_fault(line)]

    async def _unwell(self, name: Any) -> list[str]:
        """Its health, and every list that needs no more than a cohort."""
        url = self.stack.services[name].url
        found = []
        paths = ["/health/live", "/health/ready", "/metrics", "/parked", "/openapi.json"]
        schema = (await self.http.get(f"{url}/openapi.json")).json()
        cohorts = await self._cohorts(name)
        if name == "portal":
            paths += ["/", *(f"/inscription/{cohort}/manager" for cohort in cohorts)]
        for path, methods in schema["paths"].items():
            if "get" in methods and path.count("{") == 1 and "{cohort_id}" in path:
                paths += [path.replace("{cohort_id}", cohort) for cohort in cohorts]
        for path in paths:
            answer = await self.http.get(url + path)
            if answer.status_code >= 500 or (path.startswith("/health") and answer.is_error):
                found.append(f"{path} answered {answer.status_code}: {answer.text[:300]}")
        return found

    async def _cohorts(self, name: str) -> list[str]:
        """Those of which most was written last."""
        documents = self.mongodb[f"connecte_{name}"]["cohorts"]
        rows = documents.find({}, {"cohort_id": 1}).sort("_id", -1).limit(5)
        return [row["cohort_id"] async for row in rows]


async def _again(service: ServiceProcess) -> None:
    """Ended as it is when a deployment is rolled: whoever keeps it starts it again."""
    assert service.child is not None
    before = service.starts
    await service.child.stop()

    async def started() -> bool:
        return service.starts > before

    await eventually(started)
    await service.ready()
    service.starts = 1


def _filled(raw: str, sequence: int) -> bytes:
    return raw.replace(SEQUENCE, f"{sequence:012d}").encode("latin-1")


def is_fault(line: str) -> bool:
    """What no input may lead to; that an event of a stranger is too large to keep may be said."""
    try:
        entry = json.loads(line)
    except ValueError:
        return "Traceback" in line
    if entry.get("level") == "CRITICAL":
        return True
    return "Traceback" in line and "RecordTooLarge" not in line


@asynccontextmanager
async def stage(directory: Path, kafka: str | None = None) -> AsyncIterator[Stage]:
    """All services over a broker (an embedded one, if none is given) and a database."""
    private, public = generate_keys()
    keys = {"CONNECTE_LINK_SIGNING_KEY": private, "CONNECTE_LINK_VERIFY_KEY": public}
    # Nobody is to be thought dead because the machine is slow: that is another test's.
    terms = Terms(
        partitions=PARTITIONS,
        session_timeout_ms=10_000,
        kafka=kafka,
        services=WITH_PORTAL,
        settings=keys,
    )
    async with AsyncExitStack() as parts:
        stack = await parts.enter_async_context(running_stack(directory, terms))
        still = await parts.enter_async_context(
            stillness(stack.mongodb, stack.kafka, PARTITIONS, services=WITH_PORTAL)
        )
        mongodb: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stack.mongodb)
        parts.push_async_callback(mongodb.close)
        http = await parts.enter_async_context(httpx.AsyncClient(timeout=90))
        producers = {}
        for codec in ("", "gzip", "snappy", "lz4", "zstd"):
            producers[codec] = AIOKafkaProducer(
                bootstrap_servers=stack.kafka,
                compression_type=codec or None,
                max_request_size=LARGEST_REQUEST,
                enable_idempotence=False,
            )
            await producers[codec].start()
            parts.push_async_callback(producers[codec].stop)
        yield Stage(stack, still, mongodb, http, producers, LinkSigner(private))
