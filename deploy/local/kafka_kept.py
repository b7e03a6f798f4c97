"""What every start of a Kafka would do again, kept once per machine beside its jars.

What always holds: Java and Kafka's own commands have made it; what is there is whole, because it
appears by one rename; where it is not there yet, a node starts as well, and takes longer.
"""

import base64
import hashlib
import re
import shutil
import signal
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from deploy.local.process import Child

META = "meta.properties"
# What a node has ended with that was asked to, and was given the time.
IN_GOOD_ORDER = 128 + signal.SIGTERM


@dataclass(frozen=True)
class Classes:
    """The classes of a node as Java maps them into memory: two fifths less to compute at a start.

    They are those of one Java and of one folder of jars; Java passes over what is not its own.
    """

    archive: Path
    made: Path

    @classmethod
    def of(cls, jars: Path, java: str) -> "Classes":
        program = Path(java).resolve()
        mark = f"{program} {program.stat().st_mtime_ns}".encode()
        name = f"{jars.name}-{hashlib.sha256(mark).hexdigest()[:12]}.jsa"
        return cls(jars.with_name(name), jars.with_name(f"{name}-{uuid.uuid4().hex}"))

    def options(self, *, first: bool) -> tuple[str, ...]:
        """Of Java: to use them; or else, for the first node, to archive them when it ends."""
        if self.archive.exists():
            return (f"-XX:SharedArchiveFile={self.archive}",)
        return (f"-XX:ArchiveClassesAtExit={self.made}",) if first else ()

    def keep(self, node: Child) -> None:
        """Keep what a node has archived that has ended."""
        if self.made.exists() and node.returncode == IN_GOOD_ORDER:
            self.made.replace(self.archive)
        self.made.unlink(missing_ok=True)


@dataclass(frozen=True)
class Blank:
    """The storage of a node that has never run, of an open cluster."""

    home: Path

    @classmethod
    def of(cls, jars: Path) -> "Blank":
        return cls(jars.with_name(f"{jars.name}-blank"))

    def copy(self, data: Path, cluster_id: str, node_id: int) -> bool:
        """Give a node a storage of its own; False if none is kept yet."""
        if not self.home.is_dir():
            return False
        shutil.copytree(self.home, data)
        ids = {"cluster.id": cluster_id, "node.id": node_id, "directory.id": new_id()}
        meta = (data / META).read_text()
        for name, value in ids.items():
            meta, found = re.subn(rf"(?m)^{re.escape(name)}=.*$", f"{name}={value}", meta)
            assert found == 1, f"{META} has no {name}"
        (data / META).write_text(meta)
        return True

    def keep(self, data: Path) -> None:
        """Keep a copy of what has just been formatted."""
        with tempfile.TemporaryDirectory(prefix="blank-", dir=self.home.parent) as work:
            shutil.copytree(data, copy := Path(work) / "data")
            if not self.home.exists():  # else someone was faster, and theirs is as good
                copy.rename(self.home)


def new_id() -> str:
    """As Kafka writes them: 22 characters, and the leading dash of an option avoided."""
    return "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
