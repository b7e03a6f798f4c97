"""A file of people as an office wrote it, to rows of cells: .xlsx, .ods, .xls, .csv, pasted.

Always holds: whatever the bytes are, there are rows of text, or a sentence that says what is wrong
and what to do; nothing of a file is in a log.
"""

import csv
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO

from schemas.text import tidied
from services.portal.workbooks import MOST_COLUMNS, Busy, NoWorkbook, Sheet, TooMuch, sheets_of

MOST_ROWS = 5000
MOST_UNPACKED = 64 * 1024 * 1024
_SIGNS = (";", "\t", ",")
_OLE = b"\xd0\xcf\x11\xe0"

Row = tuple[int, list[str]]
"""A row's number in its file, from 1, and its cells."""


class NoTable(ValueError):
    """The file is no table of people; `fr` and `en` say what is wrong and what to do."""

    def __init__(self, fr: str, en: str) -> None:
        super().__init__(en)
        self.fr, self.en = fr, en


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file that hold anything."""

    rows: Sequence[Row]


def read_table(content: bytes, is_header: Callable[[Sequence[str]], int]) -> Table:
    """The rows of a file. Raises `NoTable`.

    `is_header` tells of how many cells of a row somebody knows as headings: by it the sheet, and in
    a text the sign between the cells, are found.
    """
    if not content.strip():
        raise NoTable("Le fichier est vide.", "The file is empty.")
    office = content[:2] == b"PK" or content[:4] == _OLE
    rows = _of_office(content, is_header) if office else _of_text(content, is_header)
    rows = [(number, cells) for number, cells in rows if any(cells)]
    if len(rows) > MOST_ROWS + 1:
        raise NoTable(
            f"Le fichier a {len(rows)} lignes, et {MOST_ROWS} au plus sont lues à la fois. "
            "Coupez-le en plusieurs.",
            f"The file has {len(rows)} rows, and {MOST_ROWS} at most are read at a time. Split it.",
        )
    return Table(rows)


def _of_office(content: bytes, is_header: Callable[[Sequence[str]], int]) -> list[Row]:
    try:
        if content[:2] == b"PK":
            with zipfile.ZipFile(BytesIO(content)) as packed:
                if sum(part.file_size for part in packed.infolist()) > MOST_UNPACKED:
                    raise TooMuch
        sheets = [_cells(sheet) for sheet in sheets_of(content)]
    except TooMuch:
        raise NoTable(
            "Le fichier est trop grand, ou abîmé : une seule cellule loin de la liste suffit. "
            "Enregistrez la liste seule, en .csv.",
            "The file is too large, or damaged: a single cell far from the list is enough. "
            "Save the list alone, as .csv.",
        ) from None
    except Busy:
        raise NoTable(
            "D’autres fichiers sont en cours de lecture. Renvoyez le vôtre dans une minute.",
            "Other files are being read. Send yours again in a minute.",
        ) from None
    except (NoWorkbook, zipfile.BadZipFile, OSError, ValueError):
        raise NoTable(
            "Ce fichier n’est pas un tableau lisible. Enregistrez-le en .xlsx, .ods ou .csv.",
            "This file is no table that can be read. Save it as .xlsx, .ods or .csv.",
        ) from None
    filled = [rows for rows in sheets if any(any(cells) for _, cells in rows)]
    if not filled:
        raise NoTable("Le fichier est vide.", "The file is empty.")
    with_people = [rows for rows in filled if any(is_header(cells) >= 2 for _, cells in rows[:10])]
    if len(with_people) > 1:
        raise NoTable(
            "Le fichier a plusieurs feuilles de personnes. Gardez-en une seule.",
            "The file has several sheets of people. Keep one of them.",
        )
    return (with_people or filled)[0]


def _cells(sheet: Sheet) -> list[Row]:
    return [(number, [tidied(cell) for cell in row]) for number, row in enumerate(sheet, 1)]


def _of_text(content: bytes, is_header: Callable[[Sequence[str]], int]) -> list[Row]:
    text = decoded(content)
    first = next(line for line in text.splitlines() if line.strip())
    sign = max(_SIGNS, key=lambda sign: (is_header(first.split(sign)), first.count(sign)))
    found: list[Row] = []
    reader = csv.reader(StringIO(text, newline=""), delimiter=sign, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return found
        except csv.Error:
            raise NoTable(
                f'Ligne {number} : un guillemet (") n’est pas fermé, '
                "ou une cellule est trop longue.",
                f'Line {number}: a quote (") is not closed, or a cell is too long.',
            ) from None
        found.append((number, [tidied(cell) for cell in cells[:MOST_COLUMNS]]))


def decoded(content: bytes) -> str:
    """Text as offices write it: UTF-8, UTF-16 with its mark, else Windows' own."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _checked(content.decode("utf-16", "replace"))
    try:
        return _checked(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return _checked(content.decode("cp1252", "replace"))


def _checked(text: str) -> str:
    if "\0" in text or not text.strip():
        raise NoTable(
            "Ce fichier n’est pas un tableau lisible. Enregistrez-le en .xlsx, .ods ou .csv.",
            "This file is no table that can be read. Save it as .xlsx, .ods or .csv.",
        )
    return text
