"""A process that can be suspended and killed, at any of its steps. Owns no worker.

A step is one callback of the loop: what a task does from one await to the next. While a process is suspended, as by
SIGSTOP, none of its steps is taken, timers that are overdue included; what it has sent goes on elsewhere. One that was
killed takes no step ever again; what is left of it is cleared away without any effect.
"""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tests.fakes.virtual_time import Step, gatekeeper

Result = TypeVar("Result")


def _create_task(
    loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, Result], context: contextvars.Context | None = None
) -> asyncio.Task[Result]:
    """Notes every task with the process in which it is made."""
    task = asyncio.Task(main, loop=loop, context=context)
    process = context.get(gatekeeper) if context is not None else gatekeeper.get()
    if isinstance(process, FakeProcess):
        process.tasks[task] = None
    return task


class FakeProcess:
    """All tasks that descend from what it runs. Implements `virtual_time.Gatekeeper`.

    Fakes `breathe` before each effect, so that a killed process has none: what its dying tasks still try hangs.
    """

    def __init__(self, name: str = "worker") -> None:
        self.name = name
        self.killed = False
        self.suspended = False
        self.wakings = 0
        """Times that it went on after a suspension."""
        self.steps = 0
        """Taken so far."""
        self.silenced: list[Callable[[], None]] = []
        """Called when the process falls silent: suspended or killed."""
        self.woken: list[Callable[[], None]] = []
        """Called when it goes on after a suspension, before its first step."""
        self.tasks: weakref.WeakKeyDictionary[asyncio.Task[Any], None] = weakref.WeakKeyDictionary()
        """In the order in which they were made."""
        self._clearing_away = False
        self._withheld: list[tuple[Step, contextvars.Context]] = []
        self._before_steps: dict[int, Callable[[], None]] = {}
        self._context = contextvars.Context()
        self._context.run(gatekeeper.set, self)

    @property
    def silent(self) -> bool:
        return self.killed or self.suspended

    def before_step(self, number: int, blow: Callable[[], None]) -> None:
        """Call `blow`, which may suspend or kill the process, when the step of that number is about to be taken."""
        self._before_steps[number] = blow

    def spare(self) -> None:
        """No blow falls any more that has not fallen yet."""
        self._before_steps.clear()

    def admits(self, step: Step) -> bool:
        if not self.silent:
            self.steps += 1
            if blow := self._before_steps.pop(self.steps, None):
                contextvars.Context().run(blow)
        if self.silent and not self._clearing_away:
            self._withheld.append((step, contextvars.copy_context()))
            return False
        return True

    def spawn(self, main: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run `main` as a task of this process."""
        loop = asyncio.get_running_loop()
        loop.set_task_factory(_create_task)  # type: ignore[arg-type]  # typeshed wants Any of a factory's tasks
        return loop.create_task(main, context=self._context.copy())

    async def call(self, main: Coroutine[Any, Any, None]) -> None:
        """Run `main` in this process and wait for its end, or for that of the process."""
        if self.killed:
            main.close()
            return
        task = self.spawn(main)
        await asyncio.wait((task,))
        if not task.cancelled():
            task.result()

    async def breathe(self) -> None:
        """Never returns in a process that was killed."""
        if self.killed:
            await asyncio.get_running_loop().create_future()

    def suspend(self) -> None:
        """SIGSTOP."""
        if not self.silent:
            self.suspended = True
            self._tell(self.silenced)

    def wake(self) -> None:
        """SIGCONT. What came in meanwhile is seen to first, then the timers that are overdue, as a loop does that was
        held up in its select."""
        if self.suspended and not self.killed:
            self.suspended = False
            self.wakings += 1
            self._tell(self.woken)
            self._release()

    def die(self) -> None:
        """SIGKILL: from now on no step is taken. `kill` clears away what is left."""
        if not self.killed:
            was_silent, self.killed = self.silent, True
            if not was_silent:
                self._tell(self.silenced)

    async def kill(self) -> None:
        """At once, without any clean end: as SIGKILL does."""
        self.die()
        self._clearing_away = True
        while alive := [task for task in self.tasks if not task.done()]:
            for task in alive:
                task.cancel()
            self._release()
            await asyncio.sleep(0)

    def _release(self) -> None:
        withheld, self._withheld = self._withheld, []
        for step, context in sorted(withheld, key=lambda entry: -1.0 if entry[0].due is None else entry[0].due):
            context.run(step.again)

    def _tell(self, listeners: list[Callable[[], None]]) -> None:
        for listener in list(listeners):
            listener()
