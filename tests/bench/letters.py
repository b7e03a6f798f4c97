"""Letters: written beside the step that queues them, and handed over beside a bare loop.

A course's letters to read and its invitations, in equal parts. The bare writing has texts in which
only the link is missing: it signs that, puts it in, and lets Python's own `email` write the mail;
it knows neither facts nor languages. The bare loop hands over the same bytes, written beforehand,
through the same library on as many connections to the same server, which is a process of its own
and forgets them; ours is told what became of each, and it is measured with such bytes and with
letters that are written meanwhile, of documents.
`python -m tests.bench.letters PORT` is that server.
"""

import asyncio
import email
import itertools
import json
import re
import sys
import tempfile
import time
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session
from joserfc import jwt
from joserfc.jwk import OKPKey

from deploy.local.process import accepts, free_port, running
from services.chassis.http.links import generate_keys
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
    return _each(written, some)


@dataclass(frozen=True, slots=True)
class Ready:
    """A letter in which only the link is missing; `parts` are plain, HTML and maybe a calendar."""

    headers: Sequence[tuple[str, str]]
    parts: Sequence[tuple[str, str]]
    method: str | None
    claims: Mapping[str, object]


_LINK = re.compile(r"/links/([\w.-]+)")
_HERE = "/links/@"


def ready(letter: Letter) -> Ready:
    """What the bare writing begins with."""
    message = email.message_from_bytes(written(letter), policy=policy.default)
    parts = [part for part in message.walk() if not part.is_multipart()]
    texts = [str(part.get_payload(decode=True), "utf-8").replace("\r\n ", "") for part in parts]
    [first, *_] = [*_LINK.findall(texts[0]), ""]
    claims = json.loads(b64decode(first.split(".")[1] + "==", b"-_")) if first else {}
    headers = [(k, v) for k, v in message.items() if k not in ("MIME-Version", "Content-Type")]
    method = parts[2].get_param("method") if len(parts) > 2 else None
    missing = [
        (part.get_content_subtype(), _LINK.sub(_HERE, text))
        for part, text in zip(parts, texts, strict=True)
    ]
    return Ready(headers, missing, str(method) if method else None, claims)


def written_bare(letter: Ready) -> bytes:
    """A mail of ready texts, by the libraries."""
    token = jwt.encode({"alg": "Ed25519"}, dict(letter.claims), _KEY, algorithms=["Ed25519"])
    message = EmailMessage(policy=policy.SMTP)
    for name, value in letter.headers:
        message[name] = value
    (_, plain), *others = letter.parts
    message.set_content(plain.replace(_HERE, f"/links/{token}"))
    for subtype, text in others:
        params = {"method": letter.method} if letter.method and subtype == "calendar" else None
        message.add_alternative(
            text.replace(_HERE, f"/links/{token}"), subtype=subtype, params=params
        )
    return message.as_bytes()


_KEY = OKPKey.import_key(generate_keys()[0])


def writing_bare(some: Sequence[Letter]) -> float:
    """Microseconds of processor time to write one of these, from its ready texts."""
    return _each(written_bare, [ready(letter) for letter in some])


def _each(write: Callable[[Any], bytes], some: Sequence[Any]) -> float:
    begun = time.process_time()
    for one in some:
        write(one)
    return (time.process_time() - begun) / len(some) * 1e6


async def ours(port: int, some: Sequence[Letter]) -> Rates:
    """As notify does, batch by batch: each is written when it is handed over."""
    return await _handed_over(Sender(Smtp(HOST, port, "none"), HEAD, LINKS), some)


async def sent(port: int, some: Sequence[Letter]) -> Rates:
    """The same of letters that were written beforehand, as the bare loop has them."""
    by = _Ready(Smtp(HOST, port, "none"), HEAD, LINKS)
    by.ready = {letter.id: written(letter) for letter in some}
    return await _handed_over(by, some)


class _Ready(Sender):
    ready: Mapping[str, bytes]

    def _rendered(self, letter: Letter, *_: object) -> bytes:
        return self.ready[letter.id]


async def _handed_over(by: Sender, some: Sequence[Letter]) -> Rates:
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
