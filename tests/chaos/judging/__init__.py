"""The judge: whether what a run has left behind is what was promised. Pure; each module owns one promise.

A judge that finds nothing is worth something only because `tests/unit/chaos` shows it every kind of fault.
"""

from __future__ import annotations

from tests.chaos.evidence import Evidence
from tests.chaos.judging.ending import faults_of_ending
from tests.chaos.judging.exports import faults_of_exports
from tests.chaos.judging.order import faults_of_order
from tests.chaos.judging.records import faults_of_records
from tests.chaos.judging.transfers import faults_of_transfers


def judge(evidence: Evidence, *, once: bool) -> list[str]:
    """Every fault, in words. Where results may be repeated (`once` is false), only lost ones are faults, and a crash
    may repeat the calls of an event whose result is there already."""
    return [
        *faults_of_records(evidence, once=once),
        *faults_of_order(evidence, once=once),
        *faults_of_transfers(evidence),
        *faults_of_exports(evidence, once=once),
        *faults_of_ending(evidence),
    ]
