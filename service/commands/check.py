"""`holdings-relay check`: settings, Kafka, topics, every system: what is wrong and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from service.app import systems_config
from service.commands import console
from service.commands.console import Exit
from service.domain.checks import Check, Standing, fault, ok, warning
from service.kafka.checks import check_kafka
from service.kafka.connection import quieten
from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, METRICS, RESULTS
from service.routes import ROUTES
from service.settings import InvalidSettings, Settings, load, unread
from service.systems.checks import check_systems
from service.systems.registry import ConfiguredSystems
from service.systems.timeouts import Timeouts
from service.systems.transport import Http1Transport

CONNECT_SECONDS: Final = 5.0
_COLOURS: Final = {
    Standing.OK: "green",
    Standing.WARNING: "yellow",
    Standing.FAULT: "red",
    Standing.SKIPPED: "dim",
}


class Form(StrEnum):
    """How the checks are told."""

    TABLE = "table"
    JSON = "json"


def check(
    form: Annotated[Form, typer.Option("--format", help="Of the report.")] = Form.TABLE,
    seconds: Annotated[float, typer.Option("--timeout", min=1, help="Seconds for each call and each question.")] = 10.0,
) -> None:
    """Look at everything that the worker needs: settings, brokers, transactions, topics, group, permissions, and every
    system with the credentials of every tenant. Says what is wrong and how to mend it. Changes nothing.

    Ends with 0 when all is well (warnings included), 1 when something is at fault, 3 for wrong settings, 4 when no
    broker can be had.

    Example: holdings-relay check

    Example: holdings-relay check --format json --timeout 5
    """
    try:
        settings = load()
    except InvalidSettings as error:
        _tell([_of_setting(told) for told in error.faults], form)
        raise typer.Exit(Exit.SETTINGS) from None
    quieten()
    checks = [ok("settings", "", "every setting holds"), *map(_unread, unread()), *console.run(look(settings, seconds))]
    _tell(checks, form)
    code = exit_code(checks)
    if code is not Exit.DONE:
        raise typer.Exit(code)


async def look(settings: Settings, seconds: float) -> list[Check]:
    """Everything but the settings themselves, Kafka and the systems side by side."""
    config = replace(systems_config(settings), timeouts=_timeouts(seconds))
    systems = ConfiguredSystems(config, Http1Transport())
    try:
        kafka, called = await asyncio.gather(
            check_kafka(
                settings.kafka,
                settings.topics.prefix,
                transactions=settings.delivery == "exactly_once",
                reads=[route.topic for route in ROUTES],
                writes=[RESULTS, DEAD_LETTERS, EXPORT_ROWS, METRICS],
                seconds=seconds,
            ),
            check_systems(systems, settings.folio.tenant, settings.holdingsiq.check_cust_id),
        )
    finally:
        await systems.aclose()
    return [*kafka, *called]


def exit_code(checks: Sequence[Check]) -> Exit:
    """Kafka first: without a broker nothing of the relay works."""
    brokers = [found for found in checks if found.area == "kafka" and found.subject.startswith("broker ")]
    if brokers and all(found.standing is Standing.FAULT for found in brokers):
        return Exit.KAFKA
    return Exit.FAILED if any(found.standing is Standing.FAULT for found in checks) else Exit.DONE


def _timeouts(seconds: float) -> Timeouts:
    return Timeouts(
        connect_seconds=min(CONNECT_SECONDS, seconds),
        eholdings_seconds=seconds,
        inventory_seconds=seconds,
        holdings_sources_seconds=seconds,
        scsb_seconds=seconds,
        holdingsiq_seconds=seconds,
        login_seconds=seconds,
    )


def _of_setting(told: str) -> Check:
    name, _, message = told.partition(": ")
    return fault("settings", name, message, f"set {name} as docs/settings.md says")


def _unread(told: str) -> Check:
    name, _, message = told.partition(" ")
    return warning(
        "settings", name, message, "docs/settings.md lists all; unset it where it is not meant for the relay"
    )


def _tell(checks: Sequence[Check], form: Form) -> None:
    if form is Form.JSON:
        console.print_json({"ok": exit_code(checks) is Exit.DONE, "checks": [_entry(found) for found in checks]})
        return
    table = Table("", box=None)
    for column in ("what", "found", "to mend it"):
        table.add_column(column, overflow="fold")  # the name of a setting is of no use in part
    for found in checks:
        colour = _COLOURS[found.standing]
        what = f"{found.area} {found.subject}".strip()
        table.add_row(f"[{colour}]{found.standing}[/]", *map(console.plain, (what, found.message, found.remedy or "")))
    console.out.print(table)


def _entry(found: Check) -> dict[str, Any]:
    return {
        "area": found.area,
        "subject": found.subject,
        "standing": found.standing,
        "message": found.message,
        "remedy": found.remedy,
    }
