"""Programs of others whose dependencies do not go together with ours.

Always holds: each has an environment of its own, from a lock file with hashes, and a changed lock
file makes another.
"""

import subprocess
import sys
import venv
from functools import partial
from pathlib import Path

from tests.kept import kept


def environment(lock: Path) -> Path:
    """The folder of the programs that the lock file, named for the program, brings."""
    made_from = f"{sys.version}\n{lock.read_text()}".encode()
    return kept(lock.stem, made_from, partial(_installed, lock)) / "bin"


def _installed(lock: Path, home: Path) -> None:
    venv.create(home)
    # By our pip, and compiled when it is imported: most of it never is.
    install = ("-m", "pip", "--python", str(home), "install", "--quiet", "--no-compile")
    safely = ("--disable-pip-version-check", "--require-hashes", "-r", str(lock))
    subprocess.run((sys.executable, *install, *safely), check=True)
