"""What operators are shown of what strangers sent: all of it, and nothing that a terminal obeys."""

import pytest
from rich.table import Table

from deploy.operating.console import Plain, answer


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("a\x1b[31mb\x1b]0;title\x07", r"a\x1b[31mb\x1b]0;title\x07"),
        ("left\u202etfel", r"left\u202etfel"),
        ("\x9b2J", r"\x9b2J"),
        ("half \ud800 a sign", r"half \ud800 a sign"),
        ("Zo\u00eb\u202f: [/bold] {x} d\u2019Œuvre", "Zo\u00eb\u202f: [/bold] {x} d\u2019Œuvre"),
    ],
)
def test_a_terminal_obeys_nothing_that_a_stranger_has_written(
    sent: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table = Table("what")
    table.add_row(sent)
    answer({}, False, table, sent)
    told = capsys.readouterr().out
    assert told.count(shown) == 2
    assert not set("\x1b\x9b\x07\u202e") & set(told)


def test_a_title_and_a_heading_are_told_likewise() -> None:
    console = Plain(width=80)
    with console.capture() as told:
        console.print(Table("h\x1b[2J", title="t\x1b[2J"), markup=False)
    assert "\x1b" not in told.get()
