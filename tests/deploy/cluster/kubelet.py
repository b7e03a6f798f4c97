"""Plays the one node of a cluster: runs the command of every pod as a process of this machine.

Real are the command, its environment (with Secrets from the API server), its probes, its ends and
what the API server is told of them. A pod's address `10.x.y.z` is `127.x.y.z` here, where it
listens; names of Services are replaced in its environment by the address of a ready pod, as DNS and
the kube-proxy would lead to one. Not played: images, isolation of any kind, volumes, network
policies, and restarts for a failing liveness probe. What it does not know, it refuses.
"""

import asyncio
import base64
import contextlib
import os
import re
import secrets
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.process import Child
from tests.deploy.cluster.api import Api, Object, RefusedError

ROOT = Path(__file__).parents[3]
PROGRAMS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
NODE = "here"
LOOK_SECONDS = 0.1
SERVICE = re.compile(r"(?<=//)([a-z][a-z0-9-]*):(\d+)")


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class NoKey(Exception):
    """A pod cannot start: its Secret, or the key in it, is not there. The kubelet's own words."""


@dataclass(slots=True)
class Running:
    """A pod's one container. `told` is the status that the API server was given last."""

    child: Child
    host: str
    started_at: str = field(default_factory=_now)
    started: bool = False
    ready: bool = False
    next_probe: float = 0.0
    failures: int = 0
    restarts: int = 0
    last_breath: float | None = None
    signalled: bool = False
    told: Object = field(default_factory=dict)


class Kubelet:
    """Looks after the pods of all namespaces. `logs`: a file for every pod, by its name."""

    _probes: httpx.AsyncClient

    def __init__(self, api: Api, logs: Path) -> None:
        self._api = api
        self.logs = logs
        self._pods: dict[str, Running] = {}
        self._network = f"{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        self._addresses = 0

    def log(self, prefix: str) -> str:
        """What the pods said whose names begin so."""
        return "".join(one.read_text() for one in sorted(self.logs.glob(f"{prefix}*.log")))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Works for as long as the block lasts; a fault of its own ends the block."""
        self.logs.mkdir(parents=True)
        with contextlib.suppress(RefusedError):  # there from an earlier test
            await self._api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        try:
            async with asyncio.TaskGroup() as group, httpx.AsyncClient() as self._probes:
                work = group.create_task(self._work())
                yield
                work.cancel()
        finally:
            await asyncio.gather(*(one.child.stop() for one in self._pods.values()))

    async def _work(self) -> None:
        while True:
            pods = (await self._api.get("/api/v1/pods"))["items"]
            await asyncio.gather(*(self._look(pod) for pod in pods))
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, pod: Object) -> None:
        """Do the next thing for a pod; what has changed meanwhile is seen at the next look."""
        uid, metadata = pod["metadata"]["uid"], pod["metadata"]
        with contextlib.suppress(RefusedError):
            if "deletionTimestamp" in metadata:
                await self._end(pod)
            elif "nodeName" not in pod["spec"]:
                await self._bind(pod)
            elif uid not in self._pods:
                if pod.get("status", {}).get("phase") == "Pending":
                    try:
                        self._pods[uid] = await self._start(pod)
                    except NoKey as error:
                        await self._tell_why(pod, str(error))
            else:
                await self._tend(pod, self._pods[uid])

    async def _bind(self, pod: Object) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": NODE}
        binding = {"apiVersion": "v1", "kind": "Binding", "target": target}
        name = {"metadata": {"name": pod["metadata"]["name"]}}
        await self._api.ask("POST", f"{_path(pod)}/binding", {**binding, **name})

    async def _start(self, pod: Object, host: str | None = None) -> Running:
        if host is None:
            self._addresses += 1
            host = f"{self._network}.{self._addresses}"
        (container,) = pod["spec"]["containers"]
        program, *arguments = [*container["command"], *container.get("args", [])]
        child = Child(
            pod["metadata"]["name"],
            [shutil.which(program, path=PROGRAMS) or program, *arguments],
            log=self.logs / f"{pod['metadata']['name']}.log",
            env=await self._environment(pod, container, host),
            cwd=ROOT,
        )
        return Running(child, host)

    async def _environment(self, pod: Object, container: Object, host: str) -> dict[str, str]:
        namespace = pod["metadata"]["namespace"]
        found = {"PATH": PROGRAMS}
        assert "envFrom" not in container
        for entry in container.get("env", []):
            value = entry.get("value", "")
            if source := entry.get("valueFrom"):
                value = await self._from(namespace, **source)
            elif value in ("::", "0.0.0.0"):  # all addresses of the pod
                value = f"127.{host}"
            found[entry["name"]] = await self._led(namespace, value)
        return found

    async def _from(self, namespace: str, *, secretKeyRef: Object) -> str:  # noqa: N803 - its name
        name, key = secretKeyRef["name"], secretKeyRef["key"]
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        data = (await self._api.get(path)).get("data") or {}
        if key not in data:
            raise NoKey(f"couldn't find key {key} in Secret {namespace}/{name}")
        return base64.b64decode(data[key]).decode()

    async def _led(self, namespace: str, value: str) -> str:
        """With the address of a ready pod for `name:port` of a Service."""
        for found in SERVICE.finditer(value):
            slices = await self._api.get(
                f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices",
                labelSelector=f"kubernetes.io/service-name={found[1]}",
            )
            for one in slices["items"]:
                for endpoint in one["endpoints"] or ():
                    if endpoint["conditions"]["ready"]:
                        address = endpoint["addresses"][0].removeprefix("10.")
                        there = f"127.{address}:{one['ports'][0]['port']}"
                        value = value.replace(found[0], there)
        return value

    async def _tend(self, pod: Object, one: Running) -> None:
        code = one.child.returncode
        if code is None:
            await self._probe(pod, one)
        elif pod["spec"]["restartPolicy"] == "Always":
            again = await self._start(pod, one.host)
            again.restarts = one.restarts + 1
            self._pods[pod["metadata"]["uid"]] = one = again
        await self._tell(pod, one)

    async def _probe(self, pod: Object, one: Running) -> None:
        (container,) = pod["spec"]["containers"]
        probe = container.get("readinessProbe" if one.started else "startupProbe")
        if probe is None:
            one.started = one.ready = True
        elif time.monotonic() >= one.next_probe:
            passed = await self._passes(probe, container, one.host)
            one.failures = 0 if passed else one.failures + 1
            if one.started:
                one.ready = passed or (one.ready and one.failures < probe["failureThreshold"])
            # Readiness is asked for as soon as it has started.
            pause = probe["periodSeconds"] if one.started else 0
            one.started = one.started or passed
            one.next_probe = time.monotonic() + pause

    async def _passes(self, probe: Object, container: Object, host: str) -> bool:
        asked = probe["httpGet"]
        (port,) = [p["containerPort"] for p in container["ports"] if p["name"] == asked["port"]]
        try:
            answer = await self._probes.get(
                f"http://127.{host}:{port}{asked['path']}", timeout=probe["timeoutSeconds"]
            )
        except httpx.HTTPError:
            return False
        return answer.is_success

    async def _end(self, pod: Object) -> None:
        """Pause, signal, wait, kill: then the pod may go."""
        one = self._pods.get(pod["metadata"]["uid"])
        if one is not None and one.child.returncode is None:
            now = time.monotonic()
            (container,) = pod["spec"]["containers"]
            pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            if one.last_breath is None:
                one.last_breath = now + pause.get("seconds", 0)
                one.ready = False
                await self._tell(pod, one)
            elif now > one.last_breath + pod["metadata"]["deletionGracePeriodSeconds"]:
                one.child.kill()
            elif now > one.last_breath and not one.signalled:
                one.child.send(signal.SIGTERM)
                one.signalled = True
            return
        at_once = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        await self._api.ask("DELETE", _path(pod), at_once)

    async def _tell_why(self, pod: Object, message: str) -> None:
        """That its container waits; it is tried again at the next look."""
        (container,) = pod["spec"]["containers"]
        waiting = {"reason": "CreateContainerConfigError", "message": message}
        one = {"name": container["name"], "image": container["image"], "imageID": ""}
        status = one | {"ready": False, "restartCount": 0, "state": {"waiting": waiting}}
        if pod["status"].get("containerStatuses", [{}])[0].get("state") != status["state"]:
            change = {"status": {"phase": "Pending", "containerStatuses": [status]}}
            await self._api.patch(f"{_path(pod)}/status", change)

    async def _tell(self, pod: Object, one: Running) -> None:
        status = _status(pod, one)
        if status != one.told:
            await self._api.patch(f"{_path(pod)}/status", {"status": status})
            one.told = status


def _path(pod: Object) -> str:
    metadata = pod["metadata"]
    return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}"


def _status(pod: Object, one: Running) -> Object:
    """What a kubelet reports."""
    (container,) = pod["spec"]["containers"]
    code = one.child.returncode
    state: Object = {"running": {"startedAt": one.started_at}}
    phase = "Running"
    if code is not None:
        state = {"terminated": {"exitCode": code, "startedAt": one.started_at}}
        phase = "Failed" if code else "Succeeded"
    ready = one.ready and code is None
    true = {"PodScheduled": True, "Initialized": True, "ContainersReady": ready, "Ready": ready}
    return {
        "phase": phase,
        "startTime": one.started_at,
        "podIP": f"10.{one.host}",
        "podIPs": [{"ip": f"10.{one.host}"}],
        "conditions": [{"type": kind, "status": str(value)} for kind, value in true.items()],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": ready,
                "started": one.started,
                "restartCount": one.restarts,
                "state": state,
            }
        ],
    }
