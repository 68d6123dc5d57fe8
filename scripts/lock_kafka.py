"""Writes the list of the files that Apache Kafka consists of, with their sizes and SHA-256: run by `make lock`.

Resolves the coordinates below through jgo, fetches every file they need, and prints one line for each. The broker
fetches exactly these files later, without resolving anything again, and refuses what differs.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import Dependency, MavenContext
from jgo.parse import Coordinate

KAFKA_VERSION = "4.2.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",  # the broker
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}",  # formats the broker's folder
    "org.slf4j:slf4j-simple:1.7.36",  # writes the broker's log; the version of their slf4j-api
)


def locked_line(dependency: Dependency) -> str:
    """`group:artifact:version size sha256` of one file."""
    artifact = dependency.artifact
    if artifact.classifier or artifact.packaging != "jar":
        sys.exit(f"{artifact}: only plain jars can be locked")
    content = artifact.resolve().read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return f"{artifact.groupId}:{artifact.artifactId}:{artifact.version} {len(content)} {sha256}"


def main() -> None:
    """Prints the list, sorted, under a heading that says where it comes from."""
    with tempfile.TemporaryDirectory() as folder:
        context = MavenContext(repo_cache=Path(folder), timeout=60)
        wanted = [context.create_dependency(Coordinate.parse(text)) for text in COORDINATES]
        inputs, transitive = context.resolver.resolve(wanted)
        lines = sorted(locked_line(dependency) for dependency in [*inputs, *transitive])
    print(f"# Apache Kafka {KAFKA_VERSION}: group:artifact:version, bytes, SHA-256. Written by `make lock`.")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
