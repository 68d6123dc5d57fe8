"""The suite over both brokers runs in virtual time on the simulated one, and with a real clock on the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.fakes.virtual_time import VirtualTimeLoop

BOTH_BROKERS = "test_brokers.py"
SIMULATED, REAL = "simulated", "real"


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name == BOTH_BROKERS:
        return {SIMULATED: VirtualTimeLoop, REAL: asyncio.SelectorEventLoop}
    return {REAL: asyncio.SelectorEventLoop}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name == BOTH_BROKERS and _is_real(item):
            item.add_marker(pytest.mark.broker)


@pytest.fixture
def real_broker(request: pytest.FixtureRequest) -> str | None:
    """Bootstrap servers; None where the simulated broker is meant."""
    return request.getfixturevalue("kafka") if _is_real(request.node) else None


def _is_real(item: pytest.Item) -> bool:
    return REAL in item.name.rpartition("[")[2].removesuffix("]").split("-")
