"""Nasty inputs, kept, in a folder for what reads them: a file each, or made here where it is long.
Every one that ever led to a fault stays, and is tried again by the tests beside this folder."""

from pathlib import Path

HERE = Path(__file__).parent

LONG: dict[str, dict[str, bytes]] = {
    "bodies": {
        "huge-integer": b'{"cohort_id": ' + b"9" * 5000 + b"}",
        "long-integer": b'{"answer": ' + b"9" * 4000 + b', "attempt": ' + b"9" * 20 + b"}",
        "nested-arrays": b"[" * 5000,
        "nested-arrays-closed": b'{"answer": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        "nested-objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    },
    "envelopes": {
        "deep": b"[" * 3000,
        "deep-objects": b'{"a":' * 3000,
        "huge": b'{"cohort_id": ' + b"9" * 5000 + b"}",
    },
    "links": {
        "deep": b"[" * 3000,
        "deep-objects": b'{"a":' * 2000,
        "huge-number": b'{"alg":"Ed25519","exp":' + b"9" * 5000 + b"}",
        "long": b"a" * 5000,
    },
    "rosters": {
        "huge-field": b"m-2," + b"x" * 200_000 + b"\n",
        "huge-quoted": b'm-2,"' + b"x" * 200_000 + b'"\n',
        "many-commas": b"," * 50_000 + b"\n",
        "many-lines": b"\n" * 50_000,
    },
}
"""Folder to name to content, of what is too long for a file."""


def entries(folder: str) -> list[tuple[str, bytes]]:
    """Name and content of what is kept."""
    found = {path.name: path.read_bytes() for path in (HERE / folder).iterdir()}
    assert found, folder
    return sorted((found | LONG.get(folder, {})).items())
