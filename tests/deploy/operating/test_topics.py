"""The topics on a broker are compared with the table, and what could lose something is refused."""

from collections.abc import Iterator

import pytest

from deploy.local.broker import embedded_broker
from deploy.local.kafka import apache_kafka
from deploy.operating.topics import Difference, Found, TopicError, compare, config_of, found_topics
from deploy.operating.topics import apply as apply_differences
from schemas.topics import PARKED, PEOPLE, TOPICS
from tests.conftest import delete_topics, in_its_own_loop, new_topic
from tests.deploy.operating.commands import Done, connecte

COMMANDS, EVENTS = "mentoring.matching.commands", "mentoring.matching.events"
WEEK, DAY = str(7 * 86_400_000), str(86_400_000)


# --- what differs -----------------------------------------------------------------------------


def as_the_table_says(partitions: int = 12, copies: int = 3) -> dict[str, Found]:
    return {
        name: Found(partitions, copies, config_of(topic, copies)) for name, topic in TOPICS.items()
    }


def with_setting(name: str, what: str, value: str, copies: int = 3) -> dict[str, Found]:
    found = as_the_table_says(copies=copies)
    found[name] = Found(12, copies, {**found[name].config, what: value})
    return found


def only(differences: list[Difference]) -> Difference:
    assert len(differences) == 1, differences
    return differences[0]


def test_topics_as_the_table_says_differ_in_nothing() -> None:
    assert compare(as_the_table_says(), 12, 3) == []


def test_settings_that_the_table_does_not_name_are_nobodys_business() -> None:
    found = with_setting(EVENTS, "segment.ms", "1000")
    found["another.system"] = Found(1, 1, {})
    assert compare(found, 12, 3) == []


def test_every_topic_is_missing_on_an_empty_broker() -> None:
    differences = compare({}, 12, 3)
    assert [(d.topic, d.kind) for d in differences] == [(name, "create") for name in TOPICS]
    assert {d.wanted for d in differences} == {"partitions: 12, copies: 3"}


@pytest.mark.parametrize("partitions", [11, 13])
def test_another_number_of_partitions_is_refused_whether_more_or_fewer(partitions: int) -> None:
    found = as_the_table_says() | {EVENTS: Found(partitions, 3, config_of(TOPICS[EVENTS], 3))}
    difference = only(compare(found, 12, 3))
    assert (difference.what, difference.kind) == ("partitions", "refused")
    assert "order would be lost" in difference.remark


def test_copies_are_not_ours_to_move() -> None:
    found = as_the_table_says() | {EVENTS: Found(12, 2, config_of(TOPICS[EVENTS], 3))}
    difference = only(compare(found, 12, 3))
    assert (difference.what, difference.found, difference.wanted) == ("copies", "2", "3")
    assert difference.kind == "refused"


ALTERED = {
    "kept for less long": ("loss", COMMANDS, "retention.ms", "-1"),
    "kept for longer": ("alter", COMMANDS, "retention.ms", DAY),
    "kept for ever": ("alter", EVENTS, "retention.ms", WEEK),
    "compacted within a bound": (
        *("alter", PEOPLE, "max.compaction.lag.ms", "9223372036854775807"),
    ),
    "compacted at last": ("loss", PEOPLE, "cleanup.policy", "delete"),
    "compacted no more": ("loss", EVENTS, "cleanup.policy", "compact"),
    "compacted, and not deleted any more": ("loss", PEOPLE, "cleanup.policy", "delete,compact"),
    "larger records": ("alter", PARKED, "max.message.bytes", "1000"),
    "smaller records": ("alter", EVENTS, "max.message.bytes", "9000000"),
    "more in-sync replicas": ("alter", EVENTS, "min.insync.replicas", "1"),
    "fewer in-sync replicas": ("alter", EVENTS, "min.insync.replicas", "3"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_only_what_loses_records_needs_leave(what: str) -> None:
    kind, topic, setting, value = ALTERED[what]
    difference = only(compare(with_setting(topic, setting, value), 12, 3))
    assert (difference.topic, difference.what, difference.found) == (topic, setting, value)
    assert difference.kind == kind
    assert difference.wanted == config_of(TOPICS[topic], 3)[setting]


@pytest.mark.parametrize(
    "what", ["smaller records", "fewer in-sync replicas", "kept for less long"]
)
def test_what_is_dangerous_is_said_before(what: str) -> None:
    _, topic, setting, value = ALTERED[what]
    assert only(compare(with_setting(topic, setting, value), 12, 3)).remark


def test_more_in_sync_replicas_than_there_are_copies_are_refused() -> None:
    found = as_the_table_says() | {EVENTS: Found(12, 1, config_of(TOPICS[EVENTS], 1))}
    kinds = {d.what: (d.kind, d.remark) for d in compare(found, 12, 3)}
    assert kinds["min.insync.replicas"][0] == "refused"
    assert "nothing could be written" in kinds["min.insync.replicas"][1]


def test_a_topic_of_ours_that_is_not_in_the_table_is_named() -> None:
    found = as_the_table_says() | {"mentoring.old.events": Found(3, 1, {})}
    difference = only(compare(found, 12, 3))
    assert (difference.topic, difference.kind) == ("mentoring.old.events", "stranger")


# --- on a broker ------------------------------------------------------------------------------


APACHE = pytest.param("apache", marks=pytest.mark.kafka)


@pytest.fixture(scope="module", params=["embedded", APACHE])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("broker")
    if request.param == "embedded":
        with in_its_own_loop(embedded_broker(directory)) as bootstrap:
            yield bootstrap
    else:
        with in_its_own_loop(apache_kafka(directory)) as cluster:
            yield cluster.bootstrap


@pytest.fixture
async def broker(started: str) -> str:
    """One without any of our topics."""
    await delete_topics(started, list(await found_topics({"bootstrap_servers": started})))
    return started


async def topics(broker: str, *arguments: str) -> Done:
    here = {"KAFKA_BOOTSTRAP_SERVERS": broker, "CONNECTE_PARTITIONS": "2"}
    return await connecte("topics", *arguments, **here)


async def made(broker: str, name: str, partitions: int = 2, **other: str) -> None:
    """A topic of the table that somebody has made by hand."""
    await new_topic(broker, name, partitions, **{**config_of(TOPICS[name], 1), **other})


def differing(done: Done) -> dict[tuple[str, str], str]:
    return {(row["topic"], row["what"]): row["apply"] for row in done.document["differences"]}


async def test_plan_changes_nothing_and_apply_does_once_what_it_shows(broker: str) -> None:
    plan = await topics(broker, "plan", "--json")
    assert (plan.code, differing(plan)) == (0, {(name, "topic"): "create" for name in TOPICS})
    assert (plan.document["partitions"], plan.document["replication"]) == (2, 1)
    check = await topics(broker, "check")
    assert check.code == 1
    assert "missing" in check.out

    first = await topics(broker, "apply", "--json")
    assert (first.code, first.document["created"]) == (0, list(TOPICS))
    for command in ("plan", "check", "apply"):
        after = await topics(broker, command)
        assert (after.code, after.err) == (0, "")
        assert after.out.startswith("the topics are as the table says")
    other = await topics(broker, "apply", "--partitions", "3")
    assert other.code == 1
    told = " ".join(other.out.split())
    assert "partitions is 2, should be 3 (a cohort would be on another partition" in told


async def test_what_was_made_by_hand_is_mended_where_nothing_can_be_lost(broker: str) -> None:
    await made(broker, EVENTS, 1)
    await made(broker, COMMANDS, **{"retention.ms": "-1"})
    await made(broker, PEOPLE, **{"cleanup.policy": "delete"})
    await made(broker, PARKED, **{"max.message.bytes": "100000"})
    await new_topic(broker, "mentoring.old.events", 1)
    lossy = {(COMMANDS, "retention.ms"), (PEOPLE, "cleanup.policy")}
    never = {(EVENTS, "partitions"): "refused", ("mentoring.old.events", "topic"): "stranger"}

    check = await topics(broker, "check", "--json")
    missing = {
        (n, "topic"): "create" for n in TOPICS if n not in (EVENTS, COMMANDS, PEOPLE, PARKED)
    }
    wanted = dict.fromkeys(lossy, "loss") | {(PARKED, "max.message.bytes"): "alter"} | never
    assert (check.code, differing(check)) == (1, missing | wanted)

    cautious = await topics(broker, "apply", "--json")
    assert cautious.code == 1
    assert {(row["topic"], row["what"]) for row in cautious.document["refused"]} == {
        *lossy,
        (EVENTS, "partitions"),
    }
    assert [row["topic"] for row in cautious.document["altered"]] == [PARKED]
    assert cautious.document["not_in_the_table"] == ["mentoring.old.events"]
    found = await found_topics({"bootstrap_servers": broker})
    assert found[COMMANDS].config["retention.ms"] == "-1"
    assert found[PEOPLE].config["cleanup.policy"] == "delete"
    assert found[EVENTS].partitions == 1

    bold = await topics(broker, "apply", "--allow-loss")
    assert bold.code == 1, "the partitions are as they were"
    assert f"careful: {COMMANDS}: retention.ms" in bold.err
    assert f"careful: {PEOPLE}: cleanup.policy" in bold.err
    assert differing(await topics(broker, "plan", "--json")) == never


async def test_settings_that_somebody_else_has_made_stay(broker: str) -> None:
    await made(broker, PARKED, **{"max.message.bytes": "100000", "segment.ms": "77777"})
    assert (await topics(broker, "apply")).code == 0
    config = (await found_topics({"bootstrap_servers": broker}))[PARKED].config
    assert (config["segment.ms"], config["max.message.bytes"]) == ("77777", "8388608")


NONSENSE = Difference(PARKED, "retention.ms", "-1", "soon", "alter")


@pytest.mark.parametrize("started", [APACHE], indirect=True)
async def test_a_setting_that_the_broker_refuses_is_named(broker: str) -> None:
    await made(broker, PARKED)
    with pytest.raises(TopicError, match=f"{PARKED}: InvalidConfig"):
        await apply_differences({"bootstrap_servers": broker}, [NONSENSE], 2, 1)


@pytest.mark.parametrize("started", ["embedded"], indirect=True)
async def test_a_broker_that_does_something_else_is_not_believed(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.operating.topics.SHOWN_SECONDS", 0.3)
    await made(broker, PARKED)
    with pytest.raises(TopicError, match=f"does not show it: {PARKED}"):
        await apply_differences({"bootstrap_servers": broker}, [NONSENSE], 2, 1)
