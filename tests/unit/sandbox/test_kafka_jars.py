"""The cache of Apache Kafka's files: what is fetched, what is refused, and who waits for whom."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from threading import Lock

import pytest

from service.sandbox.kafka_jars import BrokerError, LockedJar, Progress, complete, parse_lock


def locked(artifact: str, content: bytes) -> LockedJar:
    return LockedJar("org.example", artifact, "1.0", len(content), hashlib.sha256(content).hexdigest())


FIRST, SECOND = b"the first jar", b"the second jar"
JARS = [locked("first", FIRST), locked("second", SECOND)]


class FakeMaven:
    """Serves what it is given, and like jgo writes straight to a file's place, where none may be."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.served: list[str] = []
        self._lock = Lock()

    def __call__(self, jar: LockedJar, repository: Path) -> None:
        path = jar.path_in(repository)
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.contents[jar.artifact])
        with self._lock:
            self.served.append(jar.artifact)


@pytest.fixture
def maven() -> FakeMaven:
    return FakeMaven(first=FIRST, second=SECOND)


def ignore(_: Progress) -> None: ...


def test_what_is_missing_is_fetched_once(tmp_path: Path, maven: FakeMaven) -> None:
    assert complete(tmp_path, JARS, maven, ignore) is True
    assert complete(tmp_path, JARS, maven, ignore) is False

    assert sorted(maven.served) == ["first", "second"]
    assert (tmp_path / "org/example/first/1.0/first-1.0.jar").read_bytes() == FIRST


@pytest.mark.parametrize("left_behind", [b"", FIRST[:5], b"x" * len(FIRST)], ids=["empty", "cut short", "damaged"])
def test_a_damaged_file_is_fetched_again_and_the_others_are_not(
    tmp_path: Path, maven: FakeMaven, left_behind: bytes
) -> None:
    complete(tmp_path, JARS, maven, ignore)
    maven.served.clear()
    JARS[0].path_in(tmp_path).write_bytes(left_behind)

    assert complete(tmp_path, JARS, maven, ignore) is True

    assert maven.served == ["first"]
    assert JARS[0].path_in(tmp_path).read_bytes() == FIRST


def test_a_fetched_file_that_is_not_the_one_expected_is_refused_and_removed(tmp_path: Path, maven: FakeMaven) -> None:
    maven.contents["second"] = b"something else"

    with pytest.raises(BrokerError, match=r"second-1\.0\.jar was fetched but is not the file expected"):
        complete(tmp_path, JARS, maven, ignore)

    assert not JARS[1].path_in(tmp_path).exists()


def test_two_that_fetch_at_the_same_time_fetch_each_file_once_between_them(tmp_path: Path, maven: FakeMaven) -> None:
    with ThreadPoolExecutor(2) as pool:
        fetched = [pool.submit(complete, tmp_path, JARS, maven, ignore) for _ in range(2)]

    assert sorted(future.result() for future in fetched) == [False, True]
    assert sorted(maven.served) == ["first", "second"]


def test_progress_counts_bytes_from_what_is_there_already_to_all_of_them(tmp_path: Path, maven: FakeMaven) -> None:
    complete(tmp_path, JARS[:1], maven, ignore)
    heard: list[Progress] = []

    complete(tmp_path, JARS, maven, heard.append)

    total = len(FIRST) + len(SECOND)
    assert [(progress.done, progress.total) for progress in heard] == [(len(FIRST), total), (total, total)]


def test_a_lock_is_read_without_its_comments() -> None:
    text = "# heading\norg.example:thing:1.2 34 abcdef\n"

    assert parse_lock(text) == [LockedJar("org.example", "thing", "1.2", 34, "abcdef")]


def test_the_lock_that_ships_names_the_broker_and_its_formatter_in_one_version() -> None:
    jars = parse_lock(resources.files("service.sandbox").joinpath("kafka_jars.txt").read_text("utf-8"))

    versions = {jar.artifact: jar.version for jar in jars if jar.group == "org.apache.kafka"}
    assert versions["kafka_2.13"] == versions["kafka-tools"] == versions["kafka-clients"]
    assert all(len(jar.sha256) == 64 and jar.size_bytes > 0 for jar in jars)
    assert len({(jar.group, jar.artifact) for jar in jars}) == len(jars)
