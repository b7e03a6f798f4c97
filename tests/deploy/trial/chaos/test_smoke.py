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
    assert outcome["kinds"] == len(KINDS)
    # How much is done in half a minute says something of the machine; that it is done, of us.
    assert outcome["faults_total"] >= len(KINDS)
    assert outcome["events"] > outcome["commands_accepted"] > 0
    assert outcome["letters"] > 0
