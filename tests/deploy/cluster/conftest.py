"""One cluster for all tests of the chart on it, and a namespace for each."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import eventually, in_its_own_loop
from tests.deploy.chart import custom_resources
from tests.deploy.cluster.api import Api, RefusedError
from tests.deploy.cluster.control_plane import Cluster, cluster
from tests.deploy.cluster.helm import Helm
from tests.deploy.cluster.programs import HELMS, Programs, programs


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The programs; the first time on a machine this takes minutes."""
    return asyncio.run(programs(tmp_path_factory.mktemp("go")))


@pytest.fixture(scope="session")
def kubernetes(built: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with in_its_own_loop(cluster(tmp_path_factory.mktemp("cluster"), built)) as found:
        yield found


@pytest.fixture
async def api(kubernetes: Cluster) -> AsyncIterator[Api]:
    async with kubernetes.api() as client:
        yield client


@pytest.fixture
async def namespace(api: Api) -> str:
    """One that lets in nothing but restricted pods, and complains of anything else."""
    name = f"test-{secrets.token_hex(4)}"
    modes = ("enforce", "warn")
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    await api.create(
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }
    )
    return name


@pytest.fixture(params=sorted(HELMS))
def helm(
    request: pytest.FixtureRequest, kubernetes: Cluster, namespace: str, tmp_path: Path
) -> Helm:
    """Helm 3, then Helm 4."""
    program = kubernetes.programs.helms[request.param]
    return Helm(program, kubernetes, tmp_path / "helm", namespace)


@pytest.fixture(scope="session")
def definitions(kubernetes: Cluster) -> None:
    """Custom resources, as the other tests of the chart know them."""
    asyncio.run(_define(kubernetes))


async def _define(kubernetes: Cluster) -> None:
    async with kubernetes.api() as client:
        for one in custom_resources.definitions():
            await client.create(one)

        async def established() -> bool:
            told = await client.get("/apis/apiextensions.k8s.io/v1/customresourcedefinitions")
            conditions = [one["status"]["conditions"] or () for one in told["items"]]
            return all(
                any((c["type"], c["status"]) == ("Established", "True") for c in of_one)
                for of_one in conditions
            )

        await eventually(established, within=120)


@pytest.fixture
async def business(api: Api) -> None:
    """The priority that the values of the restricted network name."""
    kind = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    with contextlib.suppress(RefusedError):  # of an earlier test
        await api.create({**kind, "metadata": {"name": "business"}, "value": 1000})
