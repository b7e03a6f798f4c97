"""Programs of others whose dependencies do not go together with ours.

Always holds: each has an environment of its own under `build/`, from a lock file with hashes, and a
changed lock file makes it anew.
"""

import hashlib
import subprocess
import venv
from pathlib import Path

HOME = Path(__file__).parents[1] / "build" / "environments"


def environment(lock: Path) -> Path:
    """The folder of the programs that the lock file, named for the program, brings."""
    home = HOME / lock.stem
    stamp, wanted = home / ".installed", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        python = str(home / "bin" / "python")
        subprocess.run((python, *install, "--require-hashes", "-r", str(lock)), check=True)
        stamp.write_text(wanted)
    return home / "bin"
