"""What becomes of a letter that the portal writes itself is counted, and never by whose it is."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage

import aiosmtplib
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from services.chassis.store.contract import NoAnswer
from services.portal.web.mailing import AWAY, OUTCOMES, REFUSED, TAKEN, UNWRITTEN, Mailing
from tests.portal.stories import LISE


async def letter() -> tuple[str, str, str]:
    return LISE, "Votre lien", "Bonjour"


async def unwritten() -> tuple[str, str, str]:
    raise NoAnswer("no") from TimeoutError()


def failing(error: Exception | None) -> Callable[[EmailMessage], Awaitable[None]]:
    async def send(_: EmailMessage) -> None:
        if error is not None:
            raise error

    return send


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, TAKEN),
        (
            aiosmtplib.SMTPRecipientsRefused([aiosmtplib.SMTPRecipientRefused(550, "no", LISE)]),
            REFUSED,
        ),
        (aiosmtplib.SMTPAuthenticationError(535, "no"), REFUSED),
        (aiosmtplib.SMTPConnectError("away"), AWAY),
        (aiosmtplib.SMTPServerDisconnected("gone"), AWAY),
        (aiosmtplib.SMTPTimeoutError("hangs"), AWAY),
        (ConnectionRefusedError(), AWAY),
    ],
)
async def test_what_becomes_of_a_letter_is_counted(error: Exception | None, outcome: str) -> None:
    mailing = Mailing("connecte@ministere.example", failing(error))
    mailing.later(letter())
    await mailing.settle()
    assert counts(mailing) == {**dict.fromkeys(OUTCOMES, 0.0), outcome: 1.0}


async def test_a_letter_that_could_not_be_written_is_counted_too() -> None:
    mailing = Mailing("connecte@ministere.example", failing(None))
    mailing.later(unwritten())
    await mailing.settle()
    assert counts(mailing)[UNWRITTEN] == 1.0


def counts(mailing: Mailing) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(mailing.counted)
    assert LISE not in generate_latest(registry).decode()
    (family,) = registry.collect()
    return {
        one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")
    }
