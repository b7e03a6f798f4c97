"""The four services as processes, for tests that ask them anything."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.local.stack import SERVICES, Terms, running_stack
from schemas.topics import Service
from services.chassis.http.links import LinkSigner, generate_keys
from tests.conftest import in_its_own_loop

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))
"""Not a test of how fast this machine is today."""


@dataclass(frozen=True)
class Platform:
    """Where the services are, who can sign links for them, and what they have logged."""

    urls: dict[str, str]
    signer: LinkSigner
    directory: Path

    def log(self, service: str) -> str:
        return (self.directory / f"{service}.log").read_text()


@contextmanager
def running_platform(
    directory: Path, settings: Mapping[str, str], services: tuple[Service, ...] = SERVICES
) -> Iterator[Platform]:
    """These services with these settings, and a key of their own for links."""
    private, public = generate_keys()
    keys = {"CONNECTE_LINK_SIGNING_KEY": private, "CONNECTE_LINK_VERIFY_KEY": public}
    terms = Terms(settings={**keys, **settings}, services=services)
    with in_its_own_loop(running_stack(directory, terms)) as stack:
        urls = {name: service.url for name, service in stack.services.items()}
        yield Platform(urls, LinkSigner(private), directory)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Of one file: left running, four services keep a part of a processor from all that follows."""
    with running_platform(tmp_path_factory.mktemp("platform"), {}) as running:
        yield running
