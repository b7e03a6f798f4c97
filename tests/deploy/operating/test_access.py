"""Who may do what: the table, and what is made of it."""

import asyncio
import os
import stat
from pathlib import Path

import pytest
import yaml
from jsonschema import ValidationError

from deploy.local.stack import WITH_PORTAL as SERVICES
from deploy.operating.access import acl_script, as_yaml, kafka_users
from deploy.operating.reach import domain_of
from schemas.access import (
    OPERATOR,
    READS,
    Account,
    accounts,
    group_of,
    service_account,
    subscriber,
)
from schemas.topics import PARKED, PEOPLE, TOPICS, Service, commands_topic
from tests.deploy.chart import custom_resources
from tests.deploy.operating.commands import connecte

TRESOR = subscriber("tresor")
EVERYBODY = accounts(["tresor"])
PUBLIC = {name for name, topic in TOPICS.items() if topic.audience == "public"}


def may(account: Account, operation: str) -> set[str]:
    """The topics with which an account may do this."""
    grants = [g for g in account.grants if g.resource == "topic" and operation in g.operations]
    return {
        name
        for name in TOPICS
        for grant in grants
        if name == grant.name or (grant.prefix and name.startswith(grant.name))
    }


# --- the table ----------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_read_what_its_domain_reads_and_what_it_has_published(
    service: Service,
) -> None:
    domain = domain_of(service)
    assert {*READS[service]} == {*domain.reads, *domain.tables}
    read = may(service_account(service), "Read")
    own = {name for name in TOPICS if name.startswith(f"mentoring.{service}.")}
    assert read == {*own, *domain.reads, *domain.tables}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_writes_its_own_topics_and_what_everybody_sets_aside(service: Service) -> None:
    own = {name for name in TOPICS if name.startswith(f"mentoring.{service}.")}
    # Contacts over HTTP, and what calendar programs answer by mail.
    others = {PEOPLE, commands_topic("scheduling")} if service == "notify" else set()
    assert may(service_account(service), "Write") == own | others | {PARKED}


def test_a_subscriber_reads_what_is_public_and_does_nothing_else() -> None:
    assert may(TRESOR, "Read") == PUBLIC
    assert {operation for grant in TRESOR.grants for operation in grant.operations} == {"Read"}
    (group,) = (grant for grant in TRESOR.grants if grant.resource == "group")
    assert (group.name, group.prefix) == ("subscriber-tresor.", True)


def test_names_and_what_was_set_aside_are_read_by_few() -> None:
    def readers(topic: str) -> set[str]:
        return {account.name for account in EVERYBODY if topic in may(account, "Read")}

    assert readers(PEOPLE) == {"mentoring-notify", "mentoring-portal", OPERATOR.name}
    assert readers(PARKED) == {OPERATOR.name}


def test_a_group_belongs_to_one_account() -> None:
    groups = [(g.name, g.prefix) for a in EVERYBODY for g in a.grants if g.resource == "group"]
    names = [name for name, _ in groups]
    assert sorted(names) == sorted({*(group_of(s) for s in SERVICES), "subscriber-tresor."})


def test_operators_may_work_on_every_topic_and_nobody_may_delete() -> None:
    for operation in ("Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"):
        assert may(OPERATOR, operation) == set(TOPICS)
    every = {operation for a in EVERYBODY for g in a.grants for operation in g.operations}
    assert every.isdisjoint({"Delete", "All", "Alter", "ClusterAction"})


@pytest.mark.parametrize("name", ["", "A", "a.b", "-a", "a-", "a b", "a" * 31, "é", "a\n"])
def test_a_name_that_would_mean_something_else_is_none_of_a_subscriber(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a subscriber"):
        subscriber(name)


def test_with_a_prefix_nobody_may_anything_with_what_has_another_one() -> None:
    """Also where one prefix begins with the other, and beside an installation without any."""
    for prefix in ("bercy.", "bercy.dgfip_", ""):
        for account in accounts(["tresor"], prefix):
            for grant in account.grants:
                assert grant.name.startswith(prefix)
                for other in {"bercy.", "bercy.dgfip_", "Justice-", ""} - {prefix}:
                    theirs = {
                        *(other + t for t in TOPICS),
                        *(other + group_of(s) for s in SERVICES),
                    }
                    allowed = {t for t in theirs if t == grant.name}
                    if grant.prefix:
                        allowed |= {t for t in theirs if t.startswith(grant.name)}
                    assert allowed == set(), (prefix, account.name, grant)


def test_accounts_of_two_installations_have_different_names() -> None:
    named = [{account.name for account in accounts(["x"], p)} for p in ("", "Bercy_1.", "bercy.2-")]
    assert "bercy-1-mentoring-operator" in named[1]
    assert len(set.union(*named)) == sum(map(len, named))


@pytest.mark.parametrize("format_", ["table", "kafka-acls", "strimzi"])
async def test_the_table_of_a_shared_kafka_names_what_is_on_it(format_: str) -> None:
    done = await connecte(
        "topics", "access", "--format", format_, "--json", CONNECTE_TOPIC_PREFIX="bercy."
    )
    assert done.code == 0, done.err
    text = str(done.document)
    assert "bercy.mentoring.people" in text
    assert "bercy-mentoring-notify" in text
    assert "'mentoring." not in text


# --- what is made of it -------------------------------------------------------------------------


async def test_the_table_is_shown_to_people_and_to_machines() -> None:
    shown = await connecte("topics", "access", "--subscriber", "tresor", "--subscriber", "cnil")
    assert shown.code == 0
    assert "subscriber-tresor" in shown.out
    assert "subscriber-cnil" in shown.out
    rows = (await connecte("topics", "access", "--json")).document
    assert [row["account"] for row in rows] == [account.name for account in accounts()]
    assert rows[0]["grants"][0] == {
        "resource": "topic",
        "name": "mentoring.matching.commands",
        "pattern": "literal",
        "operations": ["Read", "Write"],
    }


async def test_the_script_says_what_the_table_says_and_a_shell_can_read_it(
    tmp_path: Path,
) -> None:
    made = await connecte("topics", "access", "--format", "kafka-acls", "--subscriber", "tresor")
    assert (made.code, made.out) == (0, acl_script(EVERYBODY))
    said = set()
    for call in (await run_script(tmp_path, made.out, 'echo "$@"')).splitlines():
        words = call.split()
        assert words[:5] == [
            "--bootstrap-server",
            "nowhere:1",
            "--add",
            "--force",
            "--allow-principal",
        ]
        user = words[5].removeprefix("User:")
        pairs = list(zip(words[6::2], words[7::2], strict=True))
        prefix = ("--resource-pattern-type", "prefixed") in pairs
        operations = tuple(value for option, value in pairs if option == "--operation")
        for option, value in pairs:
            if option in ("--topic", "--group"):
                said.add((user, option[2:], value, operations, prefix))
    assert said == {
        (a.name, g.resource, g.name, g.operations, g.prefix) for a in EVERYBODY for g in a.grants
    }


async def run_script(directory: Path, script: str, kafka_acls: str, **settings: str) -> str:
    """Run the script with this as Kafka's command."""
    command = directory / "kafka-acls.sh"
    command.write_text(f"#!/bin/sh\n{kafka_acls}\n")
    command.chmod(stat.S_IRWXU)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", script),
        env={
            "PATH": f"{directory}:{os.environ['PATH']}",
            "KAFKA_BOOTSTRAP_SERVERS": "nowhere:1",
            **settings,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_kafka_users_say_what_the_table_says() -> None:
    command = ("topics", "access", "--format", "strimzi", "--subscriber", "tresor")
    made = await connecte(*command, "--cluster", "ministry")
    users = list(yaml.safe_load_all(made.out))
    assert users == (await connecte(*command, "--cluster", "ministry", "--json")).document
    assert {user["metadata"]["labels"]["strimzi.io/cluster"] for user in users} == {"ministry"}
    said = {
        user["metadata"]["name"]: [
            (acl["resource"]["type"], acl["resource"]["name"], tuple(acl["operations"]))
            for acl in user["spec"]["authorization"]["acls"]
        ]
        for user in users
    }
    assert said == {
        a.name: [(g.resource, g.name, g.operations) for g in a.grants] for a in EVERYBODY
    }


@pytest.mark.parametrize("cluster", ["kafka", "on", "null", "1", "a: b", 'with "quotes"', "~", ""])
def test_whatever_a_cluster_is_called_the_yaml_says_so(cluster: str) -> None:
    users = kafka_users(EVERYBODY, cluster)
    assert list(yaml.safe_load_all(as_yaml(users))) == users


def test_strimzi_takes_the_kafka_users() -> None:
    for user in kafka_users(EVERYBODY, "kafka"):
        custom_resources.validate(user)
    user["spec"]["authorization"]["acls"][0]["operation"] = "Read"
    with pytest.raises(ValidationError, match="operation"):
        custom_resources.validate(user)
