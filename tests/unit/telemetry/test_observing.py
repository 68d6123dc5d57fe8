"""What the engine reports, as metrics and log lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.domain.outcomes import Rejection
from service.engine.offsets import Position
from service.engine.rejecting import reject
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry
from tests.builders.outcomes import CHANGES, OK, REFUSED, operation, outcome, record


class Subject:
    """A telemetry with its metrics and what it has logged."""

    def __init__(self, logged: list[Any]) -> None:
        self.metrics = Metrics()
        self.telemetry = Telemetry(self.metrics)
        self.logged = logged

    def value(self, name: str, **labels: str) -> float:
        """0 where nothing was measured."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def line(self, event: str) -> dict[str, Any]:
        """The one line of this name."""
        (line,) = [line for line in self.logged if line["event"] == event]
        return dict(line)


@pytest.fixture
def subject() -> Iterator[Subject]:
    with capture_logs() as logged:
        yield Subject(logged)


def test_a_settled_record_counts_by_type_and_outcome_and_is_a_line_for_debugging(subject: Subject) -> None:
    subject.telemetry.received(record())
    in_work = subject.value("relay_records_in_work")

    subject.telemetry.settled(outcome(operation(OK)))

    assert (in_work, subject.value("relay_records_in_work")) == (1, 0)
    assert subject.value("relay_events_total", event_type="holdings.changed", outcome="succeeded") == 1
    assert subject.value("relay_event_seconds_count", event_type="holdings.changed") == 1
    assert subject.value("relay_dead_letters_total", code="refused") == 0
    assert subject.line("record.settled") == {
        "event": "record.settled",
        "log_level": "debug",
        "topic": "holdings.changes",
        "partition": 3,
        "offset": 42,
        "event_id": "e1",
        "outcome": "succeeded",
    }


def test_a_dead_letter_counts_by_code_and_is_an_error_that_says_what_and_where(subject: Subject) -> None:
    subject.telemetry.settled(outcome(operation(OK), operation(REFUSED)))

    assert subject.value("relay_events_total", event_type="holdings.changed", outcome="partial") == 1
    assert subject.value("relay_dead_letters_total", code="refused") == 1
    assert subject.line("record.dead_lettered") == {
        "event": "record.dead_lettered",
        "log_level": "error",
        "topic": "holdings.changes",
        "partition": 3,
        "offset": 42,
        "event_id": "e1",
        "tenant": "diku",
        "outcome": "partial",
        "code": "refused",
        "system": "eholdings",
        "target": "1-2-3",
        "status": 422,
        "message": "Start date must precede end date",
    }


@pytest.mark.parametrize("event_type", [None, "made up by a sender"])
def test_a_type_that_is_not_known_makes_no_label_of_its_own(event_type: str | None, subject: Subject) -> None:
    rejection = Rejection(Code.UNKNOWN_TYPE, "no such type", EventIdentity("e1", "/ils", event_type))

    subject.telemetry.settled(reject(record(), rejection))

    assert subject.value("relay_events_total", event_type="none", outcome="failed") == 1
    assert subject.value("relay_dead_letters_total", code="unknown-type") == 1


def test_a_record_is_in_work_until_it_is_settled_or_dropped(subject: Subject) -> None:
    for offset in range(3):
        subject.telemetry.received(record(offset))

    subject.telemetry.settled(outcome())
    subject.telemetry.dropped(record(1), "lost")

    assert subject.value("relay_records_in_work") == 1
    assert subject.line("record.dropped")["reason"] == "lost"


def test_a_retry_counts_by_system_and_is_a_warning(subject: Subject) -> None:
    subject.telemetry.retrying(record(), "scsb", 2, 1.23456, "HTTP 503")

    assert subject.value("relay_retries_total", system="scsb") == 1
    line = subject.line("call.retry_scheduled")
    assert (line["log_level"], line["attempts"], line["pause_seconds"], line["message"]) == (
        "warning",
        2,
        1.235,
        "HTTP 503",
    )


def test_commits_count_with_their_duration(subject: Subject) -> None:
    subject.telemetry.committed(CHANGES, 7, 0.04)
    subject.telemetry.commit_failed(CHANGES, "no leader")

    assert subject.value("relay_commits_total") == 1
    assert subject.value("relay_commit_seconds_sum") == pytest.approx(0.04)
    assert subject.value("relay_commit_failures_total") == 1
    assert subject.line("commit.failed")["reason"] == "no leader"


def test_partitions_count_while_they_are_owned(subject: Subject) -> None:
    subject.telemetry.partition_taken(CHANGES, Position(5, ((7, 9), (12, 13))))
    owned = subject.value("relay_partitions_owned")
    subject.telemetry.partition_lost(CHANGES, "fenced")
    subject.telemetry.partition_released(CHANGES, "fenced")

    assert (owned, subject.value("relay_partitions_owned")) == (1, 0)
    taken = subject.line("partition.taken")
    assert (taken["topic"], taken["partition"], taken["offset"], taken["finished_beyond"]) == (*CHANGES, 5, 3)
    assert subject.line("partition.lost")["log_level"] == "warning"


def test_calls_count_by_status_and_no_answer_is_0(subject: Subject) -> None:
    subject.telemetry.call_finished("eholdings", "update", 204, 0.02)
    subject.telemetry.call_finished("eholdings", "update", None, 30.0)

    assert subject.value("relay_calls_total", system="eholdings", operation="update", status="204") == 1
    assert subject.value("relay_calls_total", system="eholdings", operation="update", status="0") == 1
    assert subject.value("relay_call_seconds_count", system="eholdings") == 2


def test_an_open_circuit_counts_under_its_reason_until_it_closes(subject: Subject) -> None:
    def opened(reason: str) -> float:
        return subject.value("relay_circuits_open", system="eholdings", reason=reason)

    subject.telemetry.circuit_opened("eholdings", "diku", "failing", "HTTP 500")
    subject.telemetry.circuit_opened("eholdings", "other", "failing", "HTTP 500")
    two_failing = opened("failing")
    subject.telemetry.circuit_opened("eholdings", "diku", "quota", "over the limit")
    after_another_reason = (opened("failing"), opened("quota"))
    subject.telemetry.circuit_closed("eholdings", "diku")
    subject.telemetry.circuit_closed("eholdings", "other")

    assert (two_failing, after_another_reason) == (2, (1, 1))
    assert (opened("failing"), opened("quota")) == (0, 0)


def test_systems_that_refuse_our_credentials_are_named(subject: Subject) -> None:
    subject.telemetry.circuit_opened("scsb", None, "credentials", "HTTP 401")
    subject.telemetry.circuit_opened("eholdings", "diku", "credentials", "HTTP 403")
    subject.telemetry.circuit_opened("inventory", "diku", "failing", "HTTP 500")
    refused = subject.telemetry.refused_credentials
    subject.telemetry.circuit_closed("scsb", None)

    assert refused == ["eholdings/diku", "scsb"]
    assert subject.telemetry.refused_credentials == ["eholdings/diku"]


def test_damaged_metadata_and_suspensions_are_counted(subject: Subject) -> None:
    subject.telemetry.metadata_damaged(CHANGES, "wrong checksum")
    subject.telemetry.suspended(61.23456)

    assert subject.value("relay_commit_metadata_damaged_total") == 1
    assert subject.line("commit.metadata_damaged")["reason"] == "wrong checksum"
    assert subject.value("relay_suspensions_total") == 1
    assert subject.line("worker.suspended")["seconds"] == 61.235


def test_kafka_that_cannot_be_had_is_an_error(subject: Subject) -> None:
    subject.telemetry.source_failed("no brokers")

    assert subject.line("kafka.unavailable") == {
        "event": "kafka.unavailable",
        "log_level": "error",
        "reason": "no brokers",
    }


def test_no_label_takes_its_value_from_an_event() -> None:
    names = {label for family in Metrics().registry.collect() for sample in family.samples for label in sample.labels}

    assert names.isdisjoint({"event_id", "tenant", "target", "message", "offset", "key"})


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_ATTEMPTED])
def test_every_code_that_can_come_first_can_be_counted(code: Code, subject: Subject) -> None:
    subject.telemetry.settled(outcome(operation(failed(code, None, "no"))))

    assert subject.value("relay_dead_letters_total", code=code) == 1
