"""Tables that people take away: .csv as a French Excel opens it, and .ods. Pure.

Always holds: no cell is a formula, whatever was typed into a name: a text that a spreadsheet would
calculate gets an apostrophe in front, and in .ods every text is declared to be one.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | float
_CALCULATED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_MIME = "application/vnd.oasis.opendocument.spreadsheet"
_MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.3" '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{_MIME}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)
_URN = "urn:oasis:names:tc:opendocument:xmlns:"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def as_text(cell: Cell) -> Cell:
    """A cell that no spreadsheet calculates."""
    if isinstance(cell, str) and cell.lstrip(" ").startswith(_CALCULATED):
        return f"'{cell}"
    return cell


def as_csv(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Semicolons, UTF-8 with its mark, decimals with a comma: Excel in French opens it as it is."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow(
            str(cell).replace(".", ",") if isinstance(cell, float) else as_text(cell)
            for cell in row
        )
    return text.getvalue().encode("utf-8-sig")


def as_ods(name: str, rows: Iterable[Sequence[Cell]]) -> bytes:
    """One sheet of that name; the same rows give the same bytes."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.3" '
        f'xmlns:office="{_URN}office:1.0" xmlns:table="{_URN}table:1.0" '
        f'xmlns:text="{_URN}text:1.0"><office:body><office:spreadsheet>'
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>" for row in rows)
        + "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for path, text, how in (
            ("mimetype", _MIME, zipfile.ZIP_STORED),
            ("content.xml", content, zipfile.ZIP_DEFLATED),
            ("META-INF/manifest.xml", _MANIFEST, zipfile.ZIP_DEFLATED),
        ):
            packed.writestr(zipfile.ZipInfo(path, _LONG_AGO), text, compress_type=how)
    return file.getvalue()


def _cell(cell: Cell) -> str:
    if isinstance(cell, int | float):
        return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
    text = "".join(c for c in cell if c >= " " or c in "\t\n")
    return (
        '<table:table-cell office:value-type="string">'
        f"<text:p>{escape(str(as_text(text)))}</text:p></table:table-cell>"
    )
