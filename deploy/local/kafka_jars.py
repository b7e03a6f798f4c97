"""Jars of others, Apache Kafka's with its commands first, fetched once per machine and version.

What always holds: the cache lies outside the checkout, and a version that is there is complete,
because it appears by one rename.
"""

import os
import tempfile
from pathlib import Path

from deploy.local.process import Child, find_program

KAFKA_VERSION = "4.1.1"
# What Kafka's own distribution adds, so that its loggers (SLF4J 1.7) reach Log4j.
BINDING_VERSION = "2.24.3"
FETCH_SECONDS = 600.0

DEPENDENCIES = f"""\
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka-tools</artifactId>
      <version>{KAFKA_VERSION}</version>
      <exclusions>
        <exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>{BINDING_VERSION}</version>
    </dependency>
"""

POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>jars</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
{dependencies}  </dependencies>
</project>
"""


async def kafka_jars(directory: Path) -> Path:
    """The folder of Kafka's own; see `fetched_jars`."""
    return await fetched_jars(directory, f"kafka-{KAFKA_VERSION}-tools", DEPENDENCIES)


async def fetched_jars(directory: Path, name: str, dependencies: str) -> Path:
    """The folder of the jars that these dependencies of a POM bring; `name` has their version.

    `directory` receives Maven's log if they have to be fetched. Raises PartError when that needs
    Maven and there is none, or Maven fails.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "connecte"
    jars = cache / name
    if jars.is_dir():
        return jars
    maven = find_program("mvn")
    cache.mkdir(parents=True, exist_ok=True)
    # Beside its destination, because a rename cannot cross file systems.
    with tempfile.TemporaryDirectory(prefix="jars-", dir=cache) as work:
        pom = Path(work) / "pom.xml"
        pom.write_text(POM.format(dependencies=dependencies))
        fetched = Path(work) / "jars"
        command: list[str | Path] = [maven, "--batch-mode", "--quiet", "--file", pom]
        command += ["dependency:copy-dependencies", f"-DoutputDirectory={fetched}"]
        command += ["-DincludeScope=runtime"]
        await Child("maven", command, log=directory / "maven.log").succeed(FETCH_SECONDS)
        try:
            fetched.rename(jars)
        except OSError:
            # Someone else was faster, and theirs is as good.
            if not jars.is_dir():
                raise
    return jars
