"""A root file system with Python from Debian's packages: no shell and no package manager in it.

Where Docker builds, the base is the one that the recipe pins. Where there is none, this one stands
in for it: the same version of Python's language from the distribution that it is made from, each
package verified by apt against the distribution's signature. Always holds: nothing is run as
root, and nothing of a package but its files is (no script of it runs).
"""

import re
import shutil
import subprocess
from pathlib import Path

WANTED = ("python3.11", "libstdc++6")
"""With all that they depend on."""
CERTIFICATES = "ca-certificates"
"""Its files alone: it depends on what would ask an administrator."""
LEFT_OUT = ("dpkg", "tar", "readline-common", "libc-bin")
"""What packages depend on for their scripts, which do not run here."""
USER = "connecte:x:10001:10001::/tmp:/sbin/nologin\n"


class NoBase(Exception):
    """No root file system can be made on this machine; the text says what is missing."""


def make(root: Path, work: Path) -> list[str]:
    """Lay it out under `root`; the packages in it, as `name=version`. `work` is used meanwhile."""
    archives = work / "archives"
    (archives / "partial").mkdir(parents=True)
    _download(archives, work)
    found = [_unpack(file, root) for file in sorted(archives.glob("*.deb"))]
    _merged_usr(root)
    _files(root)
    return sorted(filter(None, found))


def _apt(work: Path, *arguments: str, cwd: Path | None = None) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise NoBase("without Docker the image is made from Debian's packages: apt-get is missing")
    nothing = work / "status"  # as if nothing were installed, so that all of it is fetched
    nothing.touch()
    done = subprocess.run(
        [
            *("apt-get", "--quiet", "--assume-yes", "--no-install-recommends"),
            *("-o", f"Dir::State::status={nothing}", "-o", "Debug::NoLocking=1"),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    if done.returncode:
        raise NoBase(f"apt-get {' '.join(arguments)}: {done.stderr.strip()}")


def _download(archives: Path, work: Path) -> None:
    get = ("-o", f"Dir::Cache::archives={archives}", "--download-only", "install")
    try:
        _apt(work, *get, *WANTED)
    except NoBase:  # the lists of packages are not there, or are old
        lists = work / "lists"
        (lists / "partial").mkdir(parents=True)
        where = ("-o", f"Dir::State::lists={lists}")
        _apt(work, *where, "update")
        _apt(work, *where, *get, *WANTED)
        _apt(work, *where, "download", CERTIFICATES, cwd=archives)
    else:
        _apt(work, "download", CERTIFICATES, cwd=archives)


def _unpack(file: Path, root: Path) -> str | None:
    """Its files, and its own words for what scans images; nothing of what is left out."""
    control = subprocess.run(
        ["dpkg-deb", "--field", file], capture_output=True, text=True, check=True
    ).stdout
    said = dict(re.findall(r"^(Package|Version): (.*)$", control, re.MULTILINE))
    if said["Package"] in LEFT_OUT:
        return None
    subprocess.run(["dpkg-deb", "--extract", file, root], check=True)
    status = root / "var/lib/dpkg/status.d" / said["Package"]
    status.parent.mkdir(parents=True, exist_ok=True)
    status.write_text(control)
    return f"{said['Package']}={said['Version']}"


def _merged_usr(root: Path) -> None:
    """`/bin`, `/lib` and their like are links into `/usr`, as they are on every Debian of today."""
    for name in ("bin", "sbin", "lib", "lib64"):
        old = root / name
        new = root / "usr" / name
        new.mkdir(parents=True, exist_ok=True)
        if old.is_dir() and not old.is_symlink():
            shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(old)
        old.symlink_to(f"usr/{name}")


def _files(root: Path) -> None:
    """What scripts of packages would have made: one file of certificates, a user, `/tmp`."""
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    single = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle.write_text("".join(file.read_text().strip() + "\n" for file in single))
    (root / "etc/passwd").write_text(f"root:x:0:0:root:/root:/sbin/nologin\n{USER}")
    (root / "etc/group").write_text("root:x:0:\nconnecte:x:10001:\n")
    (root / "etc/nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files dns\n")
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)  # as everywhere: anybody writes, each removes what is his
    for unwanted in ("usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/share/bug"):
        shutil.rmtree(root / unwanted, ignore_errors=True)
