"""What it costs to keep the order of many entities: lanes and offsets alone, in this process, with as many events
waiting as a worker keeps in memory."""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from bench.processes import resident_mib
from service.domain.collector import set_up_collector
from service.engine.lanes import Lanes
from service.engine.offsets import Offsets, Position

EVENTS: Final = 1_000_000
WAITING: Final = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """`kept_mib` is by how much the process has grown; `lanes` is how many are left when nothing waits any more."""

    keys: int
    processor_seconds: float
    kept_mib: float
    lanes: int


def cost_of(keys: int, events: int = EVENTS) -> Cost:
    """Events of that many keys in turn. Each leaves when `WAITING` more have come."""
    set_up_collector()
    gc.collect()
    before, began = resident_mib(os.getpid()), time.process_time()
    lanes, offsets, waiting = Lanes[int](), Offsets(Position(0)), deque[int]()
    for offset in range(events):
        offsets.receive(offset)
        lanes.enter(offset, (("eholdings", "bench", f"1-1-{offset % keys}"),))
        waiting.append(offset)
        if len(waiting) > WAITING:
            _leave(lanes, offsets, waiting.popleft())
    while waiting:
        _leave(lanes, offsets, waiting.popleft())
    used = time.process_time() - began
    return Cost(keys, used, resident_mib(os.getpid()) - before, lanes.lane_count)


def _leave(lanes: Lanes[int], offsets: Offsets, offset: int) -> None:
    lanes.leave(offset)
    offsets.finish(offset)
