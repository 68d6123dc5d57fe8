"""What the engine reports, as metrics and log lines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from service.domain.answers import failed
from service.domain.codes import Code
from service.domain.operations import EventIdentity
from service.domain.outcomes import Rejection, TimeSpent
from service.engine.offsets import Position
from service.engine.ports import Commit, CommitFailure
from service.engine.rejecting import reject
from service.telemetry.log_events import LOG_EVENTS
from service.telemetry.metrics import Metrics
from service.telemetry.observing import Telemetry
from tests.builders.outcomes import CHANGES, OK, REFUSED, operation, outcome, record
from tests.fakes.processing import plan


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
        """The one line of this name, which has the level and the fields that are declared."""
        (line,) = [line for line in self.logged if line["event"] == event]
        (declared,) = [declared for declared in LOG_EVENTS if declared.name == event]
        assert line["log_level"] == declared.level
        assert line.keys() - {"event", "log_level"} == set(declared.fields)
        return dict(line)


@pytest.fixture
def subject() -> Iterator[Subject]:
    with capture_logs() as logged:
        yield Subject(logged)


def test_a_settled_record_counts_by_type_and_outcome_and_is_a_line_for_debugging(subject: Subject) -> None:
    subject.telemetry.received(record())

    subject.telemetry.settled(outcome(operation(OK)))

    assert subject.value("relay_records_received_total") == 1
    assert subject.value("relay_events_total", event_type="holdings.changed", outcome="succeeded") == 1
    assert subject.value("relay_event_handling_seconds_count", event_type="holdings.changed") == 1
    assert subject.value("relay_dead_letters_total", code="refused") == 0
    assert subject.line("record.settled") == {
        "event": "record.settled",
        "log_level": "debug",
        "topic": "holdings.changes",
        "partition": 3,
        "offset": 42,
        "event_id": "e1",
        "tenant": "diku",
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


def test_settled_events_can_be_counted_by_their_outcome(subject: Subject) -> None:
    for operations in ((operation(OK),), (operation(OK),), (operation(REFUSED),)):
        subject.telemetry.settled(outcome(*operations))
    subject.telemetry.settled(reject(record(), Rejection(Code.UNREADABLE, "not JSON")))

    assert subject.metrics.events.settled_by_outcome() == {"succeeded": 2, "failed": 2}


@pytest.mark.parametrize("event_type", [None, "made up by a sender"])
def test_a_type_that_is_not_known_makes_no_label_of_its_own(event_type: str | None, subject: Subject) -> None:
    rejection = Rejection(Code.UNKNOWN_TYPE, "no such type", EventIdentity("e1", "/ils", event_type))

    subject.telemetry.settled(reject(record(), rejection))

    assert subject.value("relay_events_total", event_type="none", outcome="failed") == 1
    assert subject.value("relay_dead_letters_total", code="unknown-type") == 1


def test_a_record_that_is_dropped_counts_and_is_a_line_for_debugging(subject: Subject) -> None:
    subject.telemetry.dropped(record(1), "lost")

    assert subject.value("relay_records_dropped_total") == 1
    line = subject.line("record.dropped")
    assert (line["log_level"], line["offset"], line["reason"]) == ("debug", 1, "lost")


def test_latency_counts_from_the_timestamp_of_the_record_and_from_its_receipt(subject: Subject) -> None:
    now = time.time()
    late = record()._replace(sent_at=now - 100, received_at=now - 10)

    subject.telemetry.settled(outcome(of=late))

    assert subject.value("relay_event_end_to_end_seconds_sum", event_type="holdings.changed") == pytest.approx(
        100, abs=1
    )
    assert subject.value("relay_event_handling_seconds_sum", event_type="holdings.changed") == pytest.approx(10, abs=1)


def test_a_record_without_a_timestamp_has_no_latency_from_end_to_end(subject: Subject) -> None:
    subject.telemetry.settled(outcome(of=record()))

    assert subject.value("relay_event_end_to_end_seconds_count", event_type="holdings.changed") == 0


def test_the_time_of_an_event_is_split_into_phases(subject: Subject) -> None:
    told = replace(outcome(), spent=TimeSpent(lane=1, gate=2, call=3, pause=4), finished_at=time.time() - 5)

    subject.telemetry.settled(told)

    spent = {
        phase: subject.value("relay_event_phase_seconds_sum", event_type="holdings.changed", phase=phase)
        for phase in ("lane", "gate", "call", "pause", "commit")
    }
    assert spent == {"lane": 1, "gate": 2, "call": 3, "pause": 4, "commit": pytest.approx(5, abs=1)}


def test_an_outcome_that_is_held_counts_and_is_an_error(subject: Subject) -> None:
    subject.telemetry.held(outcome(), "the topic is gone")

    assert subject.value("relay_outcome_holds_total") == 1
    line = subject.line("record.held")
    assert (line["log_level"], line["event_id"], line["reason"]) == ("error", "e1", "the topic is gone")


def test_a_defect_counts_and_tells_its_place_but_not_its_words(subject: Subject) -> None:
    try:
        raise LookupError("a secret")
    except LookupError as error:
        subject.telemetry.broken(record(), plan(), error)

    assert subject.value("relay_call_defects_total") == 1
    line = subject.line("call.broken")
    assert line["error"] == "LookupError"
    assert "test_observing.py" in line["places"][0]
    assert "a secret" not in str(line)


def test_a_retry_counts_by_system_and_is_a_warning(subject: Subject) -> None:
    subject.telemetry.retrying(record(), plan(), "scsb", 2, 1.23456, "HTTP 503")

    assert subject.value("relay_retries_total", system="scsb") == 1
    line = subject.line("call.retry_scheduled")
    assert line == {
        "event": "call.retry_scheduled",
        "log_level": "warning",
        "topic": "holdings.changes",
        "partition": 3,
        "offset": 42,
        "event_id": "e1",
        "tenant": "diku",
        "system": "scsb",
        "attempts": 2,
        "pause_seconds": 1.235,
        "message": "HTTP 503",
    }


def test_commits_count_with_what_they_stored_and_their_duration(subject: Subject) -> None:
    subject.telemetry.committed(CHANGES, Commit(records=7, rows=2, marks=3, seconds=0.04))

    assert subject.value("relay_commits_total") == 1
    assert subject.value("relay_commit_seconds_sum") == pytest.approx(0.04)
    assert subject.value("relay_commit_records_sum") == 7
    assert subject.value("relay_export_rows_total") == 2
    assert subject.value("relay_marks_total") == 3


@pytest.mark.parametrize("kind", CommitFailure)
def test_commits_that_fail_count_by_kind_and_are_errors(kind: CommitFailure, subject: Subject) -> None:
    subject.telemetry.commit_failed(CHANGES, kind, "no leader")

    counted = {other: subject.value("relay_commit_failures_total", kind=other) for other in CommitFailure}
    assert counted == {other: other is kind for other in CommitFailure}
    line = subject.line("commit.failed")
    assert (line["log_level"], line["kind"], line["reason"]) == ("error", kind, "no leader")


def test_partitions_that_come_and_go_are_told(subject: Subject) -> None:
    subject.telemetry.partition_taken(CHANGES, Position(5, ((7, 9), (12, 13))))
    subject.telemetry.partition_lost(CHANGES, "fenced")
    subject.telemetry.partition_released(CHANGES, "fenced")

    assert subject.value("relay_partitions_taken_total") == 1
    assert subject.value("relay_partitions_lost_total") == 1
    taken = subject.line("partition.taken")
    assert (taken["topic"], taken["partition"], taken["offset"], taken["finished_beyond"]) == (*CHANGES, 5, 3)
    assert subject.line("partition.lost")["log_level"] == "warning"


def test_calls_count_by_status_and_no_answer_is_0(subject: Subject) -> None:
    subject.telemetry.call_finished("eholdings", "update", 204, 0.02)
    subject.telemetry.call_finished("eholdings", "update", None, 30.0)

    assert subject.value("relay_calls_total", system="eholdings", operation="update", status="204") == 1
    assert subject.value("relay_calls_total", system="eholdings", operation="update", status="0") == 1
    labels = {"system": "eholdings", "operation": "update"}
    assert subject.value("relay_call_seconds_sum", **labels, status="204") == pytest.approx(0.02)
    assert subject.value("relay_call_seconds_sum", **labels, status="0") == pytest.approx(30)


@pytest.mark.parametrize(("status", "label"), [(599, "500"), (299, "200"), (999, "900"), (418, "418")])
def test_a_status_that_http_does_not_know_makes_no_label_of_its_own(status: int, label: str, subject: Subject) -> None:
    subject.telemetry.call_finished("eholdings", "update", status, 0.02)

    assert subject.value("relay_calls_total", system="eholdings", operation="update", status=label) == 1


def test_saved_calls_and_the_sizes_of_batches_are_counted(subject: Subject) -> None:
    subject.telemetry.call_saved("eholdings", "put")
    subject.telemetry.batch_sent("inventory", 40)

    assert subject.value("relay_calls_saved_total", system="eholdings", operation="put") == 1
    assert subject.value("relay_batch_records_sum", system="inventory") == 40


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


def test_open_circuits_are_named_with_their_reason_and_since_when(subject: Subject) -> None:
    before = time.time()
    subject.telemetry.circuit_opened("scsb", None, "credentials", "HTTP 401")
    subject.telemetry.circuit_opened("eholdings", "diku", "failing", "HTTP 500")
    both = subject.telemetry.open_circuits
    subject.telemetry.circuit_closed("scsb", None)

    assert subject.line("circuit.closed")["open_seconds"] >= 0
    assert [(circuit.name, circuit.reason, circuit.message) for circuit in both] == [
        ("eholdings/diku", "failing", "HTTP 500"),
        ("scsb", "credentials", "HTTP 401"),
    ]
    assert all(before <= circuit.since <= time.time() for circuit in both)
    assert [circuit.name for circuit in subject.telemetry.open_circuits] == ["eholdings/diku"]
    assert subject.value("relay_circuit_openings_total", system="scsb", reason="credentials") == 1


def test_damaged_metadata_and_suspensions_are_counted(subject: Subject) -> None:
    subject.telemetry.metadata_damaged(CHANGES, "wrong checksum")
    subject.telemetry.suspended(61.23456)

    assert subject.value("relay_commit_metadata_damaged_total") == 1
    assert subject.line("commit.metadata_damaged")["reason"] == "wrong checksum"
    assert subject.value("relay_suspensions_total") == 1
    assert subject.line("worker.suspended")["seconds"] == 61.235


def test_silences_of_the_group_are_counted_and_their_end_is_told(subject: Subject) -> None:
    subject.telemetry.out_of_touch(22.51234)
    subject.telemetry.in_touch_again()

    assert subject.value("relay_silences_total") == 1
    assert subject.line("worker.out_of_touch")["seconds"] == 22.512
    assert subject.line("worker.in_touch")["event"] == "worker.in_touch"


def test_kafka_that_cannot_be_had_is_an_error(subject: Subject) -> None:
    subject.telemetry.source_failed("no brokers")

    assert subject.value("relay_kafka_failures_total") == 1
    assert subject.line("kafka.unavailable") == {
        "event": "kafka.unavailable",
        "log_level": "error",
        "reason": "no brokers",
    }


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.NOT_ATTEMPTED])
def test_every_code_that_can_come_first_can_be_counted(code: Code, subject: Subject) -> None:
    subject.telemetry.settled(outcome(operation(failed(code, None, "no"))))

    assert subject.value("relay_dead_letters_total", code=code) == 1


def test_a_circuit_that_opens_is_an_error_with_the_words_of_the_system(subject: Subject) -> None:
    subject.telemetry.circuit_opened("eholdings", "diku", "quota", "Limit Exceeded")

    assert subject.line("circuit.opened")["message"] == "Limit Exceeded"


def test_a_stall_counts_and_is_told_with_the_stacks(subject: Subject) -> None:
    subject.telemetry.stalled("the event loop is blocked", ["thread MainThread: here"])

    assert subject.value("relay_stalls_total") == 1
    assert subject.line("worker.stalled")["stacks"] == ["thread MainThread: here"]
