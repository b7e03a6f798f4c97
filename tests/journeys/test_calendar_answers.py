"""Out by SMTP, back by LMTP: an invitation is answered by the programs that people have.

Real processes, a real database and broker. The answers have the shapes that Outlook, Thunderbird,
Apple and Google write, and are made from the very invitation that the mail server was handed.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from deploy.local.stack import Stack, Terms, running_stack
from deploy.trial.calendar_program import bounced, hand_over, invitation_of
from tests.conftest import eventually
from tests.journeys.test_tracing import MORNING, a_proposal
from tests.notify.replies import PROGRAMS, outlook, vacation

pytestmark = pytest.mark.journey

PAIR = "mo~ma"


class Invitation(NamedTuple):
    """What an invitation in the mailbox says."""

    mail: EmailMessage
    uid: str
    sequence: int
    starts: datetime
    status: str

    @property
    def to(self) -> str:
        return str(self.mail["Delivered-To"])


class Programme:
    """A pair whose invitations are in the mailbox, and the mail server that hands answers over."""

    def __init__(self, stack: Stack, client: httpx.AsyncClient) -> None:
        self.stack, self.client = stack, client

    def invitations(self, number: int, person: str) -> Sequence[Invitation]:
        """Those to a session that a person has, the newest last."""
        found = []
        for mail in self.stack.mailbox.held():
            calendar = invitation_of(mail)
            if calendar is None or mail["Delivered-To"] != f"{person}@people.example":
                continue
            event: Any = next(iter(calendar.walk("VEVENT")))
            if str(event["UID"]).startswith(f"pilot/{PAIR}~{number}@"):
                starts = event["DTSTART"].dt.replace(tzinfo=None)
                said = int(event["SEQUENCE"]), starts, str(event["STATUS"])
                found.append(Invitation(mail, str(event["UID"]), *said))
        return sorted(found, key=lambda one: one.sequence)

    async def invited(self, number: int, person: str, after: int = -1) -> Invitation:
        """The invitation to a session, newer than `after`."""

        async def newest() -> Invitation | None:
            found = [i for i in self.invitations(number, person) if i.sequence > after]
            return found[-1] if found else None

        found = await eventually(newest)
        assert found is not None
        return found

    async def answers(self, program: str, says: str, to: Invitation, **more: Any) -> int:
        """Press a button of a program; what the mail server that hands it over is told."""
        write = PROGRAMS[program]
        about = {"uid": to.uid, "by": to.to, "sequence": to.sequence, "starts": to.starts}
        return await self.bring(write(says, **about, **more), to.to)

    async def bring(self, mail: bytes, sender: str) -> int:
        port = self.stack.inbound
        assert port is not None
        return await asyncio.to_thread(hand_over, port, sender, mail, "connecte@programme.example")

    async def session(self, number: int) -> dict[str, Any]:
        """A session, as scheduling tells it over HTTP."""
        url = f"{self.stack.services['scheduling'].url}/cohorts/pilot/sessions?pair_id={PAIR}"
        items = (await self.client.get(url)).json()["items"]
        return next(item for item in items if item["number"] == number)

    async def until(self, number: int, **fields: Any) -> dict[str, Any]:
        """A session once its fields are these."""

        async def stands() -> dict[str, Any] | None:
            now = await self.session(number)
            return now if all(now[name] == value for name, value in fields.items()) else None

        found = await eventually(stands)
        assert found is not None
        return found


async def test_invitations_go_out_and_what_calendar_programs_answer_comes_true(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    terms = Terms(start=MORNING, partitions=1, kafka=kafka_if_real)
    async with running_stack(tmp_path, terms) as stack, httpx.AsyncClient(timeout=30) as client:
        here = Programme(stack, client)
        links = await a_proposal(stack, client)
        for path in links.values():
            url = stack.services["matching"].url + path
            assert (await client.post(url, data={"answer": "accept"})).status_code == 200
        await _confirmed(here)
        await _declined_and_countered(here)
        await _impossible(here)
        await _nothing_follows(here)
        await _came_back(here)


async def _confirmed(here: Programme) -> None:
    """Outlook and Thunderbird say yes; then both are invited once more, confirmed."""
    mine, theirs = await here.invited(1, "mo"), await here.invited(1, "ma")
    assert (mine.status, mine.sequence, mine.starts) == ("TENTATIVE", 0, theirs.starts)
    assert b"RSVP=TRUE" in _unfolded(mine.mail)
    assert await here.answers("outlook", "ACCEPTED", mine) == 250
    assert await here.answers("thunderbird", "ACCEPTED", theirs) == 250
    await here.until(1, state="confirmed")
    for person in ("mo", "ma"):
        again = await here.invited(1, person, after=0)
        assert (again.status, again.starts, again.uid) == ("CONFIRMED", mine.starts, mine.uid)


async def _declined_and_countered(here: Programme) -> None:
    """Google says no: another date comes; Outlook proposes another: the other side is asked."""
    was = await here.invited(2, "ma")
    assert await here.answers("google", "DECLINED", was) == 250
    session = await here.until(2, attempt=2)
    anew = await here.invited(2, "ma", after=was.sequence)
    assert session["state"] == "planned"
    assert await here.answers("apple", "ACCEPTED", was) == 250  # to the date from before
    assert await here.answers("apple", "ACCEPTED", await here.invited(2, "mo", was.sequence)) == 250
    assert (await here.until(2, confirmed_by=["mentor"]))["attempt"] == 2
    assert anew.uid == was.uid
    third = await here.invited(3, "mo")
    assert await here.answers("outlook", "DECLINED", third, method="COUNTER") == 250
    proposal = (await here.until(3, state="planned", confirmed_by=[]))["proposal"]

    async def proposed() -> Any:
        return (await here.session(3))["proposal"]

    proposal = await eventually(proposed)
    assert proposal["by"] == "mentor"

    async def asked() -> bool:
        letters = [str(mail["X-Connecte-Letter"]) for mail in here.stack.mailbox.held()]
        return any(
            one.startswith("SessionMoveProposed:") and one.endswith(":ma") for one in letters
        )

    await eventually(asked)


async def _impossible(here: Programme) -> None:
    """Outlook proposes a Saturday: the date stands, and its reader is told that nobody was asked.

    The mail comes twice, as mails do; the letter is one.
    """
    fourth = await here.invited(4, "mo")
    friday = fourth.starts + timedelta(days=4 - fourth.starts.weekday())
    before = await here.session(4)
    for _ in range(2):
        to = fourth._replace(starts=friday)  # Outlook's is the day after
        assert await here.answers("outlook", "DECLINED", to, method="COUNTER") == 250

    async def told() -> list[str]:
        letters = [str(mail["X-Connecte-Letter"]) for mail in here.stack.mailbox.held()]
        return [one for one in letters if one.startswith("SessionMoveRefused:")]

    [letter] = await eventually(told)
    assert letter.endswith(":mo")
    after = await here.session(4)
    stands = ("starts_at", "state", "confirmed_by", "proposal")
    assert [after[name] for name in stands] == [before[name] for name in stands]


async def _nothing_follows(here: Programme) -> None:
    """Perhaps, an automatic reply, a stranger, an unknown session."""
    fourth = await here.invited(4, "ma")
    before = await here.session(4)
    assert await here.answers("thunderbird", "TENTATIVE", fourth) == 250
    assert await here.bring(vacation(), fourth.to) == 250
    about: dict[str, Any] = {"uid": fourth.uid, "sequence": fourth.sequence}
    assert await here.bring(outlook(by="eve@people.example", **about), "eve@people.example") == 550
    assert await here.bring(outlook(by=fourth.to, uid="pilot/x~y@z"), fourth.to) == 550
    assert await here.session(4) == before


async def _came_back(here: Programme) -> None:
    """A mail server could not deliver it: the letter has failed, and is on the list."""
    letter = await here.invited(5, "ma")
    assert await here.bring(bounced(letter.mail), "") == 250
    url = f"{here.stack.services['notify'].url}/cohorts/pilot/letters?state=failed"

    async def listed() -> bool:
        items = (await here.client.get(url)).json()["items"]
        causes = {item["id"]: item["cause"] for item in items}
        return causes == {str(letter.mail["X-Connecte-Letter"]): "bounced 5.2.2"}

    await eventually(listed)


def _unfolded(mail: EmailMessage) -> bytes:
    for part in mail.walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content.replace(b"\r\n ", b"")
    return b""
