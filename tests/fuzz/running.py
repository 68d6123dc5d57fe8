"""Runs a target: makes inputs from a seed, judges each within its time, and shrinks what breaks."""

from __future__ import annotations

import asyncio
import inspect
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase

from tests.fuzz.targets import Target

ROUND_INPUTS: Final = 2000
"""Hypothesis remembers all inputs of a round; more at a time would only take memory."""

LIMIT_SECONDS: Final = 2.0
"""Of processor time for one input. All take some milliseconds, but a machine may be slow."""


class TooLong(Exception):
    """An input held the processor for longer than `LIMIT_SECONDS`."""


@dataclass(slots=True)
class Ran:
    """What became of a target's inputs."""

    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    slowest_seconds: float = 0.0
    broken: str | None = None
    """The shrunk input and what it broke, where one did."""
    broken_seed: int | None = None

    @property
    def inputs(self) -> int:
        return self.kinds.total()


def run(target: Target, inputs: int, seed: int) -> Ran:
    """Judges `inputs` inputs, those of one seed always the same. Stops at the first round in which one broke."""
    ran = Ran()
    began = time.monotonic()
    with asyncio.Runner() as runner:
        for start in range(0, inputs, ROUND_INPUTS):
            round_seed = seed + start
            try:
                _run_round(target, min(ROUND_INPUTS, inputs - start), round_seed, ran, runner)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what was looked for
                notes = getattr(error, "__notes__", ())
                ran.broken = "\n".join((f"{type(error).__name__}: {error}", *notes))
                ran.broken_seed = round_seed
                break
    ran.seconds = time.monotonic() - began
    return ran


def _run_round(target: Target, inputs: int, seed: int, ran: Ran, runner: asyncio.Runner) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
        derandomize=False,
    )
    @hypothesis.given(target.inputs)
    def judge(given: Any) -> None:
        began = time.thread_time()
        with _limited():
            kind = target.judge(given)
            if inspect.iscoroutine(kind):
                kind = runner.run(asyncio.wait_for(kind, 60))
        assert isinstance(kind, str)
        ran.slowest_seconds = max(ran.slowest_seconds, time.thread_time() - began)
        ran.kinds[kind] += 1

    judge()


@contextmanager
def _limited() -> Iterator[None]:
    """Raises `TooLong` in the midst of what takes too long. By processor time, so that other work does no harm."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, LIMIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise TooLong(f"more than {LIMIT_SECONDS:g} s of processor time")
