"""Which transport the suites about transports run on: the worker's own, or a candidate that it is measured against.

`--transport aiohttp` names another; `python -m bench.suites` runs them on each.
"""

from __future__ import annotations

import pytest

from bench.candidates.catalogue import CANDIDATES, OURS
from bench.candidates.port import Making

_OPTION = "--transport"
OURS_ALONE = "ours_alone"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(_OPTION, choices=tuple(CANDIDATES), default=OURS, help="what the suites of transports run on")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{OURS_ALONE}(reason): about the inside or a limit of our transport; skipped on another"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption(_OPTION) == OURS:
        return
    for item in items:
        if (mark := item.get_closest_marker(OURS_ALONE)) is not None:
            item.add_marker(pytest.mark.skip(reason=f"not applicable: {mark.args[0]}"))


@pytest.fixture(scope="session")
def making(request: pytest.FixtureRequest) -> Making:
    """Makes the transport that is looked at."""
    return CANDIDATES[request.config.getoption(_OPTION)]
