"""The samples are many, varied, and consistent with what the relay makes of events."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from service.demo.sample import JsonObject, Sample
from service.demo.samples import all_samples, all_stories, seeds
from service.demo.samples.consortium import CONSORTIUM
from service.demo.samples.refused import MAX_EVENT_BYTES
from service.demo.samples.telling import DEFAULT_TENANT
from service.demo.verification.comparing import Check
from service.demo.verification.state import check_state
from service.domain.codes import Code
from service.domain.operations import Asked, EntityKey, Plan, asked_of
from service.domain.outcomes import Overall, Rejection
from service.domain.record import Partition, Record
from service.routes import interpret
from service.sandbox.exchange import Call
from service.sandbox.server import Sandbox

ACTIONS = {
    ("eholdings", "update"),
    ("eholdings", "deselect"),
    ("eholdings", "add"),
    ("eholdings", "remove"),
    ("inventory", "upsert"),
    ("inventory", "delete"),
    ("inventory", "upsert-shared"),
    ("inventory", "delete-shared"),
    ("holdings-sources", "upsert"),
    ("holdings-sources", "delete"),
    ("scsb", "transfer-item"),
    ("scsb", "transfer-holdings"),
    ("holdingsiq", "export"),
}
AT_THE_DOOR = {Code.UNREADABLE, Code.UNKNOWN_TYPE, Code.TOO_LARGE, Code.INVALID_DATA}
SAMPLES = all_samples()
STORIES = all_stories()


def interpreted(sample: Sample) -> Plan | Rejection:
    sent = sample.outgoing
    record = Record(Partition(sent.topic, 0), 0, sent.key, sent.value, sent.headers, 0, time.time())
    return interpret(record, default_tenant=DEFAULT_TENANT, max_bytes=MAX_EVENT_BYTES)


def asked_by(plan: Plan) -> list[Asked]:
    return [asked for step in plan.steps for asked in asked_of(step)]


def plans() -> Iterator[tuple[Sample, Plan]]:
    for sample in SAMPLES:
        plan = interpreted(sample)
        if isinstance(plan, Plan):
            yield sample, plan


def titled(samples: list[Sample]) -> list[object]:
    return [pytest.param(sample, id=f"{index}-{sample.title}") for index, sample in enumerate(samples)]


def test_there_are_at_least_two_hundred_and_most_are_told_apart_by_their_titles() -> None:
    assert len(SAMPLES) >= 200
    assert len({sample.title for sample in SAMPLES}) > len(SAMPLES) / 2


def test_every_action_of_the_contract_appears() -> None:
    told = {(asked.system, asked.operation) for _, plan in plans() for asked in asked_by(plan)}
    assert told == ACTIONS


@pytest.mark.parametrize("sample", titled(SAMPLES))
def test_what_a_sample_declares_is_what_the_relay_makes_of_it(sample: Sample) -> None:
    found = interpreted(sample)

    assert (found.event, found.tenant, found.traceparent) == (sample.event, sample.tenant, sample.traceparent)
    if isinstance(found, Rejection):
        assert found.code == sample.expected.code
        assert len(found.asked or ("nothing that can be told",)) == len(sample.expected.operations)
        assert not sample.changes
    else:
        assert len(asked_by(found)) == len(sample.expected.operations)


def test_what_is_invalid_never_reaches_a_system_and_what_is_valid_does() -> None:
    late = {sample.title for sample, _ in plans() if sample.expected.code in AT_THE_DOOR}
    assert late == {"A record that names a source which nobody has made is refused"}


@pytest.mark.parametrize("outcome", list(Overall))
def test_every_outcome_is_met(outcome: Overall) -> None:
    assert [sample for sample in SAMPLES if sample.expected.outcome is outcome]


@pytest.mark.parametrize("code", sorted(set(Code) - {Code.SYSTEM_NOT_CONFIGURED}))
def test_every_code_is_met_but_that_of_a_system_that_is_not_set_up(code: Code) -> None:
    assert [sample for sample in SAMPLES if code in sample.expected.operations]


def test_both_modes_traces_several_tenants_and_several_operations_are_among_them() -> None:
    binary = [sample for sample in SAMPLES if ("ce_specversion", b"1.0") in sample.outgoing.headers]
    several = [sample for sample in SAMPLES if len(sample.expected.operations) > 1]
    tenants = {sample.tenant for sample in SAMPLES}
    assert len(binary) > 10
    assert len([sample for sample in SAMPLES if sample.traceparent]) > 30
    assert len(several) > 10
    assert {DEFAULT_TENANT, CONSORTIUM, "hillside_college", "ghost_college"} <= tenants


def test_some_records_come_twice_byte_for_byte() -> None:
    values = Counter(sample.outgoing.value for sample in SAMPLES if sample.outgoing.value)
    assert len([value for value, count in values.items() if count == 2]) > 5


def test_stories_share_no_entity_so_that_the_end_does_not_depend_on_their_order() -> None:
    owners: dict[EntityKey, bytes | None] = {}
    for sample, plan in plans():
        for key in plan.writes | plan.reads:
            assert owners.setdefault(key, sample.outgoing.key) == sample.outgoing.key, key


def test_samples_of_one_story_have_one_key_and_come_in_its_order() -> None:
    position = {id(sample): index for index, sample in enumerate(SAMPLES)}
    for story, told_again in zip(STORIES, all_stories(), strict=True):
        assert [sample.title for sample in story.samples] == [sample.title for sample in told_again.samples]
        assert len({sample.outgoing.key for sample in story.samples}) == 1
    assert len(position) == sum(len(story.samples) for story in STORIES)


def test_a_trouble_meets_its_own_story_alone() -> None:
    for story in STORIES:
        for fault in [fault for sample in story.samples for fault in sample.faults]:
            marks = [text for text in (fault.path_contains, fault.body_contains) if text]
            assert marks, fault
            others = [sample for other in STORIES if other is not story for sample in other.samples]
            assert not [sample.title for sample in others if mentions(sample, marks)]


def mentions(sample: Sample, marks: list[str]) -> bool:
    return any(mark.encode() in (sample.outgoing.value or b"") for mark in marks)


def test_the_seeds_load_and_alone_do_not_fulfil_what_the_events_ask_for() -> None:
    sandbox = Sandbox()
    for seed in seeds():
        sandbox.load(seed)
    state: JsonObject = {name: system.snapshot() for name, system in sandbox.systems.items() if name != "login"}

    checks: list[Check] = check_state(SAMPLES, state, state, shared_tenant=CONSORTIUM)

    assert [check.promise for check in checks if check.holds] == []
    assert all(check.looked_at > 10 for check in checks)


def test_every_tenant_of_the_seeds_can_be_logged_in_to() -> None:
    sandbox = Sandbox()
    for seed in seeds():
        sandbox.load(seed)
    body = b'{"username": "relay", "password": "college-password"}'
    headers = (("Content-Type", "application/json"),)
    call = Call("POST", "/authn/login-with-expiry", {}, headers, body, "hillside_college")
    assert sandbox.systems["login"].handle(call).status == 201
