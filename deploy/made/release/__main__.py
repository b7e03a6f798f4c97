"""`make release`: all that a release is, in one folder, from what is committed.

`build/release/VERSION/` has the sdist, and the wheel that the image installs; the image as an OCI
layout (`….image.oci.tar`); the chart as a file (`.tgz`) and for a registry (`.oci.tar`); the
contract (`schemas-….tar.gz`); `sbom.cdx.json`, `NOTES.md`, `SHA256SUMS`, `provenance.json`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from deploy.made.release import chart, image, oci, papers, recipe
from deploy.made.release.base import NoBase
from deploy.made.release.source import NotReleasable, Source, committed

ROOT = Path(__file__).parents[3]
LIMIT = 250_000_000
"""Bytes that the image's archive may have."""

_ERR = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.made.release", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build/release")
    parser.add_argument("--revision", default="HEAD", help="what is released (HEAD)")
    parser.add_argument(
        "--without-docker",
        action="store_true",
        help="replay the recipe, where Docker is there, too",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        try:
            source = committed(ROOT, work / "source", options.revision)
            output = options.output / source.version
            _make(source, work, output, docker=not options.without_docker and image.docker())
        except (NotReleasable, NoBase, image.Unlike) as error:
            _ERR.print(f"release: {error}")
            return 2
    for file in sorted(output.iterdir()):
        _ERR.print(f"  {file.stat().st_size:12,}  {file.name}")
    print(output)  # noqa: T201
    return 0


def _make(source: Source, work: Path, output: Path, *, docker: bool) -> None:
    _ERR.print(f"{source.version} of {source.revision[:12]}, committed {source.created}")
    notes = papers.notes(source)
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    _ERR.print("the source and the wheel")
    _python(source, work, output)
    _ERR.print("the chart and the contract")
    chart.package(source, work, output)
    contract(source, output)
    (work / "image").mkdir()
    file = output / f"{image.NAME}-{source.version}.image.oci.tar"
    packages: list[str] = []
    if docker:
        _ERR.print("the image, by docker buildx")
        image.by_docker(source, file)
    else:
        packages = image.replayed(source, work / "image", file, _ERR.print)
    if file.stat().st_size > LIMIT:
        raise NotReleasable(f"{file.name} has {file.stat().st_size} bytes, and {LIMIT} is the most")
    bill = output / "sbom.cdx.json"
    subprocess.run(
        [sys.executable, "-m", "deploy.made.sbom", "--output", bill], check=True, cwd=source.root
    )
    (output / "NOTES.md").write_text(notes)
    checksums = papers.sums(output.iterdir())
    (output / papers.SUMS).write_text(checksums)
    (output / "provenance.json").write_text(papers.provenance(source, checksums, packages))


def _python(source: Source, work: Path, output: Path) -> None:
    """The wheel is built from what the image is built from."""
    stage = work / "stage"
    recipe.lay_out(source.root, stage)
    for what, where in (("--sdist", source.root), ("--wheel", stage)):
        subprocess.run(
            [sys.executable, "-m", "build", what, "--no-isolation", "--outdir", output, where],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(source.seconds)},
        )


_WANTS_A_CHECKOUT = shutil.ignore_patterns("rehearse.py")
_PACKED = {"schemas/catalogue": "", "docs/examples": "examples", "docs/subscribing.md": "README.md"}
"""What of the checkout is in the contract, and where."""
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]+)\)")


def contract(source: Source, output: Path) -> None:
    """What a subscriber needs, and nothing else of the project."""
    tree = output / "schemas"
    shutil.copytree(source.root / "schemas/catalogue", tree)
    shutil.copytree(source.root / "docs/examples", tree / "examples", ignore=_WANTS_A_CHECKOUT)
    shutil.copyfile(source.root / "docs/subscribing.md", tree / "README.md")
    for page, origin in (("README.md", "docs"), ("examples/README.md", "docs/examples")):
        file = tree / page
        file.write_text(packed_links(file.read_text("utf-8"), page, origin), encoding="utf-8")
    packed = oci.layer(tree, source.seconds)
    (output / f"schemas-{source.version}.tar.gz").write_bytes(packed.data)
    shutil.rmtree(tree)


def packed_links(text: str, page: str, origin: str) -> str:
    """A page whose links lead to what is packed with it; of the others the words stay.

    `page`: where it is in the contract, `origin`: the folder of the checkout that it was in.
    """

    def led(link: re.Match[str]) -> str:
        words, (path, sign, heading) = link[1], link[2].partition("#")
        if not path or ":" in path:
            return link[0]
        whole = os.path.normpath(f"{origin}/{path}")
        for root, place in _PACKED.items():
            if whole == root or whole.startswith(f"{root}/"):
                there = os.path.normpath(f"{place}{whole.removeprefix(root)}".lstrip("/") or ".")
                return f"[{words}]({os.path.relpath(there, Path(page).parent)}{sign}{heading})"
        return words

    parts = text.split("```")  # prose, code, prose
    return "```".join(part if n % 2 else _LINK.sub(led, part) for n, part in enumerate(parts))


if __name__ == "__main__":
    sys.exit(main())
