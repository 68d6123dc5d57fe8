"""What the dashboard shows: rows, panels, and what each asks. How that becomes a dashboard is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Query(NamedTuple):
    expression: str
    legend: str


class Panel(NamedTuple):
    """A time series. `unit` is one of Grafana's."""

    title: str
    unit: str
    queries: Sequence[Query]
    text: str = ""


def quantiles(metric: str, by: str, *, legend: str) -> list[Query]:
    """The middle and the slow end of a histogram."""
    grouped = f"le, {by}" if by else "le"
    return [
        Query(
            f"histogram_quantile({share}, sum by ({grouped}) (rate({metric}_bucket{{@}}[$__rate_interval])))",
            f"{legend} p{round(share * 100)}",
        )
        for share in (0.5, 0.99)
    ]


def rates(metric: str, by: str, legend: str) -> Query:
    grouped = f" by ({by})" if by else ""
    return Query(f"sum{grouped} (rate({metric}{{@}}[$__rate_interval]))", legend)


def totals(metric: str, by: str, legend: str) -> Query:
    """Of a gauge of which each worker has a part."""
    grouped = f" by ({by})" if by else ""
    return Query(f"sum{grouped} ({metric}{{@}})", legend)


def most(metric: str, by: str, legend: str) -> Query:
    grouped = f" by ({by})" if by else ""
    return Query(f"max{grouped} ({metric}{{@}})", legend)


ROWS: dict[str, list[Panel]] = {
    "Flow": [
        Panel(
            "Events settled", "ops", [rates("relay_events_total", "event_type, outcome", "{{event_type}} {{outcome}}")]
        ),
        Panel(
            "Records received",
            "ops",
            [
                rates("relay_records_received_total", "", "received"),
                rates("relay_records_dropped_total", "", "given up to the next owner"),
            ],
        ),
        Panel(
            "Lag",
            "short",
            [Query("sum by (topic) (max by (topic, partition) (relay_lag_records{@}))", "{{topic}}")],
            "Records from the committed offsets to the ends.",
        ),
        Panel("Oldest unfinished event", "s", [most("relay_oldest_unfinished_seconds", "topic", "{{topic}}")]),
        Panel(
            "In memory",
            "short",
            [
                totals("relay_buffered_records", "", "received, not settled"),
                totals("relay_records_in_work", "", "in lanes"),
                totals("relay_records_running", "", "worked on"),
                totals("relay_lanes", "", "entities touched"),
            ],
        ),
        Panel("Bytes in memory", "bytes", [totals("relay_buffered_bytes", "pod", "{{pod}}")]),
        Panel("Rows of exports", "ops", [rates("relay_export_rows_total", "", "rows")]),
        Panel("Exports under way", "short", [totals("relay_exports_running", "", "exports")]),
        Panel("Oldest export", "s", [most("relay_export_oldest_seconds", "", "age")]),
    ],
    "Latency": [
        Panel(
            "From Kafka to the stored result",
            "s",
            quantiles("relay_event_end_to_end_seconds", "event_type", legend="{{event_type}}"),
        ),
        Panel(
            "From receipt to the stored result",
            "s",
            quantiles("relay_event_handling_seconds", "event_type", legend="{{event_type}}"),
        ),
        Panel(
            "Where the time goes",
            "s",
            [
                Query(
                    "sum by (phase) (rate(relay_event_phase_seconds_sum{@}[$__rate_interval]))"
                    " / ignoring(phase) group_left sum(rate(relay_event_handling_seconds_count{@}[$__rate_interval]))",
                    "{{phase}}",
                )
            ],
            "Seconds of one event, on average.",
        ),
    ],
    "Systems": [
        Panel("Calls", "ops", [rates("relay_calls_total", "system, operation", "{{system}} {{operation}}")]),
        Panel("Calls by status", "ops", [rates("relay_calls_total", "system, status", "{{system}} {{status}}")]),
        Panel("Duration of calls", "s", quantiles("relay_call_seconds", "system", legend="{{system}}")),
        Panel(
            "Open circuits",
            "short",
            [most("relay_circuits_open", "system, reason", "{{system}} {{reason}}")],
            "Tenants for which a system is not asked; the log says which.",
        ),
        Panel(
            "Waiting for a circuit or for a repeat",
            "short",
            [
                totals("relay_circuit_waiting", "system", "{{system}} circuit"),
                totals("relay_repeats_waiting", "system", "{{system}} repeat"),
                totals("relay_repeats_left", "system", "{{system}} repeats left"),
            ],
        ),
        Panel(
            "Calls that may be under way",
            "short",
            [Query("min by (system) (relay_call_slots{@})", "{{system}}")],
            "At a time, of one worker. Fewer than usual where RELAY_LIMITS__ADAPTIVE has found a system slow.",
        ),
        Panel(
            "Calls saved, and batches",
            "short",
            [
                rates("relay_calls_saved_total", "system", "{{system}} saved a second"),
                Query(
                    "sum by (system) (rate(relay_batch_records_sum{@}[$__rate_interval]))"
                    " / sum by (system) (rate(relay_batch_records_count{@}[$__rate_interval]))",
                    "{{system}} records a call",
                ),
            ],
        ),
    ],
    "Failures": [
        Panel("Dead letters", "ops", [rates("relay_dead_letters_total", "code", "{{code}}")]),
        Panel("Attempts repeated", "ops", [rates("relay_retries_total", "system", "{{system}}")]),
        Panel(
            "Circuits opened", "ops", [rates("relay_circuit_openings_total", "system, reason", "{{system}} {{reason}}")]
        ),
        Panel(
            "Outcomes on hold",
            "short",
            [totals("relay_outcomes_on_hold", "", "on hold"), rates("relay_outcome_holds_total", "", "held a second")],
        ),
        Panel("Defects", "ops", [rates("relay_call_defects_total", "", "attempts in which the relay failed")]),
    ],
    "Kafka": [
        Panel(
            "Commits",
            "ops",
            [
                rates("relay_commits_total", "", "stored"),
                rates("relay_commit_failures_total", "kind", "{{kind}}"),
                rates("relay_marks_total", "", "marks"),
            ],
        ),
        Panel("Duration of commits", "s", quantiles("relay_commit_seconds", "", legend="")),
        Panel(
            "Records a commit",
            "short",
            [
                Query(
                    "sum(rate(relay_commit_records_sum{@}[$__rate_interval]))"
                    " / sum(rate(relay_commit_records_count{@}[$__rate_interval]))",
                    "records",
                )
            ],
        ),
        Panel(
            "Partitions",
            "short",
            [
                totals("relay_partitions_owned", "pod", "{{pod}}"),
                totals("relay_partitions_claiming", "", "being claimed"),
                totals("relay_partitions_paused", "", "resting"),
            ],
        ),
        Panel(
            "Taken and lost",
            "ops",
            [
                rates("relay_partitions_taken_total", "", "taken"),
                rates("relay_partitions_lost_total", "", "lost"),
                rates("relay_kafka_failures_total", "", "Kafka away"),
            ],
        ),
        Panel(
            "Metadata of commits",
            "bytes",
            [
                most("relay_commit_metadata_bytes", "topic, partition", "{{topic}} {{partition}}"),
                rates("relay_commit_metadata_damaged_total", "", "damaged"),
            ],
            "3,976 is the most; from 3,000 on intake rests.",
        ),
    ],
    "Process": [
        Panel("Processor", "percentunit", [rates("process_cpu_seconds_total", "pod", "{{pod}}")]),
        Panel("Memory", "bytes", [totals("process_resident_memory_bytes", "pod", "{{pod}}")]),
        Panel("Delay of the event loop", "s", quantiles("relay_loop_delay_seconds", "pod", legend="{{pod}}")),
        Panel(
            "Stalls and suspensions",
            "ops",
            [
                rates("relay_stalls_total", "pod", "{{pod}} stalled"),
                rates("relay_suspensions_total", "pod", "{{pod}} suspended"),
                rates("relay_silences_total", "pod", "{{pod}} out of touch"),
            ],
        ),
        Panel(
            "Starts", "short", [Query("changes(process_start_time_seconds{@}[1h])", "{{pod}}")], "Within the last hour."
        ),
        Panel(
            "Versions",
            "short",
            [
                Query("count by (version, python) (relay_build_info{@})", "{{version}}, Python {{python}}"),
                rates("relay_metrics_events_total", "outcome", "reports {{outcome}}"),
            ],
        ),
    ],
}
