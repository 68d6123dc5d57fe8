"""`holdings-relay export`: all holdings of a HoldingsIQ customer into a file, without Kafka."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, assert_never

import typer
from pydantic import ValidationError
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from service.app import systems_config
from service.commands import console
from service.commands.console import Exit
from service.commands.export_files import Form, RowFile
from service.domain.answers import Denied, Finding, Pending, Settled, Stumbled, Verdict
from service.domain.events.export_requested import ExportRequested
from service.domain.events.objections import faults_of
from service.domain.operations import ExportHoldings, asked_of
from service.engine.ports import CallContext
from service.engine.retry import Budget, RetryPolicy, plan_retry
from service.settings import Settings
from service.systems.export_note import ExportNote
from service.systems.registry import ConfiguredSystems
from service.systems.transport import Http1Transport
from service.translation.export_requested import translate_export_requested

ROWS_TOLD_EACH = 100_000
"""Without a terminal."""


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class GivenUp(Exception):
    """The export cannot be carried out now. The message says why."""


class BrokenOff(Exception):
    """Somebody wants us to end. The message says how to go on."""

    def __init__(self, by: signal.Signals, export_id: str | None) -> None:
        how = f" To go on: --export-id {export_id}" if export_id else ""
        super().__init__(f"broken off by {by.name}; nothing was written.{how}")
        self.signal = by


def export(
    cust_id: Annotated[str, typer.Argument(metavar="CUSTID", help="Customer id of HoldingsIQ.")],
    out: Annotated[Path, typer.Option("--out", dir_okay=False, help="The file; replaced when all rows are there.")],
    kind: Annotated[
        str | None, typer.Option("--type", help="Make a new export: KBART2, STANDARD, COST or HOLDINGSEVENT.")
    ] = None,
    export_id: Annotated[str | None, typer.Option("--export-id", help="Fetch one that exists instead.")] = None,
    form: Annotated[
        Form | None, typer.Option("--format", help="Of the file; by its name when absent: jsonl, else csv.")
    ] = None,
) -> None:
    """Export all holdings of a customer into a file, row by row as they would be published.

    Needs no Kafka. When it is broken off, the export that it has named can be fetched with --export-id.

    Example: holdings-relay export apidemo --type KBART2 --out holdings.jsonl
    Example: holdings-relay export apidemo --export-id 096dea08-c57e-4dc5-a984-51a94afff2 --out holdings.csv
    """
    step = _step(cust_id, kind, export_id)
    settings = console.settings()
    if settings.holdingsiq.url is None:
        console.fail(Exit.SETTINGS, "RELAY_HOLDINGSIQ__URL is not set, nor is RELAY_HOLDINGSIQ__API_KEY")
    chosen = form or (Form.JSONL if out.suffix.lower() == ".jsonl" else Form.CSV)
    try:
        with _telling() as telling:
            finding = console.run(_write(step, out, chosen, settings, telling))
    except OSError as error:
        console.fail(Exit.FAILED, f"{out}: {error.strerror or error}")
    except GivenUp as error:
        console.fail(Exit.FAILED, str(error))
    except BrokenOff as error:
        console.errors.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(128 + error.signal) from None
    if finding.verdict is not Verdict.SUCCEEDED:
        console.fail(Exit.FAILED, f"{finding.code}: {finding.message}")
    _report(finding, out)


def _step(cust_id: str, kind: str | None, export_id: str | None) -> ExportHoldings:
    """By the same rules as an event's."""
    given = {"custId": cust_id, "type": kind, "exportId": export_id}
    try:
        event = ExportRequested.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as refused:
        options = {"data.custId": "CUSTID", "data.type": "--type", "data.exportId": "--export-id", "data": "options"}
        told = "; ".join(
            f"{options.get(fault.path, fault.path)}: {fault.message}" for fault in faults_of(refused, "data")
        )
        raise typer.BadParameter(told.replace("exportId", "--export-id")) from None
    [step] = translate_export_requested(event, "").steps
    if not isinstance(step, ExportHoldings):
        raise TypeError("a request for an export became something else")
    return step


async def _write(step: ExportHoldings, out: Path, form: Form, settings: Settings, telling: _Telling) -> Finding:
    """The export into its file, all or nothing, whatever signal comes. Raises `GivenUp`, `BrokenOff` and `OSError`."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    received: list[signal.Signals] = []

    def break_off(number: signal.Signals) -> None:
        received.append(number)
        if task is not None:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, break_off, number)
    with RowFile(out, form, telling.rows) as file:
        try:
            finding = await _carry_out(step, file, settings, telling)
        except asyncio.CancelledError:
            if not received:
                raise
            raise BrokenOff(received[0], ExportNote.read(file.note).export_id or step.export_id) from None
        if finding.verdict is Verdict.SUCCEEDED:
            file.keep_file()
        return finding


async def _carry_out(step: ExportHoldings, file: RowFile, settings: Settings, telling: _Telling) -> Finding:
    """What the worker does with an event, without its lanes and gates. Raises `GivenUp`."""
    systems = ConfiguredSystems(systems_config(settings), Http1Transport())
    given = settings.retry
    policy = RetryPolicy(given.max_attempts, given.initial_seconds, given.max_seconds, given.deadline_seconds)
    budget, uncertain, rows, named = Budget(time.monotonic()), False, 0, step.export_id
    try:
        while True:
            context = CallContext(None, uncertain, _no_mark, budget.attempts + 1, journal=file)
            answer = await systems.attempt(step, context)
            if file.rows > rows:
                budget, rows = Budget(time.monotonic()), file.rows  # it has come further
            match answer:
                case Settled(findings):
                    return findings[0]
                case Denied():
                    raise GivenUp(f"HoldingsIQ takes no calls ({answer.reason}): {answer.message}")
                case Pending():
                    budget, pause = Budget(time.monotonic()), answer.pause_seconds
                case Stumbled():
                    uncertain |= answer.uncertain
                    planned = plan_retry(
                        policy, budget.spend_attempt(), time.monotonic(), answer.retry_after_seconds, random.uniform
                    )
                    if planned is None:
                        raise GivenUp(f"given up after {budget.attempts + 1} attempts: {answer.message}")
                    budget, pause = planned, planned.pause_seconds
                    telling.say(f"trying again in {pause:.1f} s: {answer.message}")
                case _:
                    assert_never(answer)
            if isinstance(answer.remaining, ExportHoldings):
                step = answer.remaining
            if step.export_id != named:
                named = step.export_id
                telling.say(f"export {asked_of(step)[0].target}")
            await asyncio.sleep(pause)
    finally:
        await systems.aclose()


async def _no_mark() -> None:
    """Nothing outlives the process."""


class _Telling:
    """Tells how far it is: a line that changes on a terminal, plain lines elsewhere."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("rows", total=None) if progress is not None else None
        self._told = 0

    def say(self, text: str) -> None:
        console.errors.print(text, markup=False, soft_wrap=True)

    def rows(self, rows: int) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=rows)
        elif rows // ROWS_TOLD_EACH > self._told:
            self._told = rows // ROWS_TOLD_EACH
            self.say(f"{rows} rows")


@contextmanager
def _telling() -> Iterator[_Telling]:
    if not console.errors.is_terminal:
        yield _Telling(None)
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} rows"), TimeElapsedColumn())
    with Progress(*columns, console=console.errors, transient=True) as progress:
        yield _Telling(progress)


def _report(finding: Finding, out: Path) -> None:
    report = finding.export
    console.out.print(f"{report.rows if report else 0} rows in {out}", markup=False, soft_wrap=True)
    for name, count in (report.stated if report else {}).items():
        console.out.print(f"  stated {name}: {count}", markup=False, soft_wrap=True)
    if finding.message:
        console.errors.print(finding.message, markup=False, soft_wrap=True)
    for row in report.broken_rows if report else ():
        console.errors.print(f"  line {row.line}: {row.message}", markup=False, soft_wrap=True)
