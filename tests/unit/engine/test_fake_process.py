"""The process that the simulated workers live in: suspended it does nothing, killed it never does anything again."""

from __future__ import annotations

import asyncio

from tests.fakes.process import FakeProcess


class Diary:
    """What happened when, by the loop's clock."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, float]] = []

    def note(self, what: str) -> None:
        self.entries.append((what, asyncio.get_running_loop().time()))

    async def sleep(self, what: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.note(what)

    async def wait(self, what: str, event: asyncio.Event) -> None:
        await event.wait()
        self.note(what)


async def test_a_suspended_process_takes_no_step_while_others_go_on() -> None:
    asleep, awake, diary = FakeProcess(), FakeProcess(), Diary()
    asleep.spawn(diary.sleep("asleep", 2))
    awake.spawn(diary.sleep("awake", 2))
    await asyncio.sleep(1)

    asleep.suspend()
    await asyncio.sleep(9)
    asleep.wake()
    await asyncio.sleep(1)

    assert diary.entries == [("awake", 2.0), ("asleep", 10.0)]


async def test_after_a_suspension_what_came_in_is_seen_to_before_the_timers_that_are_overdue() -> None:
    process, diary, event = FakeProcess(), Diary(), asyncio.Event()
    process.spawn(diary.sleep("later timer", 4))
    process.spawn(diary.sleep("timer", 2))
    process.spawn(diary.wait("answer", event))
    await asyncio.sleep(1)

    process.suspend()
    await asyncio.sleep(5)
    event.set()
    await asyncio.sleep(1)
    process.wake()
    await asyncio.sleep(1)

    assert diary.entries == [("answer", 7.0), ("timer", 7.0), ("later timer", 7.0)]


async def test_a_timer_that_is_cancelled_by_the_first_step_after_a_suspension_does_not_fire() -> None:
    process, event, fired = FakeProcess(), asyncio.Event(), list[str]()

    async def set_and_cancel() -> None:
        timer = asyncio.get_running_loop().call_later(2, fired.append, "timer")
        await event.wait()
        timer.cancel()
        fired.append("answer")

    process.spawn(set_and_cancel())
    await asyncio.sleep(1)
    process.suspend()
    event.set()
    await asyncio.sleep(5)
    process.wake()
    await asyncio.sleep(1)

    assert fired == ["answer"]


async def test_a_killed_process_takes_no_step_though_it_may_have_been_suspended() -> None:
    process, diary = FakeProcess(), Diary()
    process.spawn(diary.sleep("killed", 2))
    await asyncio.sleep(1)

    process.suspend()
    process.die()
    process.wake()
    await asyncio.sleep(10)
    await process.kill()

    assert diary.entries == []
    assert not [task for task in process.tasks if not task.done()], "nothing is left of it"


async def test_a_blow_falls_just_before_the_step_it_is_meant_for() -> None:
    process, taken = FakeProcess(), list[int]()

    async def walk() -> None:
        for number in range(1, 6):
            taken.append(number)
            await asyncio.sleep(1)

    process.before_step(process.steps + 4, process.die)
    process.spawn(walk())
    await asyncio.sleep(10)
    await process.kill()

    assert process.steps == 4
    assert taken == [1, 2], "a sleep ends in two steps: its timer, and the task that goes on"


async def test_who_watches_a_process_is_told_of_its_silence_and_its_waking() -> None:
    process, told = FakeProcess(), list[str]()
    process.silenced.append(lambda: told.append("silent"))
    process.woken.append(lambda: told.append("awake"))

    process.suspend()
    process.wake()
    process.die()

    assert told == ["silent", "awake", "silent"]
    assert (process.wakings, process.silent) == (1, True)
