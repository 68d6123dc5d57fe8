"""Faults: which calls they hit, in which order, how often, and how they are written as JSON."""

from __future__ import annotations

import pytest

from service.sandbox.content import LiteralContent
from service.sandbox.exchange import Call, Reply, json_reply
from service.sandbox.faults import Fault, FaultError, Faults

CALL = Call("PUT", "/eholdings/resources/22-1-2", body=b'{"coverageStatement": "x"}', tenant="diku")


def hits(faults: Faults, count: int, call: Call = CALL) -> list[str | None]:
    taken = [faults.take("eholdings", call) for _ in range(count)]
    return [armed.name if armed else None for armed in taken]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(status=500), True),
        (Fault(status=500, system="eholdings", method="put", path_contains="22-1-2", tenant="diku"), True),
        (Fault(status=500, body_contains='Statement": "x"'), True),
        (Fault(status=500, system="scsb"), False),
        (Fault(status=500, method="GET"), False),
        (Fault(status=500, path_contains="22-1-3"), False),
        (Fault(status=500, path_ends_with="/22-1-2"), True),
        (Fault(status=500, path_ends_with="/22-1"), False),
        (Fault(status=500, body_contains="y"), False),
        (Fault(status=500, tenant="other"), False),
    ],
)
def test_a_fault_matches_when_every_condition_holds(fault: Fault, expected: bool) -> None:
    assert fault.matches("eholdings", CALL) is expected


def test_the_first_matching_fault_wins_until_it_is_spent() -> None:
    faults = Faults()
    faults.add(Fault(name="elsewhere", system="scsb", status=500))
    faults.add(Fault(name="twice", status=500, times=2))
    faults.add(Fault(name="for ever", status=503))

    assert hits(faults, 4) == ["twice", "twice", "for ever", "for ever"]
    assert (faults.get("twice").hit, faults.get("twice").spent) == (2, True)
    assert (faults.get("elsewhere").matched, faults.get("for ever").spent) == (0, False)


def test_skip_lets_the_first_matching_calls_through_to_the_next_fault() -> None:
    faults = Faults()
    faults.add(Fault(name="later", status=500, skip=2, times=1))
    faults.add(Fault(name="first", status=503, times=1))

    assert hits(faults, 4) == ["first", None, "later", None]


def test_a_fault_without_a_name_gets_a_free_one() -> None:
    faults = Faults()
    faults.add(Fault(name="fault-1", status=500))

    assert faults.add(Fault(status=500)) == "fault-2"
    with pytest.raises(FaultError, match="name"):
        faults.add(Fault(name="fault-2", status=500))


def test_a_fault_can_be_removed() -> None:
    faults = Faults()
    faults.add(Fault(name="gone", status=500))

    assert (faults.remove("gone"), faults.remove("gone")) == (True, False)
    assert hits(faults, 1) == [None]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(status=503), Reply(503)),
        (Fault(status=503, body="down"), Reply(503, b"down", "text/plain")),
        (Fault(status=429, body={"message": "x"}), Reply(429, b'{"message":"x"}', "application/json")),
        (Fault(status=429, headers=(("Retry-After", "2"),)), Reply(429, headers=(("Retry-After", "2"),))),
        (Fault(body="<html>", content_type="text/html"), Reply(200, b"<html>", "text/html")),
        (Fault(truncate_bytes=5), Reply(200, b'{"ok"', "application/json")),
        (Fault(content_type="text/plain"), Reply(200, b'{"ok":true}', "text/plain")),
    ],
)
def test_an_answer_is_replaced_or_disturbed(fault: Fault, expected: Reply) -> None:
    assert fault.answer(json_reply(200, {"ok": True})) == expected


def test_a_fault_survives_json() -> None:
    fault = Fault(
        name="n", system="scsb", path_contains="transfer", times=3, skip=1, stage="after", status=503, body={"a": [1]},
        headers=(("Retry-After", "1"),), delay_seconds=0.5, truncate_bytes=2,
        path_ends_with="Items", bytes_per_second=1000, cut_after_bytes=0, without_length=True,
    )  # fmt: skip

    assert Fault.from_json(fault.to_json()) == fault


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"status": 99}, "status"),
        ({"status": True}, "status"),
        ({"status": 500, "times": -1}, "times"),
        ({"status": 500, "skip": None}, "skip"),
        ({"status": 500, "stage": "during"}, "stage"),
        ({"drop": "never"}, "drop"),
        ({"delaySeconds": -1}, "delaySeconds"),
        ({"delaySeconds": "1"}, "delaySeconds"),
        ({"status": 500, "system": ""}, "system"),
        ({"status": 500, "headers": {"Retry-After": 1}}, "headers"),
        ({"status": 500, "path_contains": "x"}, "path_contains"),
        ({"truncateBytes": 1.5}, "truncateBytes"),
        ({"cutAfterBytes": -1}, "cutAfterBytes"),
        ({"bytesPerSecond": 0}, "bytesPerSecond"),
        ({"bytesPerSecond": True}, "bytesPerSecond"),
        ({"withoutLength": 1}, "withoutLength"),
        ({"system": "scsb"}, "a fault needs"),
        ([], "a fault must be"),
    ],
)
def test_a_bad_fault_is_refused_with_the_name_of_its_field(content: object, field: str) -> None:
    with pytest.raises(FaultError) as refusal:
        Fault.from_json(content)

    assert str(refusal.value).startswith(field)


@pytest.mark.parametrize("fault", [Fault(bytes_per_second=1.5), Fault(cut_after_bytes=0), Fault(without_length=True)])
def test_what_disturbs_the_sending_alone_leaves_the_answer_as_it_is(fault: Fault) -> None:
    real = json_reply(200, {"ok": True})

    assert fault.disturbs_sending
    assert fault.answer(real) == real


def test_a_body_made_on_the_way_is_kept_cut_short_or_replaced() -> None:
    real = Reply(200, content_type="text/csv", content=LiteralContent(b"0123456789"))

    assert Fault(content_type="text/plain").answer(real).content == real.content
    shortened = Fault(truncate_bytes=4).answer(real).content
    assert shortened is not None
    assert b"".join(shortened.pieces()) == b"0123"
    assert Fault(body="down").answer(real) == Reply(200, b"down", "text/plain")
