"""The chart as Helm renders it, and what the tests ask of the objects."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import helm_python as helm
import yaml

from deploy.made.chart_files import CHART
from services.chassis.settings import Settings

Object = dict[str, Any]

CI = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())
DEPLOYED = tuple(yaml.safe_load((CHART / "values.yaml").read_text())["services"])
"""The services that the chart brings."""
VERSIONS = [f"1.{minor}" for minor in range(30, 38)]


@cache
def _kubernetes() -> Any:
    """What knows Kubernetes' schemas: it would read megabytes of them anew for every object."""
    # Imported here, since it builds a grammar for seconds, in each process that gathers the tests.
    from kubernetes_validate import utils  # noqa: PLC0415

    utils.schema_contents = cache(utils.schema_contents)
    return utils


def check_with_kubernetes(one: Object, version: str) -> None:
    """An object against the schemas of a release. Raises what says where it does not fit."""
    _kubernetes().validate(one, version, strict=True)


def values(name: str) -> Object:
    found: Object = yaml.safe_load((CHART / "ci" / f"{name}-values.yaml").read_text())
    return found


def changed(name: str, changes: Mapping[str, Any]) -> Object:
    """The values of a file with changes by path (`services.notify.enabled`); `...` takes away."""
    found = copy.deepcopy(values(name))
    for path, value in changes.items():
        *parents, last = path.split(".")
        place = found
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is ...:
            place.pop(last, None)
        else:
            place[last] = value
    return found


def templates(given: Object, release: str = "mentorat", namespace: str = "here") -> dict[str, str]:
    with helm.Chart.load(str(CHART)) as chart:
        return chart.render(given, name=release, namespace=namespace)


def render(given: Object, release: str = "mentorat", namespace: str = "here") -> list[Object]:
    texts = templates(given, release, namespace)
    documents = (
        yaml.load_all(text, Loader=yaml.CSafeLoader)
        for name, text in texts.items()
        if name.endswith(".yaml")
    )
    return [found for document in documents for found in document if found]


@lru_cache
def objects(name: str) -> Sequence[Object]:
    """What a file's values render; shared between tests, so not to be changed."""
    return render(values(name))


def of_kind(found: Sequence[Object], *kinds: str) -> list[Object]:
    return [one for one in found if one["kind"] in kinds]


def pods(found: Sequence[Object]) -> Iterator[tuple[str, Object, Object]]:
    """Name, labels and specification of every pod: of deployments, hooks and tests."""
    for one in found:
        name = f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] == "Pod":
            yield name, one["metadata"]["labels"], one["spec"]
        elif one["kind"] in ("Deployment", "Job", "CronJob"):
            spec = one["spec"]
            template = spec.get("jobTemplate", {}).get("spec", spec)["template"]
            yield name, template["metadata"]["labels"], template["spec"]


def selects(selector: Object, labels: Mapping[str, str]) -> bool:
    wanted = selector.get("matchLabels", {})
    among = selector.get("matchExpressions", [])
    assert all(rule["operator"] == "In" for rule in among)
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in among
    )


def services(found: Sequence[Object]) -> dict[str, Object]:
    """Deployments by the service that they run."""
    label = "app.kubernetes.io/component"
    return {one["metadata"]["labels"][label]: one for one in of_kind(found, "Deployment")}


def env_of(pod: Object) -> dict[str, Object]:
    (container,) = pod["containers"]
    return {one["name"]: one for one in container.get("env", [])}


def aliases(kind: type[Settings]) -> set[str]:
    """The variables from which settings of a kind are read."""
    return {str(field.alias) for field in kind.model_fields.values()}
