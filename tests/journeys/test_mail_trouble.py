"""A whole programme whose mail server refuses and dies, while what hands letters over is killed."""

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.local.mail import Mailbox
from deploy.trial.check import Evidence
from deploy.trial.check.findings import Report
from deploy.trial.check.wire import read_log
from deploy.trial.demo import run_demo
from tests.journeys.test_programme import planned

pytestmark = [pytest.mark.journey, pytest.mark.drill]


def digests(maildir: Path) -> list[str]:
    """What letters told coordinators."""
    found = (one.get_body(("plain",)) for one in Mailbox(maildir).held() if is_digest(one))
    return [body.get_content() for body in found if body is not None]


def is_digest(letter: EmailMessage) -> bool:
    return str(letter["X-Connecte-Letter"]).startswith("AttentionGathered:")


async def test_every_letter_is_there_once_or_is_on_the_coordinators_list(
    tmp_path: Path, kafka_if_real: str | None, read: list[Evidence]
) -> None:
    maildir = tmp_path / "mail"
    plan = replace(planned(tmp_path), kafka=kafka_if_real, maildir=maildir, mail_trouble=True)
    plan = replace(plan, kill_every=3.0, killed=("notify",))
    outcome = await run_demo(tmp_path, plan, lambda _: None)
    mail, evidence = outcome["mail"], read[-1]

    assert outcome["findings"] == {"lost": [], "doubled": [], "rebuilt": []}
    assert outcome["parked"] == 0
    assert outcome["kills"] > 0
    assert mail["answers"].keys() == {"", "250", "421", "450", "550"}

    log = read_log(evidence, Report())
    refused = mail["refused"]
    assert sorted(entry.key for entry in log.facts("LetterFailed")) == refused
    letters = evidence.databases["notify"]["letters"]  # what a coordinator can list, by state
    assert {row["_id"] for row in letters if row["state"] == "failed"} == set(refused)
    assert any("pas arrivée" in text for text in digests(maildir))

    queued = {entry.key for entry in log.facts("LetterQueued", "DigestQueued")}
    assert {f"{one.cohort}/{one.letter_id}" for one in evidence.mails} == queued - set(refused)
    assert mail["unexplained"] == []
    assert outcome["letters_redelivered"] == mail["again"] > 0
