"""A trace from the sender of an event through the relay into the systems, as a collector gets it."""

from __future__ import annotations

from typing import Any

from service.sandbox.eholdings.seeds import eholdings_state, resource
from tests.support.collector import Collector
from tests.support.relay import changed, relay

RESOURCE = "22-1-2"
TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SENDER}-01"


def update(statement: str) -> dict[str, Any]:
    attributes = {"coverageStatement": statement}
    return {"eholdings": {"action": "update", "resourceId": RESOURCE, "attributes": attributes}}


async def test_the_sender_the_event_and_its_calls_are_one_trace(kafka: str) -> None:
    async with relay(kafka) as running, Collector() as collector:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        worker = await running.start_worker(**collector.settings)

        await running.send(changed("e1", RESOURCE, update("since 1998"), traceparent=TRACEPARENT))
        (result,) = await running.results_of(1)
        exit_codes = await running.stop()

        assert (result["outcome"], exit_codes) == ("succeeded", [0]), worker.log
        assert running.results.events[0]["traceparent"] == TRACEPARENT
        spans = {span.name: span for span in collector.spans}
        event = spans[f"process {running.prefix}holdings.changes"]
        calls = {name: span for name, span in spans.items() if span is not event}
        assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
        assert event.parent_span_id.hex() == SENDER
        assert calls.keys() == {"login login", "eholdings get", "eholdings put"}
        assert {span.parent_span_id for span in calls.values()} == {event.span_id}
        carried = {entry.call.header("traceparent") for entry in running.sandbox.ledger.entries()}
        assert carried == {f"00-{TRACE}-{span.span_id.hex()}-01" for span in calls.values()}


async def test_a_collector_that_is_away_holds_nothing_up(kafka: str) -> None:
    async with relay(kafka) as running:
        running.sandbox.load({"eholdings": eholdings_state(resource(RESOURCE))})
        async with Collector() as gone:
            settings = gone.settings
        await running.start_worker(**settings)

        await running.send(changed("e1", RESOURCE, update("since 1998")))
        (result,) = await running.results_of(1)

        assert (result["outcome"], await running.stop()) == ("succeeded", [0])
