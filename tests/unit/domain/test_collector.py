"""The garbage collector rests while a large value is made, and at no other time."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from service.domain.collector import LARGE_BYTES, collector_paused


@pytest.fixture(autouse=True)
def _collector_as_it_was() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.enable()
    yield
    if not enabled:
        gc.disable()


@pytest.mark.parametrize(("size_bytes", "enabled"), [(0, True), (LARGE_BYTES - 1, True), (LARGE_BYTES, False)])
def test_only_a_large_value_pauses_it(size_bytes: int, enabled: bool) -> None:
    with collector_paused(size_bytes):
        assert gc.isenabled() is enabled
    assert gc.isenabled()


def test_it_goes_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="bad"), collector_paused(LARGE_BYTES):
        raise ValueError("bad")
    assert gc.isenabled()


def test_where_it_is_off_it_stays_off() -> None:
    gc.disable()
    with collector_paused(LARGE_BYTES):
        pass
    assert not gc.isenabled()
