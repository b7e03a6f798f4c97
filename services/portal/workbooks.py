"""A workbook of an office, opened by a process of its own, with so much memory and time.

A file of a kilobyte can have a cell in the last column of the last row: the library makes room for
all the cells between, and where there is no room it ends the process, whoever else it serves.
Always holds: whatever the file is, the process that asks goes on, and is handed no more than
`MOST_ROWS` rows of `MOST_COLUMNS` cells of each sheet, and `MOST_TEXT` of all of it.
"""

import datetime as dt
import json
import resource
import subprocess
import sys
import threading
from io import BytesIO
from typing import Any

MOST_ROWS = 10_000
MOST_COLUMNS = 60
MOST_TEXT = 8 * 1024 * 1024
"""Bytes of all cells that hold anything, and of what stands around them: a text that a file has
once can be that of each of its cells. A list is kept as one document, which has 16 MiB at most."""
MEMORY = 256 * 1024 * 1024
"""Bytes, of the limit that the portal's pod has: a list of 5,000 people takes a tenth."""
SECONDS = 20

_NO_WORKBOOK, _TOO_MUCH = 3, 4
_AROUND = 16
_ALONE = threading.Lock()
"""One at a time: what one may take, there is once."""


class NoWorkbook(Exception):
    """The library can make nothing of it."""


class Busy(Exception):
    """Others' files are being opened, one after the other, and there was no turn in time."""


class TooMuch(Exception):
    """It would take too much memory or time, or the library has broken down over it."""


Sheet = list[list[str]]


def sheets_of(content: bytes) -> list[Sheet]:
    """The cells of each sheet, as text. Raises `NoWorkbook`, `TooMuch` and `Busy`.

    Whoever waits holds one of a few threads, which others need: not longer than one file takes.
    """
    command = [sys.executable, "-I", __file__]
    if not _ALONE.acquire(timeout=2 * SECONDS):
        raise Busy
    try:
        done = subprocess.run(  # noqa: S603  # ourselves
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=2 * SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TooMuch from None
    finally:
        _ALONE.release()
    if done.returncode == _NO_WORKBOOK:
        raise NoWorkbook
    if done.returncode != 0:
        raise TooMuch
    sheets: list[Sheet] = json.loads(done.stdout)
    return sheets


def _text(cell: Any) -> str:
    """A cell as somebody sees it."""
    match cell:
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.datetime() | dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return str(cell)


def _opened(content: bytes) -> list[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415  # in there alone

    try:
        book = CalamineWorkbook.from_filelike(BytesIO(content))
        found, room = [], MOST_TEXT
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS)
            sheet = [[_text(cell) for cell in row[:MOST_COLUMNS]] for row in rows]
            room -= sum(len(cell.encode()) + _AROUND for row in sheet for cell in row if cell)
            if room < 0:
                sys.exit(_TOO_MUCH)
            found.append(sheet)
    except (CalamineError, OSError, ValueError):
        sys.exit(_NO_WORKBOOK)
    return found


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    told = json.dumps(_opened(sys.stdin.buffer.read()), ensure_ascii=False)
    sys.stdout.buffer.write(told.encode())
