"""The examples that print `SessionCompleted` print each once, and what they are asked for."""

import json
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.examples.conftest import HELD, LONGEST, Example, Rehearsed, environment, python
from tests.examples.tools import ROOT


def test_every_completed_session_is_printed_once(printing: Example, rehearsed: Rehearsed) -> None:
    ended = printing.run(rehearsed.kafka, "--until-caught-up")
    assert ended.stdout.splitlines() == list(HELD), ended.stderr
    assert ended.returncode == 0


def test_from_a_date_only_what_came_later_is_printed(
    printing: Example, rehearsed: Rehearsed
) -> None:
    date = rehearsed.between.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    ended = printing.run(rehearsed.kafka, "--from", date, "--max-events", "2")
    assert ended.stdout.splitlines() == list(HELD[2:]), ended.stderr
    assert ended.returncode == 0


def test_a_gap_is_reported_and_ends_it(printing: Example, with_a_gap: str) -> None:
    ended = printing.run(with_a_gap, "--until-caught-up")
    assert "a gap: /mentoring/scheduling/events/2: 9 is followed by 11" in ended.stderr
    assert ended.stdout == ""
    assert ended.returncode == 1


def test_from_now_nothing_old_is_printed(rehearsed: Rehearsed) -> None:
    ended = python("plain.py").run(rehearsed.kafka, "--from", "now", "--until-caught-up")
    assert (ended.stdout, ended.returncode) == ("", 0), ended.stderr


@pytest.mark.parametrize("name", ["plain.py", "stream.py"])
def test_a_termination_ends_it_cleanly(rehearsed: Rehearsed, name: str) -> None:
    example = python(name, grouped=name == "stream.py")
    with subprocess.Popen(
        example.arguments(),
        cwd=example.cwd,
        env=environment(rehearsed.kafka),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        patience = threading.Timer(LONGEST, process.kill)  # reading waits without limit
        patience.start()
        try:
            assert process.stdout is not None
            assert [process.stdout.readline().strip() for _ in HELD] == list(HELD)
            process.send_signal(signal.SIGTERM)
            assert process.wait(LONGEST) == 0
        finally:
            patience.cancel()
            process.kill()


@pytest.mark.parametrize("name", ["plain.py", "stream.py"])
def test_a_date_that_is_none_is_refused(name: str) -> None:
    ended = python(name).run("127.0.0.1:1", "--from", "yesterday")
    assert ended.returncode == 2
    assert "--from: invalid moment value: 'yesterday'" in ended.stderr


def test_each_pair_is_printed_once_it_is_what_its_schema_says(rehearsed: Rehearsed) -> None:
    example = python("validated.py")
    schemas = ("--schemas", str(ROOT / "schemas/catalogue/public"))
    ended = example.run(rehearsed.kafka, *schemas, "--until-caught-up")
    assert ended.returncode == 0, ended.stderr
    pairs = sorted(line.split()[1:] for line in ended.stdout.splitlines())
    assert pairs == [["rehearsal", "m-1~g-1", "valid"], ["rehearsal", "m-2~g-2", "valid"]]


def test_what_is_not_as_its_schema_says_ends_it_with_the_field(
    rehearsed: Rehearsed, tmp_path: Path
) -> None:
    asks = {"$id": "urn:mentoring:schema:PairFormed:1", "required": ["colour"]}
    (tmp_path / "PairFormed.v1.json").write_text(json.dumps(asks))
    ended = python("validated.py").run(rehearsed.kafka, "--schemas", str(tmp_path))
    assert ended.returncode == 1
    assert "urn:mentoring:schema:PairFormed:1: $ 'colour' is a required property" in ended.stderr
