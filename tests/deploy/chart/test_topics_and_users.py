"""Topics are there before anything needs them, and each user may do what it must."""

from pathlib import Path

from deploy.local.broker import embedded_broker
from deploy.operating.topics import config_of
from schemas.topics import TOPICS
from services.chassis.settings import Settings
from tests.deploy.chart.rendering import (
    CI,
    DEPLOYED,
    aliases,
    env_of,
    objects,
    of_kind,
    services,
)
from tests.deploy.operating.commands import connecte


def test_topics_are_made_before_anything_of_the_release_is() -> None:
    hooks = [
        (int(one["metadata"]["annotations"]["helm.sh/hook-weight"]), one["kind"])
        for one in objects("production")
        if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    ]
    assert [kind for _, kind in sorted(hooks)] == ["NetworkPolicy", "Job"]
    (job,) = of_kind(objects("production"), "Job")
    notes = job["metadata"]["annotations"]
    assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert " ".join(container["command"]) == (
        "connecte topics apply --partitions 12 --replication 3"
    )
    assert env_of(job["spec"]["template"]["spec"]).keys() <= aliases(Settings)


async def test_the_job_makes_the_topics_and_has_nothing_to_do_the_second_time(
    tmp_path: Path,
) -> None:
    (job,) = of_kind(objects("minimal"), "Job")
    pod = job["spec"]["template"]["spec"]
    command, *arguments = pod["containers"][0]["command"]
    assert command == "connecte"
    given = {name: entry["value"] for name, entry in env_of(pod).items()}
    async with embedded_broker(tmp_path) as broker:
        given["KAFKA_BOOTSTRAP_SERVERS"] = broker
        first = await connecte(*arguments, "--json", **given)
        assert first.code == 0, first.err
        assert set(first.document["created"]) == TOPICS.keys()
        again = await connecte(*arguments, "--json", **given)
        assert again.code == 0, again.err
        assert (again.document["created"], again.document["refused"]) == ([], [])


def test_one_hook_is_for_helm_test_and_no_other_hook_is_left() -> None:
    for name in CI:
        kinds = [
            (one["kind"], one["metadata"]["annotations"]["helm.sh/hook"])
            for one in objects(name)
            if "helm.sh/hook" in one["metadata"].get("annotations", {})
        ]
        assert kinds.count(("Pod", "test")) == 1
        assert {hook for _, hook in kinds} <= {"test", "pre-install,pre-upgrade"}


def test_topics_as_resources_are_those_of_the_table_and_outlive_the_release() -> None:
    found = of_kind(objects("autoscaled"), "KafkaTopic")
    assert {one["spec"]["topicName"] for one in found} == TOPICS.keys()
    for one in found:
        topic = TOPICS[one["spec"]["topicName"]]
        assert one["spec"]["partitions"] == 24
        assert one["spec"]["config"] == config_of(topic, 3)
        assert one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert "Prune=false" in one["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert of_kind(objects("autoscaled"), "Job") == []


def test_every_service_logs_in_as_the_user_that_the_release_makes_for_it() -> None:
    found = objects("autoscaled")
    users = {one["metadata"]["name"] for one in of_kind(found, "KafkaUser")}
    logins = set()
    for one in services(found).values():
        given = env_of(one["spec"]["template"]["spec"])
        login = given["KAFKA_SASL_USERNAME"]["value"]
        assert given["KAFKA_SASL_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == login
        logins.add(login)
    others = {
        "mentorat-operator",
        *(f"mentorat-subscriber-{s}" for s in ("directory", "open-data")),
    }
    assert users == logins | others
    assert len(logins) == len(DEPLOYED)


def test_a_subscriber_s_user_reads_public_topics_in_groups_of_its_own() -> None:
    (user,) = [
        one
        for one in of_kind(objects("autoscaled"), "KafkaUser")
        if one["metadata"]["name"] == "mentorat-subscriber-directory"
    ]
    acls = user["spec"]["authorization"]["acls"]
    assert all(acl["operations"] == ["Read"] for acl in acls)
    topics = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic"}
    assert topics == {topic.name for topic in TOPICS.values() if topic.audience == "public"}
    (group,) = [acl["resource"] for acl in acls if acl["resource"]["type"] == "group"]
    assert group == {
        "type": "group",
        "name": "mentorat-subscriber-directory.",
        "patternType": "prefix",
    }
