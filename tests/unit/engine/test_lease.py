"""The gate in front of every call: open, held, ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from service.engine.lease import Lease
from service.engine.ports import OwnershipLost


@asynccontextmanager
async def under_way(lease: Lease) -> AsyncIterator[None]:
    """As the engine makes one."""
    await lease.opened()
    with lease.under_way():
        yield


async def call(lease: Lease, seconds: float = 1.0) -> float:
    """One call under the lease; when it began."""
    async with under_way(lease):
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds)
    return began


async def test_calls_start_at_once_while_the_lease_is_open() -> None:
    assert await call(Lease()) == 0.0


async def test_a_held_lease_lets_running_calls_end_and_starts_none_until_it_is_resumed() -> None:
    lease = Lease()
    running = asyncio.create_task(call(lease, 5))
    await asyncio.sleep(1)

    lease.hold()
    waiting = asyncio.create_task(call(lease))
    await asyncio.sleep(9)
    assert (running.done(), waiting.done()) == (True, False)
    lease.resume()

    assert await waiting == 10.0


async def test_who_waits_at_a_held_lease_is_told_when_it_ends() -> None:
    lease = Lease()
    lease.hold()
    waiting = asyncio.create_task(call(lease))
    await asyncio.sleep(1)

    lease.end("taken by another")

    with pytest.raises(OwnershipLost, match="taken by another"):
        await waiting


@pytest.mark.parametrize("meanwhile", ["nothing", "hold", "resume"])
async def test_nothing_starts_once_the_lease_has_ended(meanwhile: str) -> None:
    lease = Lease()
    lease.end("lost")
    if meanwhile == "hold":
        lease.hold()
    elif meanwhile == "resume":
        lease.resume()

    with pytest.raises(OwnershipLost, match="lost"):
        await call(lease)
    with pytest.raises(OwnershipLost, match="lost"):
        lease.check()


async def test_the_first_reason_for_the_end_is_the_one_that_is_told() -> None:
    lease = Lease()
    lease.end("fenced")
    lease.end("the worker stops")

    with pytest.raises(OwnershipLost, match="fenced"):
        lease.check()


async def test_a_call_that_runs_when_the_lease_ends_comes_to_its_own_end() -> None:
    lease = Lease()
    running = asyncio.create_task(call(lease, 5))
    await asyncio.sleep(1)

    lease.end("lost")
    await lease.idle()

    assert asyncio.get_running_loop().time() == 5.0
    assert await running == 0.0


async def test_idle_waits_for_every_call() -> None:
    lease = Lease()
    calls = [asyncio.create_task(call(lease, seconds)) for seconds in (3, 7, 5)]
    await asyncio.sleep(0)

    await lease.idle()

    assert asyncio.get_running_loop().time() == 7.0
    await asyncio.gather(*calls)


async def test_a_call_that_fails_or_is_cancelled_no_longer_counts_as_running() -> None:
    lease = Lease()
    with pytest.raises(LookupError):
        async with under_way(lease):
            raise LookupError
    cancelled = asyncio.create_task(call(lease, 100))
    await asyncio.sleep(1)
    cancelled.cancel()

    await lease.idle()

    assert asyncio.get_running_loop().time() == 1.0


async def test_a_request_of_a_running_call_waits_until_a_doubtful_lease_is_proved() -> None:
    lease = Lease()
    async with under_way(lease):
        lease.doubt()
        waiting = asyncio.create_task(lease.may_leave())
        await asyncio.sleep(4)
        assert not waiting.done()

        lease.prove()

        await waiting


async def test_a_request_of_a_running_call_does_not_leave_when_the_doubtful_lease_turns_out_to_be_lost() -> None:
    lease = Lease()
    async with under_way(lease):
        lease.doubt()
        waiting = asyncio.create_task(lease.may_leave())
        await asyncio.sleep(1)

        lease.end("fenced")

        with pytest.raises(OwnershipLost, match="fenced"):
            await waiting


async def test_a_request_of_a_running_call_leaves_while_the_lease_is_held() -> None:
    """The rebalance waits for the call to end; the call must not wait for the rebalance."""
    lease = Lease()
    async with under_way(lease):
        lease.hold()

        await lease.may_leave()

    assert asyncio.get_running_loop().time() == 0.0


async def test_the_pulse_is_felt_before_a_request_leaves() -> None:
    lease = Lease(lambda: lease.end("suspended, and replaced"))

    with pytest.raises(OwnershipLost, match="suspended, and replaced"):
        await lease.may_leave()


async def test_a_pause_lasts_as_long_as_it_should() -> None:
    await Lease().pause(30)

    assert asyncio.get_running_loop().time() == pytest.approx(30)


async def test_a_pause_breaks_off_when_the_lease_ends() -> None:
    lease = Lease()
    pausing = asyncio.create_task(lease.pause(600))
    await asyncio.sleep(2)

    lease.end("lost")

    with pytest.raises(OwnershipLost, match="lost"):
        await pausing
    assert asyncio.get_running_loop().time() == 2.0


async def test_a_pause_goes_on_while_the_lease_is_held() -> None:
    lease = Lease()
    lease.hold()

    await lease.pause(3)

    assert asyncio.get_running_loop().time() == pytest.approx(3)


async def test_a_pause_that_would_outlast_the_worker_is_not_begun() -> None:
    lease = Lease()
    lease.limit(10.0)

    await lease.pause(9)
    with pytest.raises(OwnershipLost, match="stops before the next attempt"):
        await lease.pause(2)

    assert asyncio.get_running_loop().time() == pytest.approx(9)


async def test_waiting_for_a_turn_ends_with_the_lease() -> None:
    lease = Lease()
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(lease.wait_for(turn, 60))
    await asyncio.sleep(1)

    lease.end("lost")

    with pytest.raises(OwnershipLost, match="lost"):
        await waiting


async def test_waiting_for_a_turn_ends_when_the_turn_comes() -> None:
    lease = Lease()
    turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(lease.wait_for(turn, 60))
    await asyncio.sleep(1)

    turn.set_result(None)

    await waiting


async def test_a_doubtful_lease_starts_no_call_until_it_is_proved() -> None:
    lease = Lease()
    lease.doubt()
    waiting = asyncio.create_task(call(lease))
    await asyncio.sleep(3)

    lease.prove()

    assert await waiting == 3.0


async def test_a_lease_that_is_held_and_doubtful_starts_calls_only_after_both() -> None:
    lease = Lease()
    lease.doubt()
    lease.hold()
    waiting = asyncio.create_task(call(lease))
    await asyncio.sleep(1)
    lease.prove()
    await asyncio.sleep(1)

    lease.resume()

    assert await waiting == 2.0


async def test_the_pulse_is_felt_before_every_call_and_may_hold_it_back() -> None:
    felt: list[Lease] = []

    def feel() -> None:
        felt.append(lease)
        lease.doubt() if len(felt) == 1 else None

    lease = Lease(feel)
    waiting = asyncio.create_task(call(lease))
    await asyncio.sleep(4)
    lease.prove()

    assert await waiting == 4.0


async def test_a_call_under_way_that_asks_whether_the_lease_is_proven_waits_while_it_is_in_doubt() -> None:
    lease = Lease()
    lease.doubt()
    asked = asyncio.create_task(lease.may_leave())
    await asyncio.sleep(5)
    in_doubt = asked.done()

    lease.prove()
    await asked

    assert not in_doubt


async def test_a_held_lease_is_proven_so_that_a_call_under_way_comes_to_its_end() -> None:
    lease = Lease()
    lease.hold()

    await asyncio.wait_for(lease.may_leave(), timeout=1)


async def test_a_doubtful_lease_that_ends_is_not_proven() -> None:
    lease = Lease()
    lease.doubt()
    asked = asyncio.create_task(lease.may_leave())
    await asyncio.sleep(1)

    lease.end("another has it")

    with pytest.raises(OwnershipLost, match="another has it"):
        await asked


async def test_to_ask_whether_the_lease_is_proven_is_to_feel_the_pulse() -> None:
    felt: list[bool] = []

    def feel() -> None:
        felt.append(True)
        if len(felt) == 1:
            lease.doubt()

    lease = Lease(feel)
    asked = asyncio.create_task(lease.may_leave())
    await asyncio.sleep(1)
    in_doubt = not asked.done()
    lease.prove()
    await asked

    assert (in_doubt, len(felt)) == (True, 2)
