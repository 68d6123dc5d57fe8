"""Whether a worker is ready, and what it says of it."""

from __future__ import annotations

import pytest

from service.domain.record import Partition
from service.engine.state import Membership
from service.telemetry.observing.calls import OpenCircuit
from service.telemetry.readiness import Readiness

ONE, TWO = Partition("holdings.changes", 0), Partition("holdings.changes", 1)
JOINED = Membership(joined=True, partitions=(ONE, TWO))


def circuit(system: str, tenant: str | None, reason: str) -> OpenCircuit:
    return OpenCircuit(system, tenant, reason, 1_767_225_600.0, "the system's words")


@pytest.mark.parametrize(
    ("membership", "reasons"),
    [
        (JOINED, []),
        (Membership(joined=True), []),
        (Membership(), ["the worker is not a member of its consumer group yet"]),
        (Membership(joined=True, rejoining=True), ["the worker joins its consumer group anew"]),
        (Membership(joined=True, stopping=True, claims=(ONE,)), ["the worker stops"]),
        (
            Membership(joined=True, claims=(ONE, TWO)),
            ["holdings.changes/0 is being claimed", "holdings.changes/1 is being claimed"],
        ),
    ],
)
def test_a_worker_is_ready_as_a_member_with_every_partition_claimed(membership: Membership, reasons: list[str]) -> None:
    readiness = Readiness(membership, ())

    assert readiness.reasons == reasons
    assert readiness.ready == membership.ready == (not reasons)


def test_refused_credentials_are_a_reason_for_each_system_and_tenant() -> None:
    refused = (circuit("eholdings", "diku", "credentials"), circuit("scsb", None, "credentials"))

    assert Readiness(JOINED, refused).reasons == [
        "eholdings refuses our credentials for diku",
        "scsb refuses our credentials",
    ]


@pytest.mark.parametrize("reason", ["failing", "quota"])
def test_a_system_that_fails_or_whose_quota_is_spent_is_told_and_is_no_reason(reason: str) -> None:
    readiness = Readiness(JOINED, (circuit("eholdings", "diku", reason),))

    assert readiness.ready
    assert readiness.to_json() == {
        "ready": True,
        "reasons": [],
        "stopping": False,
        "partitions": ["holdings.changes/0", "holdings.changes/1"],
        "claiming": [],
        "openCircuits": [
            {"system": "eholdings", "tenant": "diku", "reason": reason, "since": "2026-01-01T00:00:00+00:00"}
        ],
    }


def test_what_the_system_said_is_left_to_the_log() -> None:
    assert "words" not in str(Readiness(JOINED, (circuit("scsb", None, "credentials"),)).to_json())
