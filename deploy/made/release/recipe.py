"""The image's recipe (`deploy/Dockerfile`), read without Docker: what is let in, copied, set.

Of Docker's language what that file uses. Always holds: what is not understood raises.
"""

import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from dockerfile_parse import DockerfileParser

RECIPE = Path("deploy/Dockerfile")
SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH that Docker begins with where the base says none."""
_SECONDS = {"s": 1, "m": 60}
_HANDLED = {"FROM", "ARG", "COPY", "RUN", "COMMENT"}


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a stage, with its continuation lines as one."""

    name: str
    text: str


def stages(root: Path) -> list[list[Instruction]]:
    """The instructions of each stage of a checkout's recipe, from its FROM on."""
    parser = DockerfileParser(fileobj=io.BytesIO((root / RECIPE).read_bytes()))
    found: list[list[Instruction]] = []
    for part in parser.structure:
        if part["instruction"] == "FROM":
            found.append([])
        if found:
            found[-1].append(Instruction(part["instruction"], part["value"]))
    return found


def configuration(root: Path, arguments: Mapping[str, str]) -> dict[str, Any]:
    """What the last stage sets, as the `config` of an OCI image; `arguments`: of the build."""
    words = {"PATH": SEARCHED, **arguments}
    found: dict[str, Any] = {"Env": []}
    for one in stages(root)[-1]:
        text = re.sub(r"\$\{?(\w+)\}?", lambda m: words.get(m[1], m[0]), one.text)
        match one.name:
            case "ARG":
                name, _, default = one.text.partition("=")
                words.setdefault(name, default)
            case "ENV":
                if "$" in text:  # a runtime would take it as it stands
                    raise ValueError(f"{RECIPE}: {text} is of something that is not known")
                found["Env"] += [f"{name}={value}" for name, value in _pairs(text)]
            case "LABEL":
                found.setdefault("Labels", {}).update(_pairs(text))
            case "WORKDIR":
                found["WorkingDir"] = text
            case "USER":
                found["User"] = text
            case "EXPOSE":
                found["ExposedPorts"] = {f"{port}/tcp": {} for port in text.split()}
            case "ENTRYPOINT" | "CMD":
                found["Entrypoint" if one.name == "ENTRYPOINT" else "Cmd"] = json.loads(text)
            case "HEALTHCHECK":
                found["Healthcheck"] = _healthcheck(text)
            case _ if one.name not in _HANDLED:
                raise ValueError(f"{RECIPE}: {one.name} is not understood")
    return found


def _pairs(text: str) -> list[tuple[str, str]]:
    """`A=b C="d e"` as pairs."""
    return [(name, value.strip('"')) for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', text)]


def _healthcheck(text: str) -> dict[str, Any]:
    """Docker's own extension of the configuration; durations are in nanoseconds."""
    options, _, command = text.partition("CMD ")
    given = dict(re.findall(r"--([\w-]+)=(\S+)", options))
    times = {"interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod"}
    found: dict[str, Any] = {"Test": ["CMD", *json.loads(command)]}
    for name, word in times.items():
        found[word] = int(given[name][:-1]) * _SECONDS[given[name][-1]] * 10**9
    found["Retries"] = int(given["retries"])
    return found


def copied(root: Path) -> Iterator[tuple[list[str], str]]:
    """Sources and target of each COPY from the checkout, in order."""
    for stage in stages(root):
        for one in stage:
            if one.name == "COPY" and not one.text.startswith("--from"):
                *sources, target = one.text.split()
                yield sources, target


@lru_cache
def _rules(root: Path) -> list[tuple[bool, re.Pattern[str]]]:
    """Of `.dockerignore`, in order: whether it lets in, and the paths that it is about.

    Of Docker's patterns those that the file has: whole paths, `*` within a name, `**/`. A rule
    about a folder is about everything below it.
    """
    found = []
    for line in (root / ".dockerignore").read_text().splitlines():
        text = line.strip().removeprefix("!").rstrip("/")
        if not text or text.startswith("#"):
            continue
        signs = {"**/": "(?:.*/)?", "*": "[^/]*"}
        parts = re.split(r"(\*\*/|\*)", text)
        pattern = "".join(signs.get(part, re.escape(part)) for part in parts)
        found.append((line.startswith("!"), re.compile(f"{pattern}(?:/.*)?")))
    return found


def let_in(root: Path, path: PurePosixPath) -> bool:
    """Whether Docker gets to see a file of the checkout: the last rule about it decides."""
    verdicts = [lets for lets, pattern in _rules(root) if pattern.fullmatch(str(path))]
    return verdicts[-1] if verdicts else True


def lay_out(root: Path, stage: Path) -> None:
    """Put into a folder what the building stage has in its own."""
    for sources, target in copied(root):
        for source in sources:
            begin = root / source
            files = [f for f in begin.rglob("*") if f.is_file()] if begin.is_dir() else [begin]
            for file in files:
                if let_in(root, PurePosixPath(file.relative_to(root).as_posix())):
                    inner = file.relative_to(begin) if begin.is_dir() else Path(file.name)
                    place = stage / target / inner
                    place.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, place)
