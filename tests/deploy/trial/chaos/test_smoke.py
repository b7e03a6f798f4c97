"""Half a minute of chaos on a real Kafka and a replica set: all of it, in small."""

from pathlib import Path

import pytest

from deploy.trial.chaos.run import ChaosTerms, run_chaos

pytestmark = [pytest.mark.kafka, pytest.mark.journey]

KINDS = ("kill-service", "cut-kafka", "step-down", "duplicate", "poison", "mail-busy")


async def test_half_a_minute_of_faults_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    outcome = await run_chaos(tmp_path, ChaosTerms(5, 0.5, KINDS), lambda _: None)
    assert [text for texts in outcome["findings"].values() for text in texts] == []
    assert outcome["clean"]
    assert outcome["rebuilt_equal"]
    assert outcome["faults_total"] >= 8
    assert outcome["kinds"] == len(KINDS)
    assert outcome["events"] > 1000
    assert outcome["commands_accepted"] > 500
    assert outcome["letters"] > 100
