"""The watchdog: notices a blocked loop and a stuck engine, tells once where everybody stands, and blames no sleeper."""

from __future__ import annotations

import asyncio
import threading
import time

from service.telemetry.watchdog import LIMIT_SECONDS, OVERSLEPT_SECONDS, Watchdog, stacks


class Subject:
    """A watchdog that looks when it is told to, by a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reports: list[str] = []
        self.watchdog = Watchdog(lambda trouble, stacks: self.reports.append(trouble), clock=lambda: self.now)

    def pass_time(self, seconds: int, *, beating: bool, stalled_from: float | None = None) -> None:
        """Second by second."""
        for _ in range(seconds):
            self.now += 1
            if beating:
                self.watchdog.beat(self.now - stalled_from if stalled_from is not None else 0.0)
            self.watchdog.look()


def test_a_loop_that_beats_is_well() -> None:
    subject = Subject()
    subject.pass_time(3600, beating=True)

    assert (subject.watchdog.trouble, subject.reports) == (None, [])


def test_a_blocked_loop_is_noticed_within_thirty_seconds_and_told_once() -> None:
    subject = Subject()
    subject.pass_time(30, beating=False)
    noticed = subject.watchdog.trouble
    subject.pass_time(600, beating=False)

    assert noticed == subject.watchdog.trouble == "the event loop is blocked"
    assert subject.reports == ["the event loop is blocked"]


def test_an_engine_that_does_not_move_on_is_noticed_within_thirty_seconds_and_told_once() -> None:
    subject = Subject()
    subject.pass_time(600, beating=True, stalled_from=570)

    assert subject.watchdog.trouble == "there is work, and the engine does not move on"
    assert len(subject.reports) == 1


def test_a_stall_that_is_over_is_forgotten_and_the_next_is_told_anew() -> None:
    subject = Subject()
    subject.pass_time(40, beating=False)
    subject.pass_time(5, beating=True)
    between = subject.watchdog.trouble
    subject.pass_time(40, beating=False)

    assert between is None
    assert len(subject.reports) == 2


def test_a_process_that_was_suspended_as_a_whole_is_not_blamed() -> None:
    subject = Subject()
    subject.now += 3600
    subject.watchdog.look()
    subject.pass_time(int(LIMIT_SECONDS) - 1, beating=False)

    assert LIMIT_SECONDS > OVERSLEPT_SECONDS
    assert subject.reports == []


def test_a_loop_that_is_really_blocked_is_seen_from_the_thread_with_the_place_where_it_stands() -> None:
    reports: list[tuple[str, list[str]]] = []
    told = threading.Event()

    def report(trouble: str, places: list[str]) -> None:
        reports.append((trouble, places))
        told.set()

    async def main() -> None:
        watchdog = Watchdog(report, limit_seconds=0.2, look_seconds=0.02)
        watchdog.start()
        _block_until(told)
        watchdog.stop()

    asyncio.run(main())

    ((trouble, places),) = reports
    assert trouble == "the event loop is blocked"
    assert any(line.startswith("thread MainThread") and "_block_until" in line for line in places)


def _block_until(told: threading.Event) -> None:
    assert told.wait(30)


async def test_tasks_that_stand_at_the_same_place_are_told_once_with_their_number() -> None:
    async def wait_here() -> None:
        await asyncio.get_running_loop().create_future()

    waiting = [asyncio.create_task(wait_here()) for _ in range(7)]
    await asyncio.sleep(0)

    lines = stacks(asyncio.get_running_loop())

    assert any(line.startswith("7 tasks: ") and "wait_here" in line for line in lines)
    for task in waiting:
        task.cancel()


async def test_a_task_that_waits_is_told_with_all_that_it_is_in() -> None:
    async def innermost() -> None:
        await asyncio.Event().wait()

    async def outermost() -> None:
        await innermost()

    task = asyncio.create_task(outermost())
    await asyncio.sleep(0)

    [line] = [line for line in stacks(asyncio.get_running_loop()) if "outermost" in line]
    task.cancel()

    assert [place.rpartition(" ")[2] for place in line.split(" > ")] == ["outermost", "innermost", "wait"]


def test_a_watchdog_that_was_never_started_can_be_stopped() -> None:
    before = time.monotonic()

    Watchdog(lambda trouble, stacks: None).stop()

    assert time.monotonic() - before < 5
