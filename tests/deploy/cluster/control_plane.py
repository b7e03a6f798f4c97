"""A Kubernetes without nodes: etcd, the API server, and the controllers that the chart needs.

All of it is Kubernetes' own, with RBAC, admission and pod security as they are by default. Nobody
runs pods here: see `kubelet`. Everything listens on the loopback and ends with the block.
"""

import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.local.process import free_ports, running
from tests.deploy.cluster.api import Api, api
from tests.deploy.cluster.programs import Programs

READY_SECONDS = 180.0
CONTROLLERS = (
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "ttl-after-finished-controller",
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach the API server; `kubeconfig` is an administrator's."""

    url: str
    token: str
    authority: Path
    kubeconfig: Path
    programs: Programs

    @asynccontextmanager
    async def api(self) -> AsyncIterator[Api]:
        trusted = ssl.create_default_context(cafile=str(self.authority))
        async with api(self.url, self.token, trusted) as client:
            yield client


@asynccontextmanager
async def cluster(directory: Path, programs: Programs) -> AsyncIterator[Cluster]:
    """Yields it once it is whole; data and logs are in `directory`."""
    etcd_port, peer_port, port, metrics_port = free_ports(4)
    store = f"http://127.0.0.1:{etcd_port}"
    made = _credentials(directory, f"https://127.0.0.1:{port}", programs)
    etcd = _flags(
        {
            "data-dir": directory / "etcd",
            "listen-client-urls": store,
            "advertise-client-urls": store,
            "listen-peer-urls": f"http://127.0.0.1:{peer_port}",
            # What is lost with the machine is not missed.
            "unsafe-no-fsync": "true",
        }
    )
    server = _flags(
        {
            "etcd-servers": store,
            "bind-address": "127.0.0.1",
            "secure-port": port,
            "tls-cert-file": directory / "server.pem",
            "tls-private-key-file": directory / "server.pem",
            "token-auth-file": directory / "tokens.csv",
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-signing-key-file": directory / "accounts.key",
            "service-account-key-file": directory / "accounts.key",
            "service-cluster-ip-range": "10.0.0.0/16",
            "endpoint-reconciler-type": "none",
        }
    )
    controllers = _flags(
        {
            "kubeconfig": made.kubeconfig,
            "bind-address": "127.0.0.1",
            "secure-port": metrics_port,
            "cert-dir": directory / "controllers",
            "leader-elect": "false",
            "controllers": ",".join(CONTROLLERS),
            "root-ca-file": made.authority,
        }
    )
    async with AsyncExitStack() as stack:

        async def start(name: str, command: list[str | Path], ready: str) -> None:
            log = directory / f"{name}.log"
            child = await stack.enter_async_context(running(name, command, log=log))
            await child.ready(lambda: _answers(ready, made), READY_SECONDS)

        await start("etcd", [programs.etcd, *etcd], f"{store}/health")
        await start("api-server", [programs.api_server, *server], f"{made.url}/readyz")
        address = f"https://127.0.0.1:{metrics_port}/healthz"
        await start("controllers", [programs.controller_manager, *controllers], address)
        yield made


def _flags(given: dict[str, object]) -> list[str | Path]:
    return [f"--{name}={value}" for name, value in given.items()]


async def _answers(url: str, made: Cluster) -> bool:
    # The controllers have a certificate of their own making, and only health is asked for here.
    own = url.startswith(made.url)
    trusted = ssl.create_default_context(cafile=str(made.authority)) if own else False
    headers = {"authorization": f"Bearer {made.token}"} if own else {}
    try:
        async with httpx.AsyncClient(verify=trusted, headers=headers, timeout=5) as client:
            return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False


def _credentials(directory: Path, url: str, programs: Programs) -> Cluster:
    """Certificates, the key that signs the tokens of service accounts, and an administrator."""
    directory.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        str(directory / "server.pem")
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (directory / "accounts.key").write_bytes(key)
    token = secrets.token_hex(16)
    (directory / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "here",
                "cluster": {
                    "server": url,
                    "certificate-authority": str(directory / "authority.pem"),
                },
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "admin"}}],
        "current-context": "here",
    }
    (directory / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    return Cluster(url, token, directory / "authority.pem", directory / "kubeconfig", programs)
