"""Who asks whether a request may leave, and when."""

from __future__ import annotations

import httpx
import pytest

from service.engine.ports import OwnershipLost
from service.systems.leaving import EXTENSION, hand_over
from service.systems.transport import Http1Transport


class Transport(httpx.AsyncBaseTransport):
    def __init__(self, *, asks: bool, course: list[str]) -> None:
        self.asks_before_sending = asks
        self._course = course

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._course.append("connected")
        if self.asks_before_sending:
            await request.extensions[EXTENSION]()
        self._course.append("sent")
        return httpx.Response(200)


@pytest.mark.parametrize(
    ("asks", "course"), [(True, ["connected", "asked", "sent"]), (False, ["asked", "connected", "sent"])]
)
async def test_it_is_asked_once_and_as_late_as_the_transport_lets_us(asks: bool, course: list[str]) -> None:
    found: list[str] = []

    async def may_leave() -> None:
        found.append("asked")

    await hand_over(Transport(asks=asks, course=found), httpx.Request("POST", "https://a.example"), may_leave)

    assert found == course


@pytest.mark.parametrize("asks", [True, False])
async def test_what_may_not_leave_is_not_sent(asks: bool) -> None:
    found: list[str] = []

    async def may_not_leave() -> None:
        raise OwnershipLost("another has it")

    with pytest.raises(OwnershipLost):
        await hand_over(Transport(asks=asks, course=found), httpx.Request("POST", "https://a.example"), may_not_leave)

    assert "sent" not in found


def test_the_transport_of_the_worker_asks_by_itself() -> None:
    assert Http1Transport.asks_before_sending
