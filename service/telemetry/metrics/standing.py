"""How the worker stands: gauges read off a state that is taken once a second. Measures nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service.domain.record import Partition
from service.engine.state import GateState, PartitionState, WorkerState
from service.telemetry.metrics.declarations import Sampled, Samples
from service.telemetry.throughput import Rates


@dataclass(frozen=True, slots=True)
class Standing:
    """The worker's state, and what Kafka says of its partitions."""

    worker: WorkerState = field(default_factory=WorkerState)
    ends: Mapping[Partition, int] = field(default_factory=dict)
    """One past the last offset of each partition, as far as known."""
    at: float = 0.0
    """When it was taken, in seconds since 1970; 0 before the first time."""
    rates: Rates = field(default_factory=Rates)

    def lag(self, state: PartitionState) -> int | None:
        """Records from the stored offset to the end; None while the end is not known."""
        end = self.ends.get(state.partition)
        return None if end is None else max(0, end - state.stored_frontier)

    def oldest_seconds(self, state: PartitionState) -> float:
        """Age of the lowest unfinished record that is in memory; 0 where there is none."""
        return 0.0 if state.oldest_since is None else max(0.0, self.at - state.oldest_since)


_PARTITION = ("topic", "partition")


def declare_standing(sampled: Sampled[Standing]) -> None:
    """Adds the gauges."""
    _declare_partitions(sampled)
    _declare_intake(sampled)
    _declare_systems(sampled)


def _declare_partitions(sampled: Sampled[Standing]) -> None:
    sampled.gauge(
        "relay_partitions_owned", "Input partitions that this worker owns.", lambda now: len(now.worker.partitions)
    )
    sampled.gauge(
        "relay_partitions_claiming", "Input partitions that are being claimed.", lambda now: len(now.worker.claims)
    )
    sampled.gauge(
        "relay_partitions_paused",
        "Owned partitions whose intake rests, for there is enough in memory or in the metadata of their commits.",
        lambda now: sum(state.rests for state in now.worker.partitions),
    )
    sampled.gauges(
        "relay_lag_records",
        "From the committed offset of an owned partition to its end, as the tools of Kafka count it: the marker that a "
        "sender's transaction leaves behind counts too. The end is asked for every few seconds.",
        _PARTITION,
        lambda now: _by_partition(now, now.lag),
    )
    sampled.gauges(
        "relay_oldest_unfinished_seconds",
        "Age of the lowest unfinished record of an owned partition, by its timestamp; 0 where all that came is "
        "finished.",
        _PARTITION,
        lambda now: _by_partition(now, now.oldest_seconds),
    )
    sampled.gauges(
        "relay_commit_metadata_bytes",
        "Length of the metadata of the last commit, without the id of its log; 3976 is the most, and from 3000 on "
        "intake rests.",
        _PARTITION,
        lambda now: _by_partition(now, lambda state: state.metadata_bytes),
    )


def _declare_intake(sampled: Sampled[Standing]) -> None:
    sampled.gauge(
        "relay_buffered_records",
        "Records received and not settled.",
        lambda now: sum(state.unsettled for state in now.worker.partitions),
    )
    sampled.gauge(
        "relay_buffered_bytes",
        "Their bytes.",
        lambda now: sum(state.unsettled_bytes for state in now.worker.partitions),
    )
    sampled.gauge("relay_records_in_work", "Records that wait in lanes or are worked on.", lambda now: now.worker.jobs)
    sampled.gauge("relay_records_running", "Records that are worked on.", lambda now: now.worker.running)
    sampled.gauge("relay_lanes", "Entities that some record in work touches.", lambda now: now.worker.lanes)
    sampled.gauge(
        "relay_outcomes_on_hold",
        "Outcomes that cannot be stored for now.",
        lambda now: sum(state.held for state in now.worker.partitions),
    )
    sampled.gauge("relay_exports_running", "Exports that are worked on.", lambda now: len(now.worker.exports_since))
    sampled.gauge(
        "relay_export_oldest_seconds",
        "Age of the oldest of them, by the timestamp of its request; 0 where there is none.",
        lambda now: max((max(0.0, now.at - since) for since in now.worker.exports_since), default=0.0),
    )


def _declare_systems(sampled: Sampled[Standing]) -> None:
    sampled.gauges(
        "relay_circuit_waiting",
        "Attempts that wait for an open circuit.",
        ("system",),
        lambda now: _by_system(now, sum, lambda gate: gate.waiting),
    )
    sampled.gauges(
        "relay_repeats_waiting",
        "Repeats that wait because the allowance for them is spent.",
        ("system",),
        lambda now: _by_system(now, sum, lambda gate: gate.repeats_waiting),
    )
    sampled.gauges(
        "relay_repeats_left",
        "Repeats that the allowance permits at once; of several tenants the fewest.",
        ("system",),
        lambda now: _by_system(now, min, lambda gate: gate.repeats_left),
    )
    sampled.gauges(
        "relay_call_slots",
        "Calls of a system that may be under way at a time; of several tenants the fewest.",
        ("system",),
        lambda now: _by_system(now, min, lambda gate: gate.slots),
    )


def _by_partition(now: Standing, read: Callable[[PartitionState], float | None]) -> Samples:
    for state in now.worker.partitions:
        value = read(state)
        if value is not None:
            yield (state.partition.topic, str(state.partition.number)), value


def _by_system(now: Standing, merge: Callable[[Iterable[float]], float], read: Callable[[GateState], float]) -> Samples:
    values: dict[str, list[float]] = {}
    for gate in now.worker.gates:
        values.setdefault(gate.system, []).append(read(gate))
    return [((system,), merge(found)) for system, found in values.items()]
