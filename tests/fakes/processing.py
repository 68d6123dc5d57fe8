"""A processing with everything around it, for tests of how one record comes to its outcome."""

from __future__ import annotations

from service.domain.codes import Code
from service.domain.operations import (
    Asked,
    EventIdentity,
    Plan,
    Step,
    Transfer,
    TransferEntry,
    UpdateResource,
)
from service.domain.outcomes import Outcome
from service.engine.circuit import CircuitPolicy
from service.engine.gates import Gates
from service.engine.job import Job
from service.engine.lease import Lease
from service.engine.processing import Processing
from service.engine.retry import RetryPolicy
from service.engine.retry_allowance import RetryShare
from tests.builders.outcomes import record
from tests.fakes.recording import RecordingObserver
from tests.fakes.systems import FakeSystems

ATTEMPTS = 4
POLICY = RetryPolicy(max_attempts=ATTEMPTS, initial_seconds=1, max_seconds=20, deadline_seconds=600)
CALL_SECONDS = 0.01


def update(resource_id: str = "1-2-3") -> UpdateResource:
    return UpdateResource("diku", resource_id, {}, None)


def transfer(*items: str) -> Transfer:
    return Transfer("PUL", (), tuple(TransferEntry(Asked("scsb", "transfer-item", item), {}, {}) for item in items))


def plan(*steps: Step, traceparent: str | None = None) -> Plan:
    return Plan(EventIdentity("e1", "/ils", "holdings.changed"), "diku", traceparent, steps, frozenset())


class ProcessingSubject:
    """A processing with everything around it. Pauses are the shortest that the policy allows."""

    def __init__(
        self, concurrency: int = 10, circuit: CircuitPolicy | None = None, share: RetryShare | None = None
    ) -> None:
        self.systems = FakeSystems()
        self.observer = RecordingObserver()
        self.lease = Lease()
        self.marks = 0
        gates = Gates(circuit or CircuitPolicy(), shortest, self.observer, share=share or RetryShare())
        self.processing = Processing(self.systems, gates, POLICY, concurrency, shortest, self.observer)

    async def process(self, *steps: Step, attempted: bool = False, traceparent: str | None = None) -> Outcome:
        return await self.processing.process(self.job(*steps, attempted=attempted, traceparent=traceparent))

    def job(self, *steps: Step, attempted: bool = False, traceparent: str | None = None) -> Job:
        return Job(record(), plan(*steps, traceparent=traceparent), self.lease, self._mark, attempted)

    async def _mark(self) -> None:
        self.marks += 1


def shortest(low: float, high: float) -> float:
    return low


def codes(outcome: Outcome) -> list[Code | None]:
    return [operation.finding.code for operation in outcome.operations]
