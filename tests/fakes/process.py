"""A process that can be killed: whatever it does afterwards has no effect. Owns no worker."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

_current: contextvars.ContextVar[FakeProcess | None] = contextvars.ContextVar("process", default=None)


def _create_task(
    loop: asyncio.AbstractEventLoop, main: Coroutine[Any, Any, Result], context: contextvars.Context | None = None
) -> asyncio.Task[Result]:
    """Notes every task with the process in which it is made."""
    task = asyncio.Task(main, loop=loop, context=context)
    process = context.get(_current) if context is not None else _current.get()
    if process is not None:
        process.tasks.add(task)
    return task


class FakeProcess:
    """All tasks that descend from what it runs. Fakes `breathe` before and after each effect, so that a killed process
    has none: what its dying tasks still try hangs."""

    def __init__(self, name: str = "worker") -> None:
        self.name = name
        self.killed = False
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        self._context = contextvars.Context()
        self._context.run(_current.set, self)

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

    async def kill(self) -> None:
        """At once, without any clean end: as SIGKILL does."""
        self.killed = True
        while alive := [task for task in self.tasks if not task.done()]:
            for task in alive:
                task.cancel()
            await asyncio.sleep(0)
