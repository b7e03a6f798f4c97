"""Nasty inputs, kept: one file each, in a folder for what reads them. Every one that ever led to a
fault stays here, and is tried again by the tests beside this folder."""

from pathlib import Path

HERE = Path(__file__).parent


def entries(folder: str) -> list[tuple[str, bytes]]:
    """Name and content of what is kept."""
    found = [(path.name, path.read_bytes()) for path in sorted((HERE / folder).iterdir())]
    assert found, folder
    return found
