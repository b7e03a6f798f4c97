"""Prometheus and `promtool`: those on the path, or else those of Debian's package, unpacked.

What always holds: nothing is installed; the cache lies outside the checkout, and what is there is
complete, because it appears by one rename. A Prometheus that was started here ends with its block.
"""

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import httpx

from deploy.local.process import Child, PartError, find_program, free_port, running

FETCH_SECONDS = 300.0
READY_SECONDS = 120.0
JOB = "connecte"
"""The job of every target, as the rules and the dashboards select it."""


@asynccontextmanager
async def prometheus(
    directory: Path,
    targets: Mapping[str, str | Sequence[str]],
    *,
    rules: Sequence[Path] = (),
    interval: str = "1s",
) -> AsyncIterator[str]:
    """Yields the address of a Prometheus that scrapes `targets` and obeys `rules`.

    `targets`: a service to the URL of its process, or to those of its processes.

    The labels are those of deploy/compose/prometheus.yml: `job`, and `service`. What it stores,
    its configuration and its log are in `directory`. Raises PartError when it cannot be had.
    """
    binary = await program("prometheus", directory)
    configuration = directory / "prometheus.json"  # which is YAML too
    configuration.write_text(json.dumps(_configuration(targets, rules, interval)))
    port = free_port()
    command: list[str | Path] = [binary, f"--config.file={configuration}"]
    command += [f"--storage.tsdb.path={directory / 'prometheus'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"

    async with running("prometheus", command, log=directory / "prometheus.log") as child:
        async with httpx.AsyncClient() as client:

            async def is_ready() -> bool:
                try:
                    return (await client.get(f"{url}/-/ready")).is_success
                except httpx.HTTPError:
                    return False

            await child.ready(is_ready, READY_SECONDS)
        yield url


def _configuration(
    targets: Mapping[str, str | Sequence[str]], rules: Sequence[Path], interval: str
) -> dict[str, object]:
    scraped = [
        {
            "targets": [
                url.removeprefix("http://") for url in ([urls] if isinstance(urls, str) else urls)
            ],
            "labels": {"service": service},
        }
        for service, urls in targets.items()
    ]
    return {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": min(interval, "10s", key=_seconds),
            "evaluation_interval": interval,
        },
        "rule_files": [str(path.absolute()) for path in rules],
        "scrape_configs": [{"job_name": JOB, "honor_labels": True, "static_configs": scraped}],
    }


def _seconds(interval: str) -> float:
    return float(interval.removesuffix("s"))


async def program(name: Literal["prometheus", "promtool"], directory: Path) -> Path:
    """The program on PATH, or else that of Debian's package, fetched once per machine.

    `directory` receives the logs of fetching it. Raises PartError when neither is to be had.
    """
    if on_path := shutil.which(name):
        return Path(on_path)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "connecte"
    unpacked = cache / "prometheus-debian"
    if not unpacked.is_dir():
        await _fetch(unpacked, directory)
    return unpacked / "usr" / "bin" / name


async def _fetch(destination: Path, directory: Path) -> None:
    try:
        apt, dpkg = find_program("apt-get"), find_program("dpkg")
    except PartError:
        raise PartError(
            "no Prometheus: put prometheus and promtool on PATH, or use a Debian that has apt-get"
        ) from None
    destination.parent.mkdir(parents=True, exist_ok=True)
    # Beside its destination, because a rename cannot cross file systems.
    with tempfile.TemporaryDirectory(prefix="prometheus-", dir=destination.parent) as name:
        work = Path(name)
        try:
            await _download(apt, work, directory)
        except PartError:
            # What the machine knows of its packages is missing or old.
            update = Child("apt-get", [apt, "update"], log=directory / "apt-get.log")
            await update.succeed(FETCH_SECONDS)
            await _download(apt, work, directory)
        command: list[str | Path] = [dpkg, "-x", _package(work), work / "unpacked"]
        await Child("dpkg", command, log=directory / "dpkg.log").succeed(FETCH_SECONDS)
        _move(work / "unpacked", destination)


async def _download(apt: str, work: Path, directory: Path) -> None:
    download = Child(
        "apt-get", [apt, "download", "prometheus"], log=directory / "apt-get.log", cwd=work
    )
    await download.succeed(FETCH_SECONDS)


def _package(work: Path) -> Path:
    (package,) = work.glob("prometheus_*.deb")
    return package


def _move(unpacked: Path, destination: Path) -> None:
    try:
        unpacked.rename(destination)
    except OSError:
        # Someone else was faster, and theirs is as good.
        if not destination.is_dir():
            raise
