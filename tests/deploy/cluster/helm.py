"""The command `helm`, of either version, as an operator runs it."""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from deploy.made.chart_files import CHART
from tests.deploy.cluster.api import Object
from tests.deploy.cluster.control_plane import Cluster


@dataclass(frozen=True, slots=True)
class Said:
    """How it ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[Object]:
        return [one for one in yaml.safe_load_all(self.out) if one]


@dataclass(frozen=True, slots=True)
class Helm:
    """One version of it; caches and settings are in `home`."""

    program: Path
    cluster: Cluster
    home: Path
    namespace: str = "default"

    async def __call__(self, *arguments: str, values: Object | None = None) -> Said:
        """`values` are handed over as a file."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            more = [] if values is None else ["--values", file.name]
            process = await asyncio.create_subprocess_exec(
                *(self.program, *arguments, *more, "--namespace", self.namespace),
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            out, err = await process.communicate()
        assert process.returncode is not None
        return Said(process.returncode, out.decode(), err.decode())

    async def done(self, *arguments: str, values: Object | None = None) -> str:
        """What it says, having succeeded."""
        said = await self(*arguments, values=values)
        assert said.code == 0, said.out + said.err
        return said.out

    async def deploy(self, verb: str, values: Object, *more: str) -> Said:
        """`install` or `upgrade` the chart as `mentorat`."""
        wait = ("--wait", "--timeout", "180s")
        return await self(verb, "mentorat", str(CHART), *wait, *more, values=values)

    def _environment(self) -> dict[str, str]:
        homes = {f"HELM_{name}_HOME": str(self.home) for name in ("CACHE", "CONFIG", "DATA")}
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "KUBECONFIG": str(self.cluster.kubeconfig),
            **homes,
        }
