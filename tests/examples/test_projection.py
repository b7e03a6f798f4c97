"""The projection counts every session once, whatever happens to its process."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import PATIENCE
from tests.examples.conftest import EXAMPLES, Rehearsed, environment, python

OUTCOME = [
    "rehearsal/m-1~g-1 graduated completed=3",
    "rehearsal/m-2~g-2 dissolved completed=1",
]


def handled(database: Path) -> int:
    """How many records its tables know of."""
    with (
        contextlib.suppress(sqlite3.OperationalError),  # no tables yet
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute("select coalesce(sum(next), 0) from positions").fetchone()[0])
    return 0


def test_a_projection_that_is_killed_again_and_again_counts_every_session_once(
    rehearsed: Rehearsed, tmp_path: Path
) -> None:
    database = tmp_path / "pairs.sqlite3"
    example = python("projection.py")
    options = ("--database", str(database), "--batch", "1")
    for enough in (3, 12, 20, 28):
        with subprocess.Popen(
            example.arguments(*options), cwd=example.cwd, env=environment(rehearsed.kafka)
        ) as process:
            try:
                deadline = time.monotonic() + 20
                while handled(database) < enough:
                    assert process.poll() is None, "it ended by itself"
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
            finally:
                process.kill()
    ended = example.run(rehearsed.kafka, *options, "--until-caught-up")
    assert ended.stdout.splitlines() == OUTCOME, ended.stderr
    again = example.run(rehearsed.kafka, *options, "--until-caught-up")
    assert again.stdout.splitlines() == OUTCOME, again.stderr


def test_a_gap_ends_it_before_anything_behind_the_gap_is_counted(
    with_a_gap: str, tmp_path: Path
) -> None:
    database = str(tmp_path / "pairs.sqlite3")
    ended = python("projection.py").run(with_a_gap, "--database", database, "--until-caught-up")
    assert "a gap: /mentoring/scheduling/events/2: 9 is followed by 11" in ended.stderr
    assert ended.returncode == 1


def test_a_subscriber_who_copies_the_files_tests_without_a_broker(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "rehearsal.jsonl", tmp_path)
    shutil.copytree(
        EXAMPLES / "python", tmp_path / "mine", ignore=shutil.ignore_patterns("__pycache__")
    )
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir=.", "--confcutdir=.", "-c"]
    command += ["/dev/null", "-p", "no:asyncio", "-p", "no:cacheprovider", "test_projection.py"]
    ended = subprocess.run(
        command,
        cwd=tmp_path / "mine",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout
