"""The cache of Apache Kafka's files: which ones there must be, and that they are what they should be.

Owns the reading of `kafka_jars.txt` and the verification. It must not know where files come from:
`kafka_distribution.py` does.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PARALLEL_DOWNLOADS = 8


class BrokerError(Exception):
    """A broker of one's own cannot be had. The message says why, and what to do where something can be done."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long step is. `done` and `total` count bytes; both are 0 for a step that cannot be measured."""

    step: str
    done: int = 0
    total: int = 0


ProgressListener = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of `kafka_jars.txt`."""

    group: str
    artifact: str
    version: str
    size_bytes: int
    sha256: str

    def path_in(self, repository: Path) -> Path:
        """Where the file lies in a Maven repository."""
        folder = repository.joinpath(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}.jar"

    def has_size_in(self, repository: Path) -> bool:
        """Whether the file is there with the right size, which is quick to say."""
        path = self.path_in(repository)
        return path.exists() and path.stat().st_size == self.size_bytes

    def is_intact_in(self, repository: Path) -> bool:
        """Whether the file is there and is the one that the lock names."""
        if not self.has_size_in(repository):
            return False
        return hashlib.sha256(self.path_in(repository).read_bytes()).hexdigest() == self.sha256


Download = Callable[[LockedJar, Path], None]
"""Puts one file in its place in a repository, where none is. Called from several threads. Raises `BrokerError`."""


def parse_lock(text: str) -> list[LockedJar]:
    """The lines `group:artifact:version bytes sha256` of a lock; comments begin with `#`."""
    jars = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinates, size, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(LockedJar(group, artifact, version, int(size), sha256))
    return jars


def complete(repository: Path, jars: Sequence[LockedJar], download: Download, listener: ProgressListener) -> bool:
    """Sees to it that every jar is in `repository` and intact. Returns whether anything had to be fetched for that.

    Blocks. Processes and threads that do this at the same time wait for each other. What an interrupted download left
    is fetched again. Raises `BrokerError` when a file cannot be had or, once fetched, is not the one that the lock
    names.
    """
    repository.mkdir(parents=True, exist_ok=True)
    with _exclusive(repository / ".lock"):
        missing = [jar for jar in jars if not jar.is_intact_in(repository)]
        if missing:
            _fetch(repository, missing, sum(jar.size_bytes for jar in jars), download, listener)
        return bool(missing)


def _fetch(
    repository: Path, missing: list[LockedJar], total: int, download: Download, listener: ProgressListener
) -> None:
    step = "Fetching Apache Kafka"
    done = total - sum(jar.size_bytes for jar in missing)
    listener(Progress(step, done, total))
    with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
        downloads = {pool.submit(_replace, repository, jar, download): jar for jar in missing}
        try:
            for finished in as_completed(downloads):
                finished.result()
                done += downloads[finished].size_bytes
                listener(Progress(step, done, total))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after a failure, the rest need not be tried


def _replace(repository: Path, jar: LockedJar, download: Download) -> None:
    path = jar.path_in(repository)
    path.unlink(missing_ok=True)
    download(jar, repository)
    if not jar.is_intact_in(repository):
        path.unlink(missing_ok=True)
        raise BrokerError(f"{path.name} was fetched but is not the file expected: its size or SHA-256 differs")


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
