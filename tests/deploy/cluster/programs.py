"""The API server, what it stands on, and both Helms, built from Go's modules once per version.

What always holds: sources are those of `go.sum` (or, for Helm, of Go's checksum database); the
cache lies outside the checkout, and a version that is there is complete, because it appears by one
rename.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import Child, find_program

MODULE = Path(__file__).with_name("go.mod")
HELMS = {"3": "v3.22.0", "4": "v4.3.1"}
BUILD_SECONDS = 3600.0
WITH_A_BUILD = 2 * BUILD_SECONDS
"""How long a test may take that comes first, and waits for the programs to be built."""
# Not optimised and without what a debugger wants: they are made to be run once.
QUICK = ("-trimpath", "-gcflags=all=-N -l -dwarf=false")
SMALL = "-ldflags=-s -w"


@dataclass(frozen=True, slots=True)
class Programs:
    """Paths of the programs; `helms` by their first number."""

    etcd: Path
    api_server: Path
    controller_manager: Path
    helms: dict[str, Path]


async def programs(directory: Path) -> Programs:
    """All of them, built where they are missing; `directory` receives the compiler's log.

    Raises PartError when that needs Go and there is none, or it fails.
    """
    control = await _cached(
        f"kubernetes-{kubernetes_version()}-{_sum()}",
        lambda work: _control_plane(work, directory / "kubernetes.log"),
    )
    helms = {}
    for number, version in HELMS.items():
        folder = await _cached(
            f"helm-{version}", lambda work, v=version: _helm(work, v, directory / "helm.log")
        )
        helms[number] = folder / "helm"
    return Programs(
        etcd=control / "server",
        api_server=control / "kube-apiserver",
        controller_manager=control / "kube-controller-manager",
        helms=helms,
    )


def kubernetes_version() -> str:
    """Such as `v1.37.2`."""
    found = re.search(r"k8s\.io/kubernetes (v\S+)", MODULE.read_text())
    assert found
    return found[1]


def _sum() -> str:
    content = MODULE.read_bytes() + MODULE.with_name("go.sum").read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


async def _cached(name: str, build: Callable[[Path], Awaitable[None]]) -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "connecte"
    place = cache / name
    if place.is_dir():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    # Beside its destination, because a rename cannot cross file systems.
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=cache) as work:
        built = Path(work) / "programs"
        built.mkdir()
        await build(built)
        try:
            built.rename(place)
        except OSError:
            # Someone else was faster, and theirs is as good.
            if not place.is_dir():
                raise
    return place


async def _control_plane(folder: Path, log: Path) -> None:
    version = kubernetes_version()
    major, minor, _ = version.removeprefix("v").split(".")
    told = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamps = " ".join(f"-X k8s.io/component-base/version.{k}={v}" for k, v in told.items())
    tools = re.search(r"^tool \((.*?)^\)", MODULE.read_text(), re.MULTILINE | re.DOTALL)
    assert tools
    command = ["build", *QUICK, f"{SMALL} {stamps}", "-o", f"{folder}/", *tools[1].split()]
    await _go(command, log, {})


async def _helm(folder: Path, version: str, log: Path) -> None:
    source = f"helm.sh/helm/{version.split('.', maxsplit=1)[0]}/cmd/helm@{version}"
    await _go(["install", *QUICK, SMALL, source], log, {"GOBIN": str(folder)})


async def _go(arguments: Sequence[str], log: Path, settings: dict[str, str]) -> None:
    command = [find_program("go"), *arguments]
    env = {**os.environ, "CGO_ENABLED": "0", **settings}
    child = Child("go", command, log=log, env=env, cwd=MODULE.parent)
    await child.succeed(BUILD_SECONDS)
