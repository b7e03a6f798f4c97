"""What a deployment adds to the catalogues, or calls otherwise: files of the same shape as ours.

`CONNECTE_CATALOGUE_DIR` names the folder that holds `tools.toml`, `job_families.toml` or both.
Always holds: an entry there replaces, field by field, the one with its id here; every process that
speaks of tools is given the same folder.
"""

import os
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

FOLDER = "CONNECTE_CATALOGUE_DIR"
NAMES = ("tools.toml", "job_families.toml")


def table(name: str) -> dict[str, Any]:
    """The catalogue of this name with what is added. Raises ValueError that names the file."""
    ours = tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return _with(ours, _added(name))


def _with(ours: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    found = dict(ours)
    for key, value in more.items():
        here = found.get(key)
        if isinstance(here, dict) and isinstance(value, dict):
            found[key] = _with(here, value)
        else:
            found[key] = value
    return found


def _added(name: str) -> dict[str, Any]:
    folder = os.environ.get(FOLDER)
    if not folder:
        return {}
    if not (file := Path(folder) / name).is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}: {error}") from None


def strangers() -> list[str]:
    """Files of the folder that nobody reads, by name. Raises ValueError if there is no folder."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return []
    if not Path(folder).is_dir():
        raise ValueError(f"there is no folder {folder}")
    return sorted(file.name for file in Path(folder).glob("*.toml") if file.name not in NAMES)
