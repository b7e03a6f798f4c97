"""A program of others that never answers holds nobody up without end."""

from pathlib import Path

import pytest

from deploy.made.release import image
from deploy.operating import tagged
from schemas.gate.findings import NotReleased

NOT_LONG = 0.2


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Programs that hang, as one does whose other end was killed."""
    for name in ("docker", "git"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\nexec sleep 600\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return monkeypatch


def test_an_engine_that_does_not_answer_is_none(hanging: pytest.MonkeyPatch) -> None:
    hanging.setattr(image, "ANSWER_SECONDS", NOT_LONG)
    assert image.docker() is False


def test_a_git_that_does_not_answer_is_not_taken_for_one_without_releases(
    hanging: pytest.MonkeyPatch,
) -> None:
    hanging.setattr(tagged, "ANSWER_SECONDS", NOT_LONG)
    with pytest.raises(NotReleased, match="git did not answer"):
        tagged.last_tag()
