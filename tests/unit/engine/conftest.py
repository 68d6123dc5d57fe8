"""The engine is tested in virtual time: no test of it sleeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fakes.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual": VirtualTimeLoop}
