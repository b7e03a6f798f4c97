"""A release from its installation to its end, by Helm 3 and 4, with real pods behind it.

Broker, database, services, the topics' job and the pod of `helm test` really run (`kubelet` says
what is played). Rules of order are read from what the API server itself recorded.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from pymongo import AsyncMongoClient

from deploy.made.chart_files import CHART
from deploy.trial.check import live_prefix
from schemas.topics import TOPICS
from services.chassis.http.links import generate_keys
from tests.conftest import PATIENCE, admin_of, eventually
from tests.deploy.chart.rendering import changed
from tests.deploy.cluster.api import Api, Object
from tests.deploy.cluster.helm import Helm
from tests.deploy.cluster.kubelet import Kubelet
from tests.deploy.cluster.programs import WITH_A_BUILD

pytestmark = [pytest.mark.cluster, pytest.mark.journey, pytest.mark.timeout(WITH_A_BUILD)]

ASKED = ("matching", "notify", "scheduling")
"""Those that carry out commands: `helm test` has each refuse one."""
SERVICES = (*ASKED, "feedback", "portal")
WATCHED = (
    "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "apis/batch/v1/namespaces/{}/jobs",
    "apis/apps/v1/namespaces/{}/deployments",
    "api/v1/namespaces/{}/pods",
)
ANYWHERE = {"peers": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [53]}


@dataclass(frozen=True, slots=True)
class Place:
    """A namespace where a release can live, and what looks into it."""

    api: Api
    helm: Helm
    kubelet: Kubelet
    values: Object
    mongodb: str
    kafka: str

    @property
    def namespace(self) -> str:
        return self.helm.namespace

    async def deployments(self) -> dict[str, Object]:
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        label = "app.kubernetes.io/component"
        found = (await self.api.get(path))["items"]
        return {one["metadata"]["labels"][label]: one for one in found}

    async def revision(self) -> str:
        """Of the whole store, as of now."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        return str((await self.api.get(path))["metadata"]["resourceVersion"])

    async def history(self, since: str) -> list[tuple[str, Object]]:
        """What happened to policies, jobs, deployments and pods, in the order of the store."""
        told = []
        for path in WATCHED:
            told += await self.api.since(f"/{path.format(self.namespace)}", since)
        return sorted(told, key=lambda one: int(one[1]["metadata"]["resourceVersion"]))


@pytest.fixture
async def place(
    api: Api, helm: Helm, mongodb_uri: str, database: str, fresh_kafka: str, tmp_path: Path
) -> Place:
    private, public = generate_keys()
    secrets = {
        "connecte-links": {"link.key": private, "link.pub": public},
        "connecte-http": {"token": "0123456789abcdef"},
        "connecte-mongodb": {"uri": mongodb_uri},
    }
    for name, data in secrets.items():
        metadata = {"name": name, "namespace": helm.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data}
        await api.create(secret)
    values = changed(
        "minimal",
        {
            "kafka.bootstrapServers": fresh_kafka,
            "kafka.partitions": 2,
            "mongodb.databasePrefix": f"{database}_",
            "smtp": {"host": "127.0.0.1", "port": 1025, "security": "none"},
            "networkPolicy": {"to": dict.fromkeys(("dns", "kafka", "mongodb", "smtp"), ANYWHERE)},
            # What the embedded broker needs.
            "defaults.env": {
                "CONNECTE_KAFKA_IDEMPOTENT": "false",
                "CONNECTE_FETCH_WAIT_MS": "40",
            },
        },
    )
    return Place(api, helm, Kubelet(api, tmp_path / "pods"), values, mongodb_uri, fresh_kafka)


def with_pods(test: Callable[[Place], Awaitable[None]]) -> Callable[[Place], Awaitable[None]]:
    """While somebody runs them; in the test itself, which ends when that one fails."""

    @functools.wraps(test)
    async def run(place: Place) -> None:
        async with place.kubelet.working():
            await test(place)

    return run


def first(happened: list[tuple[str, Object]], is_it: Callable[[str, Object], bool]) -> int:
    """The place in the history of the first event that is meant."""
    return next(n for n, (kind, one) in enumerate(happened) if is_it(kind, one))


def job_done(_: str, one: Object) -> bool:
    conditions = one["status"].get("conditions", []) if one["kind"] == "Job" else []
    return any((c["type"], c["status"]) == ("Complete", "True") for c in conditions)


def assert_topics_came_first(happened: list[tuple[str, Object]], generation: int) -> None:
    """The policy of the job, the job, its end; only then deployments of this generation."""
    order = [
        first(happened, lambda t, o: t == "ADDED" and o["kind"] == "NetworkPolicy"),
        first(happened, lambda t, o: t == "ADDED" and o["kind"] == "Job"),
        first(happened, job_done),
        first(
            happened,
            lambda _, o: o["kind"] == "Deployment" and o["metadata"]["generation"] >= generation,
        ),
    ]
    assert order == sorted(order)
    _, policy = happened[order[0]]
    assert policy["metadata"]["name"] == "mentorat-topics"


def fewest_ready(happened: list[tuple[str, Object]], component: str, before: set[str]) -> int:
    """How many pods of a service were ready at a time, at least; `before`: those at first."""
    ready = set(before)
    fewest = len(ready)
    for kind, one in happened:
        labels = one["metadata"]["labels"]
        if one["kind"] != "Pod" or labels["app.kubernetes.io/component"] != component:
            continue
        conditions = {c["type"]: c["status"] for c in one["status"].get("conditions", [])}
        name = one["metadata"]["name"]
        if kind == "DELETED" or conditions.get("Ready") != "True":
            ready.discard(name)
        else:
            ready.add(name)
        fewest = min(fewest, len(ready))
    return fewest


@with_pods
async def test_pods_wait_for_a_key_that_their_secret_lacks_and_go_on_once_it_is_there(
    place: Place,
) -> None:
    secret = f"/api/v1/namespaces/{place.namespace}/secrets/connecte-http"
    token = (await place.api.get(secret))["data"]["token"]
    await place.api.patch(secret, {"data": {"token": None}})
    installing = asyncio.create_task(place.helm.deploy("install", place.values))

    async def wait_all() -> bool:
        pods = (await place.api.get(f"/api/v1/namespaces/{place.namespace}/pods"))["items"]
        told = [one["status"].get("containerStatuses", [{}])[0] for one in pods]
        waiting = [one.get("state", {}).get("waiting", {}).get("message", "") for one in told]
        asked = f"couldn't find key token in Secret {place.namespace}/connecte-http"
        return waiting.count(asked) == len(SERVICES)

    assert await eventually(wait_all, PATIENCE)
    assert not any(place.kubelet.log(f"mentorat-{service}") for service in SERVICES)
    assert not installing.done(), "helm waits with them"

    await place.api.patch(secret, {"data": {"token": token}})
    said = await installing
    assert said.code == 0, said.err


@with_pods
async def test_a_release_from_its_installation_to_its_end(place: Place) -> None:
    helm = place.helm
    empty = await place.api.everything(place.namespace)
    begin = await place.revision()

    said = await helm.deploy("install", place.values)
    assert said.code == 0, said.err
    assert_topics_came_first(await place.history(begin), generation=1)
    async with admin_of(place.kafka) as admin:
        assert set(await admin.list_topics()) >= TOPICS.keys()
    installed = await place.deployments()
    assert installed.keys() == set(SERVICES)
    assert all(one["status"]["readyReplicas"] == 1 for one in installed.values())

    await helm.done("test", "mentorat", "--timeout", "120s")
    told = place.kubelet.log("mentorat-test")
    for service in SERVICES:
        assert f"{service}: refused" in told
    assert await refusals(place) == len(ASKED)

    pods = await ready_pods(place)
    begin = await place.revision()
    debug = {**place.values, "logLevel": "DEBUG"}
    said = await helm.deploy("upgrade", debug)
    assert said.code == 0, said.err
    happened = await place.history(begin)
    assert_topics_came_first(happened, generation=2)
    for service in SERVICES:
        assert fewest_ready(happened, service, pods[service]) == 1
    assert await levels(place) == {"DEBUG"}
    await helm.done("test", "mentorat", "--timeout", "120s")
    assert await refusals(place) == 2 * len(ASKED)

    await helm.done("rollback", "mentorat", "1", "--wait", "--timeout", "180s")
    assert await levels(place) == {"INFO"}
    await helm.done("test", "mentorat", "--timeout", "120s")

    await helm.done("uninstall", "mentorat", "--wait", "--timeout", "120s")

    async def gone() -> bool:
        return await place.api.everything(place.namespace) == empty

    await eventually(gone)
    async with admin_of(place.kafka) as admin:
        assert set(await admin.list_topics()) >= TOPICS.keys()


async def refusals(place: Place) -> int:
    """How many commands of `helm test` the projections of all services show as refused."""
    prefix = place.values["mongodb"]["databasePrefix"]
    found = 0
    async with AsyncMongoClient(place.mongodb) as client:
        for service in ASKED:
            database = client[f"{prefix}{service}"]
            collection = database[f"{await live_prefix(database)}refusals"]
            found += await collection.count_documents({"cohort_id": "helm-test"})
    return found


async def ready_pods(place: Place) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {service: set() for service in SERVICES}
    for pod in (await place.api.get(f"/api/v1/namespaces/{place.namespace}/pods"))["items"]:
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        found[component].add(pod["metadata"]["name"])
    return found


async def levels(place: Place) -> set[str]:
    """The LOG_LEVEL of all deployments."""
    found = set()
    for one in (await place.deployments()).values():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        (level,) = [entry["value"] for entry in container["env"] if entry["name"] == "LOG_LEVEL"]
        found.add(level)
    return found


@with_pods
async def test_a_job_that_fails_stops_the_upgrade_and_what_runs_goes_on(place: Place) -> None:
    helm = place.helm
    others = {name: {"enabled": False} for name in SERVICES if name != "matching"}
    values = {**place.values, "services": others}
    said = await helm.deploy("install", values)
    assert said.code == 0, said.err
    before = await place.deployments()
    pods = await ready_pods(place)
    begin = await place.revision()

    # The number of partitions is chosen once; the job refuses another.
    wrong = {**values, "kafka": {**values["kafka"], "partitions": 3}}
    said = await helm("upgrade", "mentorat", str(CHART), "--timeout", "20s", values=wrong)
    assert said.code == 1
    assert "pre-upgrade" in said.err
    assert "partitions" in place.kubelet.log("mentorat-topics")
    happened = await place.history(begin)
    assert [one for _, one in happened if one["kind"] == "Deployment"] == []
    assert await place.deployments() == before
    assert fewest_ready(happened, "matching", pods["matching"]) == 1
    await helm.done("test", "mentorat", "--timeout", "120s")
    job = ("Job", "mentorat-topics")
    assert job in await place.api.everything(place.namespace)  # for its log

    said = await helm.deploy("upgrade", values)
    assert said.code == 0, said.err
    assert await place.deployments() == before
    assert job not in await place.api.everything(place.namespace)


@with_pods
async def test_a_database_that_was_lost_is_rebuilt_by_the_job_that_the_release_has_at_hand(
    place: Place,
) -> None:
    others = {name: {"enabled": False} for name in SERVICES if name != "matching"}
    said = await place.helm.deploy("install", {**place.values, "services": others})
    assert said.code == 0, said.err
    await place.helm.done("test", "mentorat", "--timeout", "120s")
    async with AsyncMongoClient(place.mongodb) as client:
        await client.drop_database(f"{place.values['mongodb']['databasePrefix']}matching")
    assert await refusals(place) == 0

    async def asked_for() -> bool:
        return "run `connecte rebuild matching`" in place.kubelet.log("mentorat-matching")

    await eventually(asked_for, within=60)

    # As `kubectl create job --from=cronjob/mentorat-rebuild-matching again` makes it.
    batch = f"/apis/batch/v1/namespaces/{place.namespace}"
    recipe = (await place.api.get(f"{batch}/cronjobs/mentorat-rebuild-matching"))["spec"]
    labels = recipe["jobTemplate"]["metadata"]["labels"]
    metadata = {"name": "again", "namespace": place.namespace, "labels": labels}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata}
    await place.api.create({**job, "spec": recipe["jobTemplate"]["spec"]})

    async def rebuilt() -> bool:
        made = await place.api.get(f"{batch}/jobs/again")
        return job_done("", {**made, "kind": "Job"})

    await eventually(rebuilt, within=120)
    assert await refusals(place) == 1

    async def ready() -> bool:
        return (await place.deployments())["matching"]["status"].get("readyReplicas") == 1

    await eventually(ready, within=60)
    await place.helm.done("test", "mentorat", "--timeout", "120s")
    assert await refusals(place) == 2


@with_pods
async def test_helm_test_fails_where_a_service_does_not_answer(place: Place) -> None:
    helm = place.helm
    others = {name: {"enabled": False} for name in SERVICES if name != "matching"}
    said = await helm.deploy("install", {**place.values, "services": others})
    assert said.code == 0, said.err
    path = f"/apis/apps/v1/namespaces/{place.namespace}/deployments/mentorat-matching"
    await place.api.patch(path, {"spec": {"replicas": 0}})

    async def stopped() -> bool:
        return (await ready_pods(place))["matching"] == set()

    await eventually(stopped)
    said = await helm("test", "mentorat", "--timeout", "60s")
    assert said.code == 1
    assert "matching: ConnectError" in place.kubelet.log("mentorat-test")
