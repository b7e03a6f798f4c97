"""The examples that print `SessionCompleted` print each once, and what they are asked for."""

import signal
import subprocess
import threading

import pytest

from tests.examples.conftest import HELD, LONGEST, Example, Rehearsed, environment, python


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
