"""OCI image layouts: what registries, `skopeo`, `crane`, `podman` and `helm` take, as one tar file.

Always holds: the same content gives the same bytes: names in order, no owner, no time but the
one that is given.
"""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
PAX = tarfile.PAX_FORMAT
LEVEL = 6  # of gzip: 9 takes four times as long for one per cent less

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its bytes, compressed, and the digest of what is inside."""

    data: bytes
    diff_id: str


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer(tree: Path, seconds: int) -> Layer:
    """A folder as a layer, with the modes that its files have; times are `seconds` since 1970."""
    held = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", LEVEL, held, mtime=0) as packed,
        tarfile.open(fileobj=(inside := _Hashed(packed)), mode="w|", format=PAX) as tar,
    ):
        for path in sorted(tree.rglob("*")):
            info = tar.gettarinfo(path, path.relative_to(tree).as_posix())
            if info.islnk():  # a hard link would point to whatever came first
                info.type, info.linkname, info.size = tarfile.REGTYPE, "", path.stat().st_size
            info.uid = info.gid = 0
            info.uname = info.gname = ""
            info.mtime = seconds
            if info.isreg():
                with path.open("rb") as file:
                    tar.addfile(info, file)
            else:
                tar.addfile(info)
    return Layer(held.getvalue(), f"sha256:{inside.sum.hexdigest()}")


class _Hashed(io.RawIOBase):
    """Passes on what is written to it, and sums it up."""

    def __init__(self, inner: gzip.GzipFile) -> None:
        self.inner = inner
        self.sum = hashlib.sha256()

    def write(self, data: Any) -> int:
        self.sum.update(data)
        return self.inner.write(data)


class Layout:
    """A layout in the making: blobs, then one manifest, which is its whole index."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def _blob(self, media_type: str, data: bytes, annotations: Object | None = None) -> Object:
        """Its descriptor."""
        self._blobs[digest(data)] = data
        found: Object = {"mediaType": media_type, "digest": digest(data), "size": len(data)}
        return {**found, "annotations": annotations} if annotations else found

    def image(self, config: Object, layers: list[tuple[Layer, str]], created: str) -> Object:
        """The manifest's descriptor; of each layer what made it, in words; `created`: RFC 3339."""
        document = {
            "architecture": "amd64",
            "os": "linux",
            "created": created,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [one.diff_id for one, _ in layers]},
            "history": [{"created": created, "created_by": how} for _, how in layers],
        }
        return self.artefact(
            (CONFIG, _json(document)),
            [(LAYER, one.data, {}) for one, _ in layers],
            config.get("Labels", {}),
        )

    def artefact(
        self,
        config: tuple[str, bytes],
        layers: list[tuple[str, bytes, Object]],
        annotations: Mapping[str, str],
    ) -> Object:
        """The descriptor of a manifest of anything: media types, bytes, annotations."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(*config),
            "layers": [self._blob(*one) for one in layers],
            "annotations": dict(annotations),
        }
        return self._blob(MANIFEST, _json(manifest))

    def write(self, path: Path, manifest: Object, name: str, seconds: int) -> None:
        """The layout as a tar file, its one manifest under a `name` (a tag)."""
        named = {**manifest, "annotations": {"org.opencontainers.image.ref.name": name}}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
        files = {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({**index, "manifests": [named]}),
            **{f"blobs/{key.replace(':', '/')}": data for key, data in self._blobs.items()},
        }
        with tarfile.open(path, "w", format=PAX) as tar:
            for file, data in sorted(files.items()):
                info = tarfile.TarInfo(file)
                info.size, info.mtime, info.mode = len(data), seconds, 0o644
                tar.addfile(info, io.BytesIO(data))


def _json(document: Object) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
