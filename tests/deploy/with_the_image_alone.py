"""A process that finds no package but those of the image: what it imports, and a pairing.

`python -m tests.deploy.with_the_image_alone`; prints how many modules it has imported.
"""

import importlib
import importlib.abc
import pkgutil
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[2] / "requirements.service.lock"
OURS = {"connecte-ton-manager"}


class Absent(importlib.abc.MetaPathFinder):
    """Finds nothing where a package is not in the image."""

    def __init__(self, lock: str) -> None:
        locked = {canonicalize_name(n) for n in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
        self.names = {
            name
            for name, owners in packages_distributions().items()
            if not {canonicalize_name(owner) for owner in owners} & (locked | OURS)
        }

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{fullname} is not in the image", name=fullname)
        return None


def main() -> None:
    sys.meta_path.insert(0, Absent(LOCK.read_text()))
    imported = 0
    for name in ("schemas", "services", "deploy.operating"):
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            importlib.import_module(module.name)
            imported += 1
    _pair()
    print(imported)  # noqa: T201


def _pair() -> None:
    """Two managers and two mentors: what imports only when it is asked is asked."""
    np = importlib.import_module("numpy")
    search = importlib.import_module("services.matching.search.assignment")
    ones, points = np.array([1, 1]), np.array([5, 9, 9, 5])
    graph = search.Graph(ones, np.array([0, 2, 4]), np.array([0, 1, 0, 1]), points)
    assert list(search.assign(graph).edges) == [1, 2]


if __name__ == "__main__":
    main()
