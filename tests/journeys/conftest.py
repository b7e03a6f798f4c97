"""What journeys share."""

from typing import Any

import pytest

from deploy.trial import demo
from deploy.trial.check import Evidence


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Evidence]:
    """Receives what the run's check has read."""
    found: list[Evidence] = []

    async def overheard(*arguments: Any, **options: Any) -> Evidence:
        found.append(await demo_reads(*arguments, **options))
        return found[-1]

    demo_reads = demo.read_evidence
    monkeypatch.setattr(demo, "read_evidence", overheard)
    return found
