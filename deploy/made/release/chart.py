"""The chart as Helm packages it, and the same as an OCI artefact for a registry."""

import json
import shutil
from pathlib import Path

import helm_python

from deploy.made.release import oci
from deploy.made.release.source import Source

CONFIG = "application/vnd.cncf.helm.config.v1+json"
CONTENT = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def package(source: Source, work: Path, output: Path) -> tuple[Path, Path]:
    """The chart, packaged as Helm does, and the same as an OCI artefact: the two files."""
    helm_python.package(
        source.root / "deploy/chart",
        destination=work,
        version=source.version,
        app_version=source.version,
    )
    (packed,) = work.glob("*.tgz")
    archive = output / packed.name
    shutil.copyfile(packed, archive)
    with helm_python.Chart.load(str(archive)) as loaded:
        about = dict(loaded.metadata)
    layout = oci.Layout()
    manifest = layout.artefact(
        (CONFIG, json.dumps(about, sort_keys=True).encode()),
        [(CONTENT, archive.read_bytes(), {})],
        {
            "org.opencontainers.image.title": about["name"],
            "org.opencontainers.image.version": source.version,
            "org.opencontainers.image.created": source.created,
        },
    )
    written = output / f"{archive.stem}.oci.tar"
    layout.write(written, manifest, source.version, source.seconds)
    return archive, written
