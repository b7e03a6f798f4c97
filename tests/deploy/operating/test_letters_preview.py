"""`connecte letters preview`: every letter as files to look at; and when letters leave."""

import email
import re
from datetime import UTC, datetime
from email import policy
from pathlib import Path

import pytest

from deploy.errors import BadInput
from deploy.operating.letters_preview import letters, write
from deploy.trial.up_commands import quiet_until
from schemas.attention import AttentionGathered
from services.notify.letters import ROLE_LETTERS, TELLINGS
from tests.deploy.operating.commands import connecte

DIGEST = AttentionGathered.__name__
"""What coordinators are told in the morning; everybody else's letters stand in the table."""


async def test_every_letter_is_written_as_mail_page_and_text_with_an_index(tmp_path: Path) -> None:
    given = ("letters", "preview", str(tmp_path / "out"), "--name", "Tandem", "--json")
    done = await connecte(*given)
    assert done.code == 0, done.err
    rows = done.document["letters"]
    assert {row["template"] for row in rows} == {*TELLINGS, *ROLE_LETTERS, DIGEST}
    assert {row["language"] for row in rows} == {"fr", "en"}
    assert len({row["name"] for row in rows}) == len(rows)
    index = Path(done.document["index"]).read_text(encoding="utf-8")
    for row in rows:
        for end in (".html", ".txt", ".eml"):
            assert f'href="{row["name"]}{end}"' in index
            assert (tmp_path / "out" / f"{row['name']}{end}").stat().st_size > 80


def test_what_is_shown_is_what_would_be_sent() -> None:
    for letter in letters("Tandem", "aide@programme.example"):
        mail = email.message_from_bytes(letter.eml, policy=policy.default)
        assert mail["Subject"] == letter.subject
        assert mail["From"] == "Tandem <connecte@programme.example>"
        assert mail["Content-Language"] == letter.language
        told = TELLINGS.get(letter.template)
        if told and told.invitation is None:  # a coordinator is who helps
            assert "aide@programme.example" in letter.text


def test_the_next_session_comes_after_the_one_that_a_letter_is_about() -> None:
    told = [letter for letter in letters() if "Votre prochaine rencontre" in letter.text]
    assert told
    for letter in told:
        [after] = re.findall(r"Votre prochaine rencontre, la séance (\d)", letter.text)
        assert max(map(int, re.findall(r"séance (\d) avec", letter.text))) < int(after)


def test_a_directory_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write(tmp_path / "file", list(letters())[:1])


def test_at_night_and_at_weekends_it_is_said_when_the_next_letter_leaves() -> None:
    saturday = quiet_until(datetime(2017, 3, 11, 10, tzinfo=UTC))
    assert saturday is not None and "Monday 13\u00a0March 2017 at 08:00" in saturday
    night = quiet_until(datetime(2017, 3, 7, 22, tzinfo=UTC))
    assert night is not None and "Wednesday 8\u00a0March 2017 at 08:00" in night
    assert quiet_until(datetime(2017, 3, 7, 10, tzinfo=UTC)) is None
