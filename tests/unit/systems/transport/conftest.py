"""Everything about the transport holds in both event loops: uvloop, which the worker uses, and asyncio's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import uvloop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """pytest-asyncio's hook: each test of this folder runs once in each."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
