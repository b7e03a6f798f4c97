"""What is sent in a round: well-formed messages that lead somewhere, then any that may not.

Always holds: a seed gives the same inputs; an input says everything that there is to send, but for
what only the platform knows: the next sequence of a source (`SEQUENCE`), a link's token (`PROOF`).
"""

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from deploy.operating.reach import SERVICES, domain_of
from schemas.base import Command, Message
from schemas.envelope import type_name
from schemas.topics import COMMANDS, PEOPLE, TOPICS, Service, commands_topic, partition_of
from schemas.values import CohortPolicy, Weights
from services.chassis.http.bodies import MAX_BODY
from services.chassis.step.admission import source_of
from tests.fuzz.extremes import SIGNS, documents, sample

PARTITIONS = 4
COMMANDED, FOREIGN = (0, 1), (2, 3)
"""Partitions of the cohorts that commands are about; and of those whose events a stranger sends,
where the numbers of a source are his."""

SEQUENCE, PROOF = "@sequence@", "@proof@"
CODECS = ("", "gzip", "snappy", "lz4", "zstd")
TOPIC_LIMIT = 1024 * 1024

How = Literal["http", "record", "settle"]


@dataclass(frozen=True, slots=True)
class Input:
    """A request, a record, or (`settle`) nothing: what was sent before is to be handled first.

    `to`: the path with the service in front, or the topic. `body`: Latin-1, for any bytes;
    `size`: what it is filled up to with blanks. `key` and `headers` are Latin-1, too.
    """

    how: How
    to: str = ""
    body: str | None = None
    size: int = 0
    partition: int = 0
    key: str | None = None
    headers: tuple[tuple[str, str | None], ...] = ()
    codec: str = ""

    @property
    def value(self) -> bytes | None:
        return None if self.body is None else self.body.encode("latin-1").ljust(self.size)


def kept(inputs: Sequence[Input]) -> str:
    """The inputs as a file of JSON lines."""
    return "".join(json.dumps(asdict(one)) + "\n" for one in inputs)


def read(text: str) -> list[Input]:
    """The inputs of a file that was kept."""
    rows = (json.loads(line) for line in text.splitlines())
    return [Input(**{**row, "headers": tuple(map(tuple, row["headers"]))}) for row in rows]


# --- what leads somewhere -----------------------------------------------------------------------


def known(cohort: str) -> dict[str, Any]:
    """The fields by which messages are about the same few people."""
    pair = "m-1~g-1"
    return {
        **{"cohort_id": cohort, "pair_id": pair, "mentor_id": "m-1", "manager_id": "g-1"},
        **{"session_id": f"{pair}~1", "survey_id": f"{pair}~start~mentor", "person_id": "m-1"},
        **{"excludes": [], "line_manager": None, "proof": PROOF, "number": 1, "attempt": 1},
        **{"email": "m-1@pilote.example", "round_id": "round-1", "by": "mentor", "side": "mentor"},
    }


def path_of(kind: type[Message]) -> str:
    """Service and path of a command's door."""
    owner: Service = "notify"
    for service, kinds in COMMANDS.items():
        if kind in kinds:
            owner = service
    return f"{owner}/commands/{kind.__name__}"


def prelude(cohort: str, chance: random.Random) -> list[Input]:
    """Three mentors, three managers, a pair, a proposal and a round, under rules of the utmost that
    is allowed: they are all carried out, and the pair's sessions are planned as they can be."""
    people = ("m-1", "g-1", "m-2", "g-2", "m-3", "g-3")
    weeks = {person: {"availability": [chance.choice(WINDOWS)]} for person in people}
    said: list[tuple[str, dict[str, Any]]] = [("OpenCohort", {"policy": utmost(chance)})]
    said += [("VolunteerAsMentor", {"mentor_id": m, **weeks[m]}) for m in people[::2]]
    said += [("EnrolManager", {"manager_id": g, **weeks[g]}) for g in people[1::2]]
    said += [("PersonContact", {"person_id": person}) for person in people[:3]]
    said += [("ProposePair", {"pair_id": f"m-{n}~g-{n}"}) for n in (1, 2)]
    said += [("AcceptProposal", {"by": by}) for by in ("mentor", "manager")]
    said += [("RunRound", {})]
    kinds = {kind.__name__: kind for kind in (*_commands(), *TOPICS[PEOPLE].types)}
    found = []
    for name, changes in said:
        base = sample(kinds[name])
        fields = {n: value for n, value in known(cohort).items() if n in base}
        body = json.dumps({**base, **fields, **changes})
        found.append(Input("http", f"{path_of(kinds[name])}?wait=10", body))
    return [*found, Input("settle")]


WINDOWS = [
    *(
        {"day": "mon", "start": "09:00", "end": "12:00"},
        {"day": "mon", "start": "09:00", "end": "17:00"},
    ),
    *(
        {"day": "mon", "start": "00:00", "end": "23:59"},
        {"day": "fri", "start": "23:58", "end": "23:59"},
    ),
]


def utmost(chance: random.Random) -> dict[str, Any]:
    """A policy in which every rule is as it is by default, or the least or the most that may be."""
    found: dict[str, Any] = {}
    for name, part in CohortPolicy.model_json_schema()["properties"].items():
        if "minimum" in part and chance.random() < 0.6:
            found[name] = chance.choice([part["minimum"], part["maximum"]])
    weights = [0, 5e-324, 1e-300, 1, 1e6]
    times = ["00:00", "08:00", "12:00", "20:00", "23:59"]
    if chance.random() < 0.6:
        found["weights"] = {n: chance.choice(weights) for n in Weights.model_fields} | {"job": 1e6}
    if chance.random() < 0.6:
        found["quiet_hours"] = {"start": chance.choice(times), "end": chance.choice(times)}
    found["reporting_line"] = chance.choice(["forbid", "both_consent", "allow"])
    found["languages"] = chance.choice([["fr"], ["en"], ["en", "fr"]])
    return found


def _commands() -> list[type[Command]]:
    return [kind for kinds in COMMANDS.values() for kind in kinds]


def opening(cohort: str) -> list[Input]:
    """The events by which the readers come to know a cohort and its pair."""
    events = {kind.__name__: kind for kind in TOPICS["mentoring.matching.events"].types}
    names = ("CohortOpened", "MentorVolunteered", "ManagerEnrolled", "PairProposed", "PairFormed")
    found = []
    for name in names:
        fields = {n: v for n, v in known(cohort).items() if n in sample(events[name])}
        body = json.dumps({**sample(events[name]), **fields})
        found.append(record(events[name], "mentoring.matching.events", cohort, body))
    return [*found, Input("settle")]


def record(kind: type[Message], topic: str, cohort: str, body: str | None) -> Input:
    """A record of a kind with the headers that it ought to have."""
    partition = partition_of(cohort, PARTITIONS)
    fields = sample(kind) | known(cohort)
    subject = f"{cohort}/{fields[kind.subject_field]}"
    stranger = issubclass(kind, Command)
    headers: list[tuple[str, str | None]] = [
        *(("ce_specversion", "1.0"), ("ce_type", type_name(kind)), ("ce_id", SEQUENCE)),
        ("ce_source", "/fuzz" if stranger else source_of(topic, partition)),
        *(("ce_time", "2017-03-06T09:00:00.000Z"), ("ce_subject", _latin(subject))),
        ("ce_partitionkey", _latin(cohort)),
    ]
    if not stranger:
        headers += [("ce_sequence", SEQUENCE), ("ce_order", "0")]
    value = None if body is None else _latin(body)
    return Input("record", topic, value, 0, partition, _latin(subject), tuple(headers))


def _latin(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


# --- what may lead anywhere ---------------------------------------------------------------------


def _read_topics() -> list[str]:
    found: dict[str, None] = {}
    for service in SERVICES:
        found |= dict.fromkeys(domain_of(service).reads)
    return list(found)


ODD = st.sampled_from(
    [*map(_latin, SIGNS), "9" * 30, "-1", "\xff\xfe", "2017-W10-1", "k" * 3_000_000]
)
SIZES = st.sampled_from(
    [0] * 12 + [MAX_BODY - 1, MAX_BODY, MAX_BODY + 1, TOPIC_LIMIT - 600, TOPIC_LIMIT - 90]
)
"""A header of 3 MB travels as a few kilobytes, in a batch that is compressed."""


@st.composite
def bodies(draw: st.DrawFn, kind: type[Message], cohort: str) -> str | None:
    """The text of a document, and now and then something that is none, in Latin-1."""
    text = _latin(draw(documents(kind, known(cohort))))
    match draw(st.sampled_from([*["whole"] * 16, "cut", "more", "mark", "null", "bytes"])):
        case "cut":
            return text[: draw(st.integers(0, 200))]
        case "more":
            return text + draw(st.sampled_from(["}", "\0", " null", text]))
        case "mark":
            return "\xef\xbb\xbf" + text
        case "null":
            return None
        case "bytes":
            return draw(st.binary(max_size=60)).decode("latin-1")
        case _:
            return text


@st.composite
def requests(draw: st.DrawFn, cohort: str) -> Input:
    """A command through its door."""
    kind = draw(st.sampled_from([*_commands(), *TOPICS[PEOPLE].types]))
    body = draw(bodies(kind, cohort))
    return Input("http", path_of(kind), body or "", draw(SIZES))


@st.composite
def records(draw: st.DrawFn, cohort: str, topics: list[str]) -> Input:
    """A record of a topic, with a header or a key that is odd now and then."""
    topic = draw(st.sampled_from(topics))
    kind = draw(st.sampled_from(TOPICS[topic].types))
    found = record(kind, topic, cohort, draw(bodies(kind, cohort)))
    headers = list(found.headers)
    key, partition = found.key, found.partition
    if topic != PEOPLE:  # behind one that is set aside, all of its key are
        key = draw(st.sampled_from([key, None, None]) | st.integers(0, 10**6).map(str))
    match draw(
        st.sampled_from([*["sound"] * 16, "header", "gone", "twice", "more", "key", "place"])
    ):
        case "header":
            place = draw(st.integers(0, len(headers) - 1))
            headers[place] = (headers[place][0], draw(ODD | st.none()))
        case "gone":
            del headers[draw(st.integers(0, len(headers) - 1))]
        case "twice":
            headers.append((headers[draw(st.integers(0, len(headers) - 1))][0], draw(ODD)))
        case "more":
            headers += [(draw(st.text(max_size=20).filter(_sendable)), draw(ODD | st.none()))]
        case "key":
            key = draw(ODD | st.none())
        case "place":
            partition = draw(st.sampled_from(COMMANDED if partition in COMMANDED else FOREIGN))
    size, codec = draw(SIZES), draw(st.sampled_from(CODECS))
    return Input("record", topic, found.body, size, partition, key, tuple(headers), codec)


def _sendable(text: str) -> bool:
    return text.isprintable()


def drawn(number: int, count: int, *, foreign: bool) -> list[Input]:
    """The inputs of a round, from its seed."""
    wanted = FOREIGN if foreign else COMMANDED
    names = (f"f{number}-{more}" for more in range(100))
    cohort = next(name for name in names if partition_of(name, PARTITIONS) in wanted)
    commands = [*map(commands_topic, SERVICES), PEOPLE]
    if foreign:
        one = records(cohort, [*commands, *_read_topics() * 4])
    else:
        one = requests(cohort) | records(cohort, commands)
    found: list[Input] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(one)
    def collect(given: Input) -> None:
        found.append(given)

    collect()
    before = opening(cohort) if foreign else prelude(cohort, random.Random(number))
    return [*before, *found]


def named(one: Input) -> str:
    """An input in one line."""
    value = one.value or b""
    short = base64.b64encode(value[:60]).decode() if not value.isascii() else value[:120].decode()
    return f"{one.how} {one.to} {len(value)} bytes: {short}"
