"""The embedded run's parts do what their modules promise, on the real programs."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.local.broker import embedded_broker
from deploy.local.kafka import apache_kafka
from deploy.local.mail import TAKEN, Mailbox, Verdict
from deploy.local.mongodb import mongod, mongodb
from deploy.local.process import Child, PartError, accepts, free_ports, running
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[3]


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"  # dead, and only not yet buried


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


FOREVER = python("import time; time.sleep(3600)")
STUBBORN = python(
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('deaf', flush=True); time.sleep(3600)"
)


# Child processes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of the dead")
async def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    starts_one = (
        "import sys, time; from pathlib import Path; from deploy.local.process import Child;"
        f"print(Child('sleeper', {FOREVER!r}, log=Path(sys.argv[1])).pid, flush=True);"
        "time.sleep(3600)"
    )
    parent = subprocess.Popen(
        [*python(starts_one), str(tmp_path / "log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        child = int(await asyncio.to_thread(parent.stdout.readline))
        # Once it is the sleeper, and not the tether on its way there.
        await eventually(lambda: b"sleep(3600)" in Path(f"/proc/{child}/cmdline").read_bytes())
        assert is_running(child)
        os.kill(parent.pid, signal.SIGKILL)
        await eventually(lambda: not is_running(child))


async def test_a_child_that_ignores_the_request_to_stop_is_killed_after_the_grace(
    tmp_path: Path,
) -> None:
    child = Child("stubborn", STUBBORN, log=tmp_path / "log")
    await eventually(lambda: "deaf" in child.tail())
    assert await child.stop(grace=0.1) == -signal.SIGKILL
    assert not is_running(child.pid)


async def test_a_child_has_ended_when_its_block_is_left_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running("sleeper", FOREVER, log=tmp_path / "log") as child:
            raise ZeroDivisionError
    assert child.returncode is not None


async def test_a_child_that_dies_before_it_is_ready_is_reported_with_the_end_of_its_log(
    tmp_path: Path,
) -> None:
    child = Child("fragile", python("print('the disk is full'); exit(3)"), log=tmp_path / "log")

    async def never() -> bool:
        return False

    with pytest.raises(PartError, match=r"fragile ended with 3 before(?s:.*)the disk is full"):
        await child.ready(never, within=PATIENCE)


async def test_a_child_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    child = Child("slow", FOREVER, log=tmp_path / "log")

    async def never() -> bool:
        return False

    with pytest.raises(PartError, match=r"slow was not ready within 0\.1 s"):
        await child.ready(never, within=0.1)
    assert child.returncode == -signal.SIGKILL


def test_a_missing_program_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"^no-such-program is needed here[^\n]*$"):
        Child("x", ["no-such-program"], log=tmp_path / "log")


def test_a_child_is_not_started_from_a_thread_that_it_would_die_with(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def start() -> None:
        try:
            Child("sleeper", FOREVER, log=tmp_path / "log")
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(caught) == 1


def test_free_ports_are_different_from_each_other() -> None:
    assert len(set(free_ports(50))) == 50


# Brokers


async def create_topic(bootstrap: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, partitions, replication_factor=1)])
        assert [error for _, error, _ in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def sent_and_read_back(
    bootstrap: str, values: list[bytes], *, idempotent: bool
) -> list[bytes]:
    await create_topic(bootstrap, "letters", partitions=1)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=idempotent
    )
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait("letters", value)
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        "letters",
        bootstrap_servers=bootstrap,
        group_id="readers",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(PATIENCE):
            return [(await consumer.getone()).value for _ in values]
    finally:
        await consumer.stop()


async def test_the_embedded_broker_gives_back_what_was_sent_in_order(tmp_path: Path) -> None:
    values = [b"%d" % i for i in range(100)]
    async with embedded_broker(tmp_path) as bootstrap:
        assert await sent_and_read_back(bootstrap, values, idempotent=False) == values


async def test_the_embedded_broker_is_gone_after_its_block(tmp_path: Path) -> None:
    async with embedded_broker(tmp_path) as bootstrap:
        port = int(bootstrap.rpartition(":")[2])
        assert await accepts(port)
    assert not await accepts(port)


@pytest.mark.kafka
async def test_a_real_kafka_takes_an_idempotent_producer_and_outlives_a_killed_node(
    tmp_path: Path,
) -> None:
    values = [b"%d" % i for i in range(100)]
    async with apache_kafka(tmp_path) as kafka:
        assert await sent_and_read_back(kafka.bootstrap, values, idempotent=True) == values
        kafka.nodes[0].kill()
        await kafka.restart(0)
        consumer = AIOKafkaConsumer(
            "letters", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            async with asyncio.timeout(PATIENCE):
                assert [(await consumer.getone()).value for _ in values] == values
        finally:
            await consumer.stop()


# The database


async def test_a_transaction_takes_effect_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)
    async with mongodb(tmp_path) as uri:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
        try:
            pairs, places = client.test.pairs, client.test.places
            async with await client.start_session() as session, session.start_transaction():
                await pairs.insert_one({"_id": 1}, session=session)
                await places.insert_one({"_id": 1}, session=session)
            with pytest.raises(ZeroDivisionError):
                async with await client.start_session() as session, session.start_transaction():
                    await pairs.insert_one({"_id": 2}, session=session)
                    raise ZeroDivisionError
            assert await pairs.distinct("_id") == [1]
            assert await places.distinct("_id") == [1]
        finally:
            client.close()


async def test_a_killed_mongod_comes_back_with_what_it_had_acknowledged(tmp_path: Path) -> None:
    async with mongod(tmp_path) as server:
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(
            server.uri, w="majority", journal=True
        )
        try:
            await client.test.pairs.insert_one({"_id": 1})
            server.child.kill()
            await server.child.wait()
            await server.start()
            assert await client.test.pairs.distinct("_id") == [1]
        finally:
            client.close()


async def test_a_given_mongodb_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://elsewhere/?replicaSet=theirs")
    async with mongodb(tmp_path) as uri:
        assert uri == "mongodb://elsewhere/?replicaSet=theirs"
    assert not list(tmp_path.iterdir())


# The mailbox


@pytest.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[Mailbox]:
    async with Mailbox(tmp_path) as mailbox:
        yield mailbox


def letter(message_id: str, text: str = "Bonjour", to: str = "ada@example.org") -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = message_id
    message["From"] = "programme@example.org"
    message["To"] = to
    message["Subject"] = "Séance"
    message.set_content(text)
    return message


async def send(mailbox: Mailbox, message: EmailMessage, timeout: float = PATIENCE) -> None:
    await aiosmtplib.send(message, hostname=mailbox.host, port=mailbox.port, timeout=timeout)


async def test_of_two_deliveries_with_one_message_id_the_mailbox_keeps_the_first(
    mailbox: Mailbox,
) -> None:
    await send(mailbox, letter("<1@here>", "first"))
    await send(mailbox, letter("<1@here>", "second"))
    assert (mailbox.count, mailbox.redelivered) == (1, 1)
    assert [message.get_content().strip() for message in mailbox.held()] == ["first"]


async def test_a_message_id_is_known_again_to_the_mailbox_that_comes_back(tmp_path: Path) -> None:
    async with Mailbox(tmp_path) as before:
        await send(before, letter("<1@here>"))
    async with Mailbox(tmp_path, port=before.port) as after:
        await send(after, letter("<1@here>"))
        assert (after.count, after.redelivered) == (1, 1)


async def test_each_recipient_of_a_letter_has_it_once(mailbox: Mailbox) -> None:
    both = letter("<1@here>", to="ada@example.org, alan@example.org")
    await send(mailbox, both)
    await send(mailbox, letter("<1@here>", to="alan@example.org"))
    delivered = sorted(message["Delivered-To"] for message in mailbox.held())
    assert delivered == ["ada@example.org", "alan@example.org"]
    assert mailbox.redelivered == 1


async def test_a_refused_recipient_gets_nothing_until_it_is_refused_no_more(
    mailbox: Mailbox,
) -> None:
    mailbox.refuse = lambda address: "451 4.2.1 busy" if address.startswith("ada@") else None
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await send(mailbox, letter("<1@here>"))
    assert [error.code for error in refused.value.recipients] == [451]
    assert mailbox.count == 0
    mailbox.refuse = None
    await send(mailbox, letter("<1@here>"))
    assert (mailbox.count, mailbox.redelivered) == (1, 0)


async def test_a_letter_that_came_whole_can_be_refused_or_left_without_an_answer_kept_or_not(
    mailbox: Mailbox,
) -> None:
    verdicts = {
        "<1@here>": Verdict(False, "450 4.2.1 busy"),
        "<2@here>": Verdict(True, None),
        "<3@here>": Verdict(False, None),
    }
    mailbox.judge = lambda headers, _: verdicts.get(headers["Message-ID"], TAKEN)
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(mailbox, letter("<1@here>"))
    assert refused.value.code == 450
    for unanswered in ("<2@here>", "<3@here>"):
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await send(mailbox, letter(unanswered))
    await send(mailbox, letter("<4@here>"))
    assert [message["Message-ID"] for message in mailbox.held()] == ["<2@here>", "<4@here>"]


async def test_a_server_that_closes_says_so_and_ends_the_connection(mailbox: Mailbox) -> None:
    mailbox.refuse = lambda _: "421 4.3.2 closing"
    reader, writer = await asyncio.open_connection(mailbox.host, mailbox.port)
    for command in ("HELO here", "MAIL FROM:<us@here>", "RCPT TO:<ada@example.org>"):
        await reader.readline()
        writer.write(f"{command}\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        assert (await reader.read()).endswith(b"421 4.3.2 closing\r\n")
    writer.close()


async def test_a_stopped_mailbox_cuts_off_everybody_and_goes_on_where_it_was(
    mailbox: Mailbox,
) -> None:
    letters = mailbox.letters()
    reader, writer = await asyncio.open_connection(mailbox.host, mailbox.port)
    await reader.readline()
    await mailbox.stop()
    async with asyncio.timeout(PATIENCE):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(mailbox, letter("<1@here>"))
    await mailbox.start()
    await send(mailbox, letter("<1@here>"))
    async with asyncio.timeout(PATIENCE):
        assert (await anext(letters))["Message-ID"] == "<1@here>"


async def test_a_mailbox_that_hangs_answers_nobody_until_it_is_healed(mailbox: Mailbox) -> None:
    mailbox.hang()
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await send(mailbox, letter("<1@here>"), timeout=0.3)
    waiting = asyncio.ensure_future(send(mailbox, letter("<2@here>")))
    done, _ = await asyncio.wait([waiting], timeout=0.3)
    assert not done
    mailbox.heal()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert [message["Message-ID"] for message in mailbox.held()] == ["<2@here>"]


async def test_a_letter_that_its_sender_gave_up_on_a_hanging_mailbox_still_arrives_once(
    mailbox: Mailbox,
) -> None:
    reader, writer = await asyncio.open_connection(mailbox.host, mailbox.port)
    await reader.readline()
    for command in ("HELO here", "MAIL FROM:<us@here>", "RCPT TO:<ada@example.org>", "DATA"):
        writer.write(f"{command}\r\n".encode())
        await reader.readline()
    mailbox.hang()
    writer.write(letter("<1@here>").as_bytes().replace(b"\n", b"\r\n") + b"\r\n.\r\n")
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.1)
    assert mailbox.count == 0
    mailbox.heal()
    await eventually(lambda: mailbox.count == 1)
    await send(mailbox, letter("<1@here>"))
    assert (mailbox.count, mailbox.redelivered) == (1, 1)


async def test_every_reader_gets_every_letter_that_arrives_after_it_asked(
    mailbox: Mailbox,
) -> None:
    await send(mailbox, letter("<0@here>"))
    one, other = mailbox.letters(), mailbox.letters()
    await send(mailbox, letter("<1@here>"))
    assert (await anext(one))["Message-ID"] == "<1@here>"
    waiting = asyncio.ensure_future(anext(one))
    await send(mailbox, letter("<2@here>"))
    async with asyncio.timeout(PATIENCE):
        assert (await waiting)["Message-ID"] == "<2@here>"
        assert [(await anext(other))["Message-ID"] for _ in "12"] == ["<1@here>", "<2@here>"]


async def test_readers_end_when_the_mailbox_closes_even_on_clients_that_stay(
    tmp_path: Path,
) -> None:
    async with asyncio.timeout(PATIENCE):
        async with Mailbox(tmp_path) as mailbox:
            _, writer = await asyncio.open_connection(mailbox.host, mailbox.port)
            letters = mailbox.letters()
            waiting = asyncio.ensure_future(anext(letters, None))
            await asyncio.sleep(0)
        assert await waiting is None
    writer.close()
