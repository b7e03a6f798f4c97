"""What starts of Kafka share: whose it is, and when it is kept. Real ones: test_kafka_cluster."""

import signal
from pathlib import Path

import pytest

from deploy.local.kafka_kept import IN_GOOD_ORDER, META, Blank, Classes
from deploy.local.process import Child

FORMATTED = "#\n#Mon Nov 30\nnode.id=0\ndirectory.id=kD\nversion=1\ncluster.id=kC\n"


def facts_of(data: Path) -> dict[str, str]:
    lines = (data / META).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.fixture
def formatted(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    (data / META).write_text(FORMATTED)
    (data / "bootstrap.checkpoint").write_bytes(b"features")
    return data


def test_a_blank_storage_is_of_the_node_that_gets_it_and_its_ids_are_nobody_else_s(
    tmp_path: Path, formatted: Path
) -> None:
    blank = Blank.of(tmp_path / "jars")
    assert not blank.copy(tmp_path / "first", "kNew", 0)
    blank.keep(formatted)
    for node in range(3):
        assert blank.copy(tmp_path / str(node), "kNew", node)
    found = [facts_of(tmp_path / str(node)) for node in range(3)]
    assert [one["node.id"] for one in found] == ["0", "1", "2"]
    assert {one["cluster.id"] for one in found} == {"kNew"}
    assert len({one["directory.id"] for one in found} | {"kD"}) == 4
    assert {one["version"] for one in found} == {"1"}
    assert (tmp_path / "2" / "bootstrap.checkpoint").read_bytes() == b"features"


def test_a_storage_is_kept_once(tmp_path: Path, formatted: Path) -> None:
    blank = Blank.of(tmp_path / "jars")
    blank.keep(formatted)
    (formatted / "bootstrap.checkpoint").write_bytes(b"other")
    blank.keep(formatted)
    assert (blank.home / "bootstrap.checkpoint").read_bytes() == b"features"
    assert {entry.name for entry in tmp_path.iterdir()} == {"data", blank.home.name}


@pytest.mark.parametrize("ended", [IN_GOOD_ORDER, 128 + signal.SIGKILL])
async def test_classes_are_kept_of_a_node_that_ended_in_good_order_alone(
    tmp_path: Path, ended: int
) -> None:
    java = tmp_path / "java"
    java.touch()
    classes = Classes.of(tmp_path / "jars", str(java))
    assert classes.options(first=True) == (f"-XX:ArchiveClassesAtExit={classes.made}",)
    assert classes.options(first=False) == ()
    command = ("sh", "-c", f"echo half > {classes.made}; exit {ended}")
    node = Child("node", command, log=tmp_path / "node.log")
    await node.wait()
    classes.keep(node)
    kept = ended == IN_GOOD_ORDER
    assert classes.archive.exists() == kept
    assert not classes.made.exists()
    assert Classes.of(tmp_path / "jars", str(java)).options(first=False) == (
        (f"-XX:SharedArchiveFile={classes.archive}",) if kept else ()
    )


def test_another_java_has_classes_of_its_own(tmp_path: Path) -> None:
    for name in ("java-17", "java-21"):
        (tmp_path / name).touch()
    one, other = (Classes.of(tmp_path / "jars", str(tmp_path / n)) for n in ("java-17", "java-21"))
    assert one.archive != other.archive
