"""Real Helm 3 and 4 read the chart alike, and a real API server accepts all that it renders."""

from collections.abc import Sequence

import pytest

from deploy.made.chart_files import CHART
from tests.conftest import eventually
from tests.deploy.chart.rendering import CI, changed, objects, render, values
from tests.deploy.cluster.api import Api, Object, RefusedError
from tests.deploy.cluster.helm import Helm
from tests.deploy.cluster.programs import WITH_A_BUILD, kubernetes_version

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(WITH_A_BUILD)]


def by_name(found: Sequence[Object]) -> dict[tuple[str, str], Object]:
    named = {(one["kind"], one["metadata"]["name"]): one for one in found}
    assert len(named) == len(found)
    return named


@pytest.mark.parametrize("name", CI)
async def test_helm_has_nothing_to_say_against_the_chart(helm: Helm, name: str) -> None:
    said = await helm.done("lint", "--strict", str(CHART), values=values(name))
    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "[WARNING]" not in said


@pytest.mark.parametrize("name", CI)
async def test_helm_renders_what_the_other_tests_look_at(helm: Helm, name: str) -> None:
    version = ("--kube-version", kubernetes_version())
    told = await helm("template", "mentorat", str(CHART), *version, values=values(name))
    assert told.code == 0, told.err
    same = render(values(name), namespace=helm.namespace)
    assert by_name(told.objects) == by_name(same)


async def test_a_wrong_value_stops_helm_with_its_name(helm: Helm) -> None:
    wrong = changed("minimal", {"kafka.partitons": 12})
    for verb in (("lint", "--strict", str(CHART)), ("install", "mentorat", str(CHART))):
        said = await helm(*verb, values=wrong)
        assert said.code == 1
        assert "partitons" in said.out + said.err


async def test_the_server_is_of_the_version_that_is_built(api: Api) -> None:
    assert (await api.get("/version"))["gitVersion"] == kubernetes_version()


@pytest.mark.usefixtures("definitions", "business")
@pytest.mark.parametrize("name", CI)
async def test_the_api_server_accepts_every_object(api: Api, namespace: str, name: str) -> None:
    for one in objects(name):
        there = {**one, "metadata": {**one["metadata"], "namespace": namespace}}
        made = await api.create(there, dry=True)
        assert made["metadata"]["name"] == one["metadata"]["name"]


async def test_the_api_server_refuses_a_field_that_it_does_not_know(
    api: Api, namespace: str
) -> None:
    (one,) = [
        o
        for o in objects("minimal")
        if o["metadata"]["name"] == "mentorat-matching" and o["kind"] == "Deployment"
    ]
    there = {**one["metadata"], "namespace": namespace}
    wrong = {**one, "metadata": there, "spec": {**one["spec"], "replikas": 1}}
    with pytest.raises(RefusedError, match=r"unknown field .*replikas"):
        await api.create(wrong, dry=True)


async def test_the_api_server_lets_no_unrestricted_pod_into_the_namespace(
    api: Api, namespace: str
) -> None:
    (one,) = [o for o in objects("minimal") if o["kind"] == "Pod"]
    spec = {key: value for key, value in one["spec"].items() if key != "securityContext"}
    there = {**one["metadata"], "namespace": namespace}
    with pytest.raises(RefusedError, match="violates PodSecurity"):
        await api.create({**one, "metadata": there, "spec": spec}, dry=True)


@pytest.mark.usefixtures("definitions")
@pytest.mark.parametrize("name", [n for n in CI if n != "minimal"])
async def test_what_is_left_of_a_release_are_its_topics(helm: Helm, api: Api, name: str) -> None:
    """Without hooks and without waiting: there is no broker, and nobody runs pods here."""
    before = await api.everything(helm.namespace)
    await helm.done("install", "mentorat", str(CHART), "--no-hooks", values=values(name))
    there = await api.everything(helm.namespace)
    wanted = {(o["kind"], o["metadata"]["name"]) for o in objects(name)}
    hooks = {key for key in wanted - there if key[0] in ("Pod", "Job", "NetworkPolicy")}
    assert wanted - there == hooks
    changed_values = changed(name, {"logLevel": "DEBUG"})
    await helm.done("upgrade", "mentorat", str(CHART), "--no-hooks", values=changed_values)
    await helm.done("uninstall", "mentorat")
    topics = {key for key in wanted if key[0] == "KafkaTopic"}

    async def gone() -> bool:
        return await api.everything(helm.namespace) - before == topics

    # What collects the garbage stands still until it knows every new kind of resource, which takes
    # a busy machine minutes.
    await eventually(gone, within=900)
