"""What tests fetch of others, kept once per machine, outside the checkout: as Kafka and Prometheus.

Always holds: what is there is whole, and made from what names it; who wants it while it is being
made waits, be it another checkout's tests.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "connecte"


def kept(name: str, made_from: bytes, make: Callable[[Path], None]) -> Path:
    """The folder that `make` has filled from these bytes, such as a lock file's."""
    home = CACHE / f"{name}-{hashlib.sha256(made_from).hexdigest()[:12]}"
    whole = home / ".whole"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            make(home)
            whole.touch()
    return home
