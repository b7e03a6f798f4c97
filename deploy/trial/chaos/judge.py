"""The verdict on a run: the independent check of what it left behind, and rebuilds from the log.

Each look is a process of its own (`python -m deploy.trial.chaos.judge JOB DIRECTORY`): the run's
process carries the network between the databases, and must not stop doing so to think.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from deploy.local.mail import Mailbox
from deploy.local.process import Child
from deploy.local.stack import SERVICES
from deploy.operating.reach import Access
from deploy.operating.rebuilding import rebuild_service
from deploy.trial.chaos.faults.poison import COMMANDS, MARK
from deploy.trial.chaos.ledger import Ledger
from deploy.trial.chaos.stage import Stage
from deploy.trial.check import Evidence, check, read_evidence, read_markers, read_taken_back
from schemas.topics import Service

MOST_SHOWN = 100
AT_ONCE = 2
TRIES = 3  # members may elect another primary meanwhile, which a rebuild does not outlive
JOB_SECONDS = 400.0
CASE = "case.json"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`checked` are the check's findings as a document; `rebuilt` are documents that differ."""

    checked: dict[str, Any]
    rebuilt: list[str]
    poison_read: int

    @property
    def clean(self) -> bool:
        return not (self.checked["lost"] or self.checked["doubled"] or self.rebuilt)

    def documents(self) -> dict[str, list[str]]:
        """The findings, as far as anybody can read them."""
        return {
            "lost": self.checked["lost"][:MOST_SHOWN],
            "doubled": self.checked["doubled"][:MOST_SHOWN],
            "rebuilt": self.rebuilt[:MOST_SHOWN],
        }


async def judge(stage: Stage, ledger: Ledger, say: Callable[[str], None]) -> Judgement:
    """Judge a run whose services have been stopped. `say` is told what is being looked at."""
    case = {
        "kafka": stage.cluster.bootstrap,
        "mongodb": stage.mongodb,
        "partitions": stage.terms.partitions,
        "redelivered": stage.mailbox.redelivered,
        "accepted": sorted(ledger.accepted),
        "aborted": sorted(ledger.aborted),
        "replicas": [str(folder) for folder in stage.cluster.data],
    }
    (stage.directory / CASE).write_text(json.dumps(case))
    turns = asyncio.Semaphore(AT_ONCE)

    async def found(job: str) -> Any:
        async with turns:
            say(f"checking: {job}")
            return await _looked_at(job, stage.directory)

    checked, *rebuilt = await asyncio.gather(*(found(job) for job in ("log", *SERVICES)))
    differences = [
        f"{service}: {name}"
        for service, names in zip(SERVICES, rebuilt, strict=True)
        for name in names
    ]
    return Judgement(checked["findings"], differences, checked["poison_read"])


async def _looked_at(job: str, directory: Path) -> Any:
    """Have one look, in a process of its own."""
    for left in reversed(range(TRIES)):
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "deploy.trial.chaos.judge",
            job,
            directory,
        ]
        child = Child(f"judge of {job}", command, log=directory / f"judge-{job}.log")
        async with asyncio.timeout(JOB_SECONDS):
            try:
                code = await child.wait()
            finally:
                child.kill()
        if code == 0:
            return json.loads((directory / f"verdict-{job}.json").read_text())
        if not left:
            raise RuntimeError(f"{job} could not be judged:\n{child.tail()}")
    raise AssertionError("it has returned or raised")


# --- in the process of a look -------------------------------------------------------------------


async def look(job: str, directory: Path) -> None:
    """Look at the log and all that it accounts for, or at one service's rebuild; write it down."""
    case: dict[str, Any] = json.loads((directory / CASE).read_text())
    found = await _checked(case, directory) if job == "log" else await _rebuilt(case, job)
    (directory / f"verdict-{job}.json").write_text(json.dumps(found))


async def _checked(case: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    evidence = await read_evidence(
        {"bootstrap_servers": case["kafka"].split(",")},
        case["mongodb"],
        Mailbox(directory / "mail").held,
        case["partitions"],
        redelivered_letters=case["redelivered"],
    )
    poison = _poison(evidence)
    accepted, aborted = (frozenset(case[name]) for name in ("accepted", "aborted"))
    told = replace(evidence, accepted=accepted, aborted=aborted, poison=poison)
    if aborted:
        connection = {"bootstrap_servers": case["kafka"].split(",")}
        lie = await read_taken_back(connection, case["partitions"], COMMANDS, aborted)
        markers = read_markers([Path(folder) for folder in case["replicas"]])
        told = replace(told, void=lie | markers)
    return {"findings": asdict(check(told)), "poison_read": len(poison)}


def _poison(evidence: Evidence) -> frozenset[str]:
    """Known by its mark: of what was sent again after an error, nobody was told the offset."""
    return frozenset(
        record.origin
        for record in evidence.records
        if any(name == MARK for name, _ in record.headers)
    )


async def _rebuilt(case: Mapping[str, Any], job: str) -> list[str]:
    """Fold a service's database again from its journal; the documents that differ."""
    access = Access.model_validate(
        {
            "KAFKA_BOOTSTRAP_SERVERS": case["kafka"],
            "CONNECTE_PARTITIONS": case["partitions"],
            "MONGODB_URI": case["mongodb"],
        }
    )
    service: Service = next(name for name in SERVICES if name == job)
    rebuilt = await rebuild_service(access, service, verify=True, advance=lambda _: None)
    return list(rebuilt.differences or ())


if __name__ == "__main__":
    asyncio.run(look(sys.argv[1], Path(sys.argv[2])))
