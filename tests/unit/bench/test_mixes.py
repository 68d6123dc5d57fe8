"""Every event of a benchmark makes the calls of its mix, by the relay and by the plain worker, and succeeds."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import orjson
import pytest

from bench.mixes import FAILING, FOUR_CALLS, ONE_CALL, UPDATES, Mix, resource
from bench.plain_worker import Systems as PlainSystems
from bench.stub_answers import Answers
from service.domain.answers import Answer, Settled, Stumbled, Verdict
from service.domain.operations import Plan
from service.domain.record import Partition, Record
from service.engine.ports import CallContext, Outgoing
from service.routes import interpret
from service.systems.eholdings_overlay import Resource, read_resource
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.tokens import StaticToken

MIXES = (ONE_CALL, FOUR_CALLS, UPDATES)
TENANT, URL = "bench", "http://stub"


@dataclass(slots=True)
class Stub:
    """The stub without its sockets, and what it was asked."""

    answers: Answers = field(default_factory=Answers)
    calls: list[str] = field(default_factory=list)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {request.url.path}")
        raw = self.answers.answer(request.method.encode(), request.url.raw_path, await request.aread())
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        return httpx.Response(int(first.split()[1]), headers=headers, content=body)


def plan_of(event: Outgoing) -> Plan:
    record = Record(Partition(event.topic, 0), 0, event.key, event.value, (), 1, 0.0)
    plan = interpret(record, default_tenant=TENANT, max_bytes=1_000_000)
    assert isinstance(plan, Plan), plan
    return plan


async def relayed(event: Outgoing, stub: Stub) -> list[Answer]:
    """The relay's own adapters, step by step."""
    config = SystemsConfig(folio_url=URL, tenants={TENANT: StaticToken("token")})
    systems = ConfiguredSystems(config, httpx.MockTransport(stub))

    async def mark() -> None:
        raise AssertionError("nothing here needs a mark")

    try:
        return [
            await systems.attempt(step, CallContext(None, uncertain=False, mark=mark)) for step in plan_of(event).steps
        ]
    finally:
        await systems.aclose()


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
async def test_the_relay_makes_the_calls_of_the_mix_and_every_event_changes_something(mix: Mix) -> None:
    stub = Stub()

    for event in mix.events(0, [5, 5, 5]):
        before = len(stub.calls)
        answers = await relayed(event, stub)

        assert len(stub.calls) - before == mix.calls
        for answer in answers:
            assert isinstance(answer, Settled)
            assert [finding.verdict for finding in answer.findings] == [Verdict.SUCCEEDED]


def state_of(stub: Stub) -> Resource | None:
    """What the resource of key 5 has come to."""
    return read_resource(orjson.loads(stub.answers.answer(b"GET", b"/eholdings/resources/1-1-5", b"").splitlines()[-1]))


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: mix.name)
async def test_the_plain_worker_makes_the_same_calls(mix: Mix) -> None:
    [event] = mix.events(0, [5])
    relay, plain = Stub(), Stub()

    await relayed(event, relay)
    async with httpx.AsyncClient(transport=httpx.MockTransport(plain)) as client:
        await PlainSystems(client, URL, "token").carry_out(orjson.loads(event.value or b"")["data"])

    assert plain.calls == relay.calls
    assert state_of(plain) == state_of(relay)


def test_events_of_one_key_touch_one_entity_and_those_of_two_keys_none_together() -> None:
    first, again, other = (plan_of(FOUR_CALLS.event(number, resource(key))) for number, key in enumerate([1, 1, 2]))

    assert first.writes == again.writes
    assert not (first.writes | first.reads) & (other.writes | other.reads)


async def test_the_failing_entity_fails_and_may_be_tried_again() -> None:
    [answer] = await relayed(ONE_CALL.event(0, f"{FAILING}1"), Stub())

    assert isinstance(answer, Stumbled)
    assert answer.status == 503
