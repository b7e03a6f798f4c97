"""What tracing costs a step: `python -m tests.bench.tracing`.

The work of [steps.py](steps.py), in a process of its own each time, with a collector beside it that
takes everything. Beside the rate there is the processor time of the service's process for each
message, which tells more where others work on the same machine; the least of the rounds counts.
"""

import asyncio
import json
import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from deploy.local.broker import embedded_broker
from deploy.local.mongodb import mongodb
from deploy.operating.topics import create_topics
from tests.bench import steps

ROUNDS = 3
EVENTS = 20_000
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
WAYS = {
    "off": (False, None),
    "on, messages of no trace": (True, None),
    "on, of traces that are not recorded": (True, "00"),
    "on, of traces that are all recorded": (True, "01"),
}
"""Whether there is a collector, and the flags of the trace that each message has."""


class Sink(BaseHTTPRequestHandler):
    """A collector that forgets what it is sent."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


async def one(flags: str) -> dict[str, float]:
    """Events a second, and microseconds of processor time for each."""

    def trace() -> str:
        return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flags}"

    used = 0.0

    def begun() -> None:
        nonlocal used
        used = time.process_time()

    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with embedded_broker(Path(directory)) as kafka, mongodb(Path(directory)) as db:
            connection = {"bootstrap_servers": kafka}
            await create_topics(connection, partitions=steps.PARTITIONS, replication=1)
            given = trace if flags else None
            rate = await steps.ours(kafka, db, EVENTS, trace=given, on_begun=begun)
    return {"rate": rate, "cpu": (time.process_time() - used) / EVENTS * 1e6}


def main() -> None:
    logging.disable(logging.WARNING)
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(asyncio.run(one(sys.argv[1].strip("-")))))
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), Sink) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        found: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
        for _ in range(ROUNDS):
            for name, (collector, flags) in WAYS.items():
                address = f"http://127.0.0.1:{server.server_port}" if collector else ""
                done = subprocess.run(
                    [sys.executable, "-m", "tests.bench.tracing", f"-{flags or ''}"],
                    env={**os.environ, ENDPOINT: address},
                    stdout=subprocess.PIPE,
                    check=True,
                    timeout=300,
                )
                found[name].append(json.loads(done.stdout))
        server.shutdown()
    least = {name: min(row["cpu"] for row in rows) for name, rows in found.items()}
    for name, rows in found.items():
        rate, cpu = max(row["rate"] for row in rows), least[name]
        times = cpu / least["off"]
        sys.stdout.write(f"{name}: {rate:,.0f} events/s, {cpu:.0f} µs, {times:.2f} times\n")


if __name__ == "__main__":
    main()
