"""Those who wait at a gate cost nothing, take turns, and go on together when the system is back."""

import asyncio

import pytest

from service.domain.answers import Denial, Denied, Settled, succeeded
from service.domain.operations import DeselectResource
from service.engine.circuit import CircuitPolicy, Reason
from service.engine.gates import Gate, Gates
from service.engine.lease import Lease
from service.engine.ports import OwnershipLost
from tests.fakes.observing import SilentObserver

STEP = DeselectResource("diku", "1-2-3")
DENIED = Denied(Denial.CREDENTIALS, STEP, (None,), 401, "no")
ANSWERED = Settled((succeeded(200),))


def gate() -> Gate:
    policy = CircuitPolicy(first_pause_seconds=1.0, longest_pause_seconds=1.0)
    return Gates(policy, lambda _, longest: longest, SilentObserver()).gate("eholdings", "diku")


async def until_idle() -> None:
    """Lets every task run as far as it gets without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_an_open_gate_is_passed_at_once() -> None:
    assert not await gate().pass_through(Lease())


async def test_one_of_those_who_wait_probes_when_the_time_has_come() -> None:
    subject = gate()
    subject.learn("record", DENIED)
    waiting = [asyncio.create_task(subject.pass_through(Lease())) for _ in range(3)]

    await asyncio.sleep(1.5)

    assert [task.done() for task in waiting] == [True, False, False]
    assert waiting[0].result()
    for task in waiting[1:]:
        task.cancel()


async def test_when_the_probe_is_answered_all_go_on() -> None:
    subject = gate()
    subject.learn("record", DENIED)
    waiting = [asyncio.create_task(subject.pass_through(Lease())) for _ in range(3)]
    await asyncio.sleep(1.5)

    subject.learn("record", ANSWERED)
    await until_idle()

    assert [task.result() for task in waiting] == [True, False, False]
    assert subject.closed


async def test_when_the_probe_is_denied_the_next_in_turn_probes() -> None:
    subject = gate()
    subject.learn("record", DENIED)
    waiting = [asyncio.create_task(subject.pass_through(Lease())) for _ in range(3)]
    await asyncio.sleep(1.5)

    subject.learn("record", DENIED)
    await asyncio.sleep(1.5)

    assert [task.done() for task in waiting] == [True, True, False]
    waiting[2].cancel()


async def test_who_loses_its_lease_while_waiting_is_told_so_and_the_turn_goes_to_another() -> None:
    subject, lost = gate(), Lease()
    subject.learn("record", DENIED)
    first = asyncio.create_task(subject.pass_through(lost))
    second = asyncio.create_task(subject.pass_through(Lease()))
    await until_idle()

    lost.end("gone")

    with pytest.raises(OwnershipLost):
        await first
    assert await second
    assert subject.circuit.reason is Reason.CREDENTIALS


async def test_who_comes_while_the_probe_is_out_waits_without_keeping_the_loop_busy() -> None:
    subject = gate()
    subject.learn("record", DENIED)
    await asyncio.sleep(2)
    assert await subject.pass_through(Lease())
    waiting = [asyncio.create_task(subject.pass_through(Lease())) for _ in range(2)]

    await asyncio.sleep(60)  # the probe takes its time

    assert not any(task.done() for task in waiting)
    subject.learn("record", ANSWERED)
    assert await asyncio.gather(*waiting) == [False, False]


async def test_a_turn_that_comes_just_as_its_owner_gives_up_goes_to_another() -> None:
    subject = gate()
    subject.learn("record", DENIED)
    first = asyncio.create_task(subject.pass_through(Lease()))
    second = asyncio.create_task(subject.pass_through(Lease()))
    await asyncio.sleep(0.5)
    asyncio.get_running_loop().call_at(subject.circuit.probe_at, first.cancel)

    async with asyncio.timeout(60):
        assert await second
    assert first.cancelled()


async def test_tenants_of_one_system_have_gates_of_their_own() -> None:
    gates = Gates(CircuitPolicy(), lambda _, longest: longest, SilentObserver())
    gates.gate("eholdings", "diku").learn("record", DENIED)

    assert gates.gate("eholdings", "other").closed
    assert not gates.gate("eholdings", "diku").closed
