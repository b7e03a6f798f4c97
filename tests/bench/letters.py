"""Letters: written beside the step that queues them, and handed over beside a bare loop.

A course's letters to read and its invitations, in equal parts. The bare loop hands over the same
bytes, written beforehand, through the same library on as many connections to the same server, which
is a process of its own and forgets them; ours also writes them, of documents, and tells what became
of each. `python -m tests.bench.letters PORT` is that server.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.process import accepts, free_port, running
from services.notify.rendering import render
from services.notify.sender import Sender, Smtp
from services.notify.views import Letter
from tests.notify.facts import (
    ALEX,
    ATTENDANCE,
    CAMILLE,
    FORMED,
    HEAD,
    LINKS,
    PLANNED,
    PROPOSED,
    RESCHEDULED,
    VOLUNTEERED,
    cohort,
    letters_for,
    others_of,
    person,
)
from tests.scenario import NOW

HOST = "127.0.0.1"
TOLD = (VOLUNTEERED, PROPOSED, FORMED, PLANNED, ATTENDANCE, RESCHEDULED)
OF_A_DATE = 2
"""A session's date is a letter to each side."""
BATCH = 100
"""So many letters at most are found due at once."""
PEOPLE = {one.id: one for one in (person(CAMILLE), person(ALEX))}
KNOWN = {one.key: one for one in PEOPLE.values()}
ITS = cohort()
COHORTS = {ITS.key: ITS}


@dataclass(frozen=True, slots=True)
class Rates:
    """Letters a second, and microseconds of the process's processor time for each."""

    letters: float
    microseconds: float


def letters(count: int) -> list[Letter]:
    """So many, of each kind alike, each with an id of its own."""
    kinds = [letter for fact in TOLD for letter in letters_for(fact)]
    chosen = itertools.islice(itertools.cycle(kinds), count)
    return [one.model_copy(update={"id": f"{one.id}:{n}"}) for n, one in enumerate(chosen)]


def written(letter: Letter) -> bytes:
    """As it is handed over."""
    reader = PEOPLE[letter.person_id]
    others = others_of(letter, *PEOPLE.values())
    return render(letter, reader, others, LINKS, ITS, HEAD, NOW).as_bytes()


def writing(some: Sequence[Letter]) -> float:
    """Microseconds of processor time to write one of these."""
    for letter in some[:BATCH]:
        written(letter)  # templates are compiled once
    begun = time.process_time()
    for letter in some:
        written(letter)
    return (time.process_time() - begun) / len(some) * 1e6


async def ours(port: int, some: Sequence[Letter]) -> Rates:
    """As notify does, batch by batch."""
    by = Sender(Smtp(HOST, port, "none"), HEAD, LINKS)
    leaving = asyncio.Event()
    await by.perform(some[:BATCH], KNOWN, COHORTS, NOW, leaving)
    begun, used = time.perf_counter(), time.process_time()
    for at in range(0, len(some), BATCH):
        became = await by.perform(some[at : at + BATCH], KNOWN, COHORTS, NOW, leaving)
        assert all(one.outcome == "sent" for one in became)
    rates = _rates(len(some), begun, used)
    await by.close()
    return rates


async def bare(port: int, some: Sequence[Letter]) -> Rates:
    """A loop on each connection, over what was written beforehand."""
    connections = range(Smtp(HOST, port, "none").connections)
    clients = [aiosmtplib.SMTP(hostname=HOST, port=port) for _ in connections]
    ready = [(written(letter), PEOPLE[letter.person_id].email) for letter in some]
    for client in clients:
        await client.connect()
    waiting = iter(ready)

    async def work(client: aiosmtplib.SMTP) -> None:
        for message, to in waiting:
            await client.sendmail(HEAD.address, [to], message)

    begun, used = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(work, clients))
    rates = _rates(len(ready), begun, used)
    for client in clients:
        await client.quit()
    return rates


def _rates(count: int, begun: float, used: float) -> Rates:
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    return Rates(count / seconds, processor / count * 1e6)


# --- the server -----------------------------------------------------------------------------------


@asynccontextmanager
async def server() -> AsyncIterator[int]:
    """One that takes everything, for as long as the block lasts; its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        command = (sys.executable, "-m", "tests.bench.letters", str(port))
        async with running("mail server", command, log=Path(directory) / "mail.log") as child:
            await child.ready(lambda: accepts(port), 60)
            yield port


class _Forgetful:
    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        return "250 2.0.0 OK"


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: SMTP(_Forgetful(), hostname="localhost", loop=loop), HOST, port
    )
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
