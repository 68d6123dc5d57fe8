"""What all commands share: where they print, their exit codes, and the settings that they run on."""

from __future__ import annotations

from collections.abc import Coroutine
from enum import IntEnum
from typing import Any, NoReturn, TypeVar

import orjson
import typer
import uvloop
from rich.console import Console
from rich.text import Text

from service.kafka.connection import quieten
from service.settings import InvalidSettings, Settings, load

Result = TypeVar("Result")

out = Console(highlight=False)
errors = Console(stderr=True, highlight=False)


class Exit(IntEnum):
    """Exit codes. 2 is the command line's own, for usage."""

    DONE = 0
    FAILED = 1
    SETTINGS = 3
    KAFKA = 4


def fail(code: Exit, *lines: str) -> NoReturn:
    """Say why on standard error, and end."""
    for line in lines:
        errors.print(line, markup=False, soft_wrap=True)
    raise typer.Exit(code)


def plain(text: str) -> Text:
    """Text in which nothing is markup."""
    return Text(text)


def print_json(value: object) -> None:
    """Indented JSON on standard output, as it is however wide the terminal."""
    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    out.print(text, markup=False, soft_wrap=True, highlight=False)


def settings() -> Settings:
    """The settings, or the end with every fault named."""
    try:
        loaded = load()
    except InvalidSettings as error:
        fail(Exit.SETTINGS, "The settings do not hold:", *(f"  {fault}" for fault in error.faults))
    if loaded.log.level != "debug":
        quieten()
    return loaded


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end on uvloop."""
    return uvloop.run(work)
