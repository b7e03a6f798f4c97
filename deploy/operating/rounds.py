"""A round that is run, or only shown, through HTTP."""

import asyncio
import time
from typing import Any

from deploy.errors import BadInput, OperationFailed
from deploy.operating.platform import PATIENCE, Platform
from schemas.matching import RunRound


async def run_round(platform: Platform, command: RunRound) -> dict[str, Any]:
    """Run a round and wait for it: `{round, pairs}`. One that has run already is only shown."""
    outcome = await platform.send("matching", command)
    if outcome.rule is not None:
        error = BadInput if outcome.unknown else OperationFailed
        raise error(outcome.detail)
    cohort, round_id = f"/cohorts/{command.cohort_id}", command.round_id
    wanted = ("completed",) if command.mode == "publish" else ("completed", "simulated")
    deadline = time.monotonic() + PATIENCE
    while True:
        rounds = await platform.listing("matching", f"{cohort}/rounds")
        done = next((r for r in rounds if r["id"] == round_id and r["state"] in wanted), None)
        if done is not None:
            break
        if time.monotonic() > deadline:
            raise OperationFailed("the round was sent, and has not ended in time; ask again later")
        await asyncio.sleep(0.5)
    if done["state"] == "simulated":
        parts = await platform.listing("matching", f"{cohort}/simulations", round_id=round_id)
        pairs = [{**pair, "state": "simulated"} for part in parts for pair in part["pairs"]]
    else:
        pairs = await platform.listing("matching", f"{cohort}/pairs", round_id=round_id)
    return {"round": done, "pairs": sorted(pairs, key=lambda pair: -pair["score"])}
