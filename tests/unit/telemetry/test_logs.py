"""One line an event, on standard error, at the level that was asked for."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Literal

import orjson
import pytest
import structlog
from pydantic import SecretStr

from service.settings import FolioSettings
from service.systems.downloads import Link
from service.systems.tokens import UserPassword
from service.telemetry import logs
from service.telemetry.log_events import LOG_EVENTS


@pytest.fixture(autouse=True)
def _configuration_of_its_own() -> Iterator[None]:
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


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


def test_every_line_has_a_name_of_its_own_in_dotted_words() -> None:
    names = [event.name for event in LOG_EVENTS]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in names)
    assert all(event.text.endswith(".") for event in LOG_EVENTS)


def test_secrets_and_links_are_masked_by_their_types(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "json")

    structlog.get_logger().info(
        "a.line",
        setting=SecretStr("open sesame"),
        credentials=UserPassword("relay", "open sesame"),
        link=Link("https://store/file?signature=open+sesame"),
        folio=FolioSettings(tenant="diku", token=SecretStr("open sesame")),
    )

    printed = capsys.readouterr().err
    assert "sesame" not in printed
    assert "Link(…)" in orjson.loads(printed)["link"]


def test_what_a_library_logs_is_a_line_of_ours_without_the_words_of_its_exception(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info", "json")
    logs.configure("info", "json")

    try:
        raise LookupError("open sesame")
    except LookupError:
        logging.getLogger("some.library").exception("%s broke\nfuture: <open sesame>", "it")
    logging.getLogger("some.library").info("all is well")

    (line,) = [orjson.loads(printed) for printed in capsys.readouterr().err.splitlines()]
    assert (line["event"], line["level"], line["logger"]) == ("library.failed", "error", "some.library")
    assert (line["message"], line["error"]) == ("it broke", "LookupError")
    assert "sesame" not in str(line)
