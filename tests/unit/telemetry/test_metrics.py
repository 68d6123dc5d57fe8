"""Metrics as they are declared, and as `/metrics` shows them."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from service.domain.record import Partition
from service.engine.circuit import Reason
from service.engine.state import GateState, PartitionState, WorkerState
from service.telemetry.metrics import Metrics
from service.telemetry.metrics.calls import REASONS
from service.telemetry.metrics.declarations import Declarations
from service.telemetry.metrics.standing import Standing

ONE, TWO = Partition("changes", 0), Partition("changes", 1)

OF_EVENTS = ("event_type", "outcome", "phase", "code")
OF_CALLS = ("system", "operation", "status", "reason")
OF_PARTITIONS = ("topic", "partition", "kind")
OF_THE_BUILD = ("version", "python")


def partition(
    where: Partition = ONE, *, frontier: int = 40, oldest_since: float | None = None, rests: bool = False
) -> PartitionState:
    return PartitionState(where, frontier, oldest_since, 3, 300, 17, 1, rests)


def gate(system: str, tenant: str, *, waiting: int = 0, repeats_left: float = 100.0, slots: int = 240) -> GateState:
    return GateState(system, tenant, None, waiting, repeats_left, 2, slots)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_every_metric_says_what_it_is_under_a_name_of_ours() -> None:
    for metric in Metrics().declared:
        assert metric.name.startswith("relay_")
        assert metric.text.endswith(".")
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert ("seconds" in metric.name) == metric.name.endswith(("_seconds",)), "units come last"


def test_no_metric_is_declared_twice() -> None:
    names = [metric.name for metric in Metrics().declared]

    assert len(names) == len(set(names))


def test_no_label_takes_its_value_from_an_event_or_a_tenant() -> None:
    labels = {label for metric in Metrics().declared for label in metric.labels}

    assert labels == {*OF_EVENTS, *OF_CALLS, *OF_PARTITIONS, *OF_THE_BUILD}


def test_what_is_declared_and_what_is_shown_are_the_same() -> None:
    metrics = Metrics()
    shown = {
        (family.name, family.type, family.documentation)
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        if family.name.startswith("relay_")
    }

    assert shown == {(metric.name.removesuffix("_total"), metric.kind, metric.text) for metric in metrics.declared}


def test_the_process_itself_is_measured_under_the_usual_names() -> None:
    shown = generate_latest(Metrics().registry).decode()

    assert "process_resident_memory_bytes" in shown
    assert "process_cpu_seconds_total" in shown
    assert 'relay_build_info{python="' in shown


def test_circuits_that_never_opened_are_shown_closed() -> None:
    metrics = Metrics()

    assert tuple(Reason) == REASONS
    assert value(metrics, "relay_circuits_open", system="scsb", reason="credentials") == 0


def test_a_child_is_made_once() -> None:
    counters = Declarations().counters("some_total", "Some.", ("a", "b"))

    counters["x", 1].inc()
    counters["x", 1].inc()

    assert len(counters) == 1
    assert counters["x", 1].value == 2


def test_a_partition_is_shown_while_it_is_owned() -> None:
    metrics = Metrics()
    metrics.standing.state = Standing(WorkerState((partition(oldest_since=70.0), partition(TWO))), {ONE: 45}, 100.0)
    labels = {"topic": "changes", "partition": "0"}

    owned = value(metrics, "relay_lag_records", **labels), value(metrics, "relay_oldest_unfinished_seconds", **labels)
    metadata = value(metrics, "relay_commit_metadata_bytes", **labels)
    metrics.standing.state = Standing()

    assert (owned, metadata) == ((5, 30), 17)
    assert value(metrics, "relay_lag_records", **labels) is None


def test_a_lag_that_is_not_known_is_not_shown_and_none_is_below_zero() -> None:
    metrics = Metrics()
    metrics.standing.state = Standing(WorkerState((partition(frontier=46), partition(TWO))), {ONE: 45}, 100.0)

    assert value(metrics, "relay_lag_records", topic="changes", partition="0") == 0
    assert value(metrics, "relay_lag_records", topic="changes", partition="1") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relay_partitions_owned", 2),
        ("relay_partitions_claiming", 1),
        ("relay_partitions_paused", 1),
        ("relay_buffered_records", 6),
        ("relay_buffered_bytes", 600),
        ("relay_outcomes_on_hold", 2),
        ("relay_records_in_work", 9),
        ("relay_records_running", 4),
        ("relay_lanes", 5),
        ("relay_exports_running", 2),
        ("relay_export_oldest_seconds", 90),
    ],
)
def test_what_is_in_memory_adds_up_over_partitions(name: str, expected: float) -> None:
    metrics = Metrics()
    state = WorkerState((partition(), partition(TWO, rests=True)), (ONE,), (), 9, 4, 5, (10.0, 60.0))
    metrics.standing.state = Standing(state, {}, 100.0)

    assert value(metrics, name) == expected


def test_tenants_of_one_system_are_taken_together() -> None:
    metrics = Metrics()
    gates = (
        gate("eholdings", "a", waiting=1, repeats_left=3.5),
        gate("eholdings", "b", waiting=4, slots=17),
        gate("inventory", "a"),
    )
    metrics.standing.state = Standing(WorkerState(gates=gates))

    assert value(metrics, "relay_circuit_waiting", system="eholdings") == 5
    assert value(metrics, "relay_repeats_waiting", system="eholdings") == 4
    assert value(metrics, "relay_repeats_left", system="eholdings") == 3.5
    assert value(metrics, "relay_repeats_left", system="inventory") == 100
    assert value(metrics, "relay_call_slots", system="eholdings") == 17
    assert value(metrics, "relay_call_slots", system="inventory") == 240
