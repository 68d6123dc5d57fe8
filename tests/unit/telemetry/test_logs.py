"""One line an event, on standard error, at the level that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import orjson
import pytest
import structlog

from service.telemetry import logs


@pytest.fixture(autouse=True)
def _configuration_of_its_own() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_a_line_is_json_with_event_level_and_time(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    structlog.get_logger().warning("call.retry_scheduled", system="scsb", message="HTTP 503\nand more")

    printed = capsys.readouterr()
    assert printed.out == ""
    line = orjson.loads(printed.err)
    assert printed.err.count("\n") == 1
    assert (line["event"], line["level"], line["system"]) == ("call.retry_scheduled", "warning", "scsb")
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    try:
        raise LookupError("a defect")
    except LookupError:
        structlog.get_logger().exception("worker.failed")

    (line,) = capsys.readouterr().err.splitlines()
    assert "LookupError: a defect" in orjson.loads(line)["exception"]


def test_a_console_line_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "console")

    structlog.get_logger().error("record.dead_lettered", code="refused")

    printed = capsys.readouterr().err
    assert "record.dead_lettered" in printed
    assert "code=refused" in printed
    assert "\x1b[" not in printed, "colours are for terminals"


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_nothing_below_the_level_is_logged(
    level: Literal["debug", "info", "warning", "error"], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(level, "json")
    logger = structlog.get_logger()

    for method in (logger.debug, logger.info, logger.warning, logger.error):
        method("something.happened")

    assert [orjson.loads(line)["level"] for line in capsys.readouterr().err.splitlines()] == shown
