"""On which cores the processes of a benchmark run, and how long."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from subprocess import PIPE, Popen

from bench.processes import CORES, pin

THREADS = """
import threading
for _ in range(3):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("ready", flush=True)
input()
"""

PARENT = """
import asyncio
from bench.processes import process

async def main():
    async with process("bench.stub") as stub:
        await stub.stdout.readline()  # it serves
        print(stub.pid, flush=True)
        await stub.wait()

asyncio.run(main())
"""
LONGEST_END_SECONDS = 10


def cores_of(process_id: int) -> list[set[int]]:
    """Of each of its threads."""
    return [os.sched_getaffinity(int(task.name)) for task in Path(f"/proc/{process_id}/task").iterdir()]


def test_a_process_that_has_threads_already_is_pinned_with_all_of_them() -> None:
    with Popen([sys.executable, "-c", THREADS], stdin=PIPE, stdout=PIPE, text=True) as threaded:
        assert threaded.stdout
        threaded.stdout.readline()

        pin(threaded.pid, 0)

        pinned = cores_of(threaded.pid)
        pin(threaded.pid, None)
        free = cores_of(threaded.pid)
        threaded.communicate("")

    assert pinned == [{0}] * 4
    assert free == [set(range(CORES))] * 4


def test_a_process_ends_with_a_benchmark_that_is_killed() -> None:
    with Popen([sys.executable, "-c", PARENT], stdout=PIPE, text=True) as parent:
        assert parent.stdout
        child = os.pidfd_open(int(parent.stdout.readline()))

        parent.kill()

        ended, _, _ = select.select([child], [], [], LONGEST_END_SECONDS)
        os.close(child)
    assert ended
