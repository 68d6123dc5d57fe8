"""One broker for a whole run: whoever comes first starts it, and it is there until the last one has left."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaitingError
from pathlib import Path
from threading import Event

import pytest

from service.sandbox.broker_probe import is_ready
from tests.plugins.brokers import shared_broker


def serves(servers: str) -> bool:
    return asyncio.run(is_ready("127.0.0.1", int(servers.rpartition(":")[2])))


@pytest.mark.broker
def test_the_owner_waits_for_the_last_user_before_it_stops_the_broker(tmp_path: Path) -> None:
    owner_may_leave = Event()
    owner_has_it = Event()

    def own() -> str:
        with shared_broker(tmp_path) as servers:
            owner_has_it.set()
            owner_may_leave.wait()
            return servers

    with ThreadPoolExecutor(1) as pool:
        owner = pool.submit(own)
        owner_has_it.wait()
        with shared_broker(tmp_path) as servers:
            owner_may_leave.set()
            with pytest.raises(StillWaitingError):
                owner.result(timeout=0.5)
            assert serves(servers)

        assert owner.result() == servers
    assert not serves(servers)
