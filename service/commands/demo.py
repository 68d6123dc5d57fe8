"""`holdings-relay demo`: the main job end to end on one machine, with nothing else installed."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from service.commands import console
from service.commands.console import Exit
from service.demo.performance import perform
from service.demo.stage import Stage
from service.demo.summary import Report, print_report
from service.demo.view import view_for
from service.demo.worker import WorkerFailed
from service.engine.ports import SourceUnavailable
from service.kafka.connection import quieten
from service.sandbox.broker import BrokerError, Progress, prefetch
from service.settings import Settings, brokers_are_given

INTERRUPTED = 130
_SECRET_ENDINGS = ("KAFKA__SASL_PASSWORD",)
_EXAMPLE = (
    '{"specversion": "1.0", "id": "mine-1", "source": "/me", "type": "holdings.changed", "data": {"eholdings": '
    '{"action": "update", "resourceId": "19-2310-1440285", "attributes": {"coverageStatement": "1998 to date"}}}}'
)


def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running afterwards, until Ctrl-C, to be tried out.")
    ] = False,
) -> None:
    """Show the whole flow: Kafka, the simulated systems, the worker, and some 300 events with troubles among them.

    Starts a Kafka broker of its own; the first time this fetches Apache Kafka. Where RELAY_KAFKA__BOOTSTRAP_SERVERS
    names a broker, that one is used, with topics of its own that are deleted afterwards. Ends with exit code 0 when
    every record has exactly the result that it should have and the systems hold exactly what was asked for, else
    with 1.

    Example: holdings-relay demo

    Example: RELAY_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 holdings-relay demo --keep
    """
    settings = console.settings()
    quieten()
    try:
        own_broker = not brokers_are_given()
        if own_broker:
            _prefetch()
        holds = console.run(_until_done_or_interrupted(settings, keep, own_broker=own_broker))
    except (BrokerError, WorkerFailed, OSError) as error:
        console.fail(Exit.FAILED, str(error))
    except SourceUnavailable as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")
    except (asyncio.CancelledError, KeyboardInterrupt):
        console.errors.print("Interrupted. Everything was stopped.", markup=False)
        raise typer.Exit(INTERRUPTED) from None
    if not holds:
        raise typer.Exit(Exit.FAILED)


async def _until_done_or_interrupted(settings: Settings, keep: bool, *, own_broker: bool) -> bool:
    """Ctrl-C and SIGTERM end what is under way, or the keeping; a second one changes nothing."""
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    keeping = False

    async def stay(stage: Stage) -> None:
        nonlocal keeping
        _explain(stage)
        keeping = True
        await interrupted.wait()

    def report(made: Report) -> None:
        print_report(console.out, made)

    performance = asyncio.ensure_future(
        perform(settings, view_for(console.out), report, stay if keep else None, own_broker=own_broker)
    )

    def interrupt() -> None:
        if not interrupted.is_set():
            interrupted.set()
            if not keeping:
                performance.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    return await performance


def _prefetch() -> None:
    """Tells of a download, which happens once; of nothing otherwise."""
    told: set[str] = set()

    def tell(progress: Progress) -> None:
        if progress.step not in told:
            told.add(progress.step)
            console.out.print(f"{progress.step} (once)", markup=False)

    prefetch(tell)


def _explain(stage: Stage) -> None:
    """How to send an event of one's own, and where to look."""
    lines = ["Everything goes on running, until Ctrl-C. In another terminal:", ""]
    command = Path(sys.argv[0]).absolute()
    if shutil.which(command.name) != str(command) and command.name == "holdings-relay":
        lines.append(f"  alias holdings-relay={shlex.quote(str(command))}")
    for name, value in stage.environment.items():
        if name.endswith(_SECRET_ENDINGS):
            lines.append(f"  # {name} as it is set here")
        else:
            lines.append(f"  export {name}={shlex.quote(value)}")
    control, prefix = stage.sandbox.control_url, stage.prefix
    lines += [
        "",
        "  # an event of your own, and its result",
        f"  echo '{_EXAMPLE}' | holdings-relay publish -",
        "  # what the systems hold now, which calls they had, and a trouble for the next one",
        f"  curl -s {control}/state/eholdings",
        f"  curl -s '{control}/ledger?system=eholdings'",
        f'  curl -s {control}/faults -d \'{{"system": "eholdings", "status": 503, "times": 2}}\'',
        "  # how the worker is",
        f"  curl -s {stage.worker.url}/metrics",
        "",
        f"Results are on {prefix}holdings.results, dead letters on {prefix}holdings.dead-letters, "
        f"rows of exports on {prefix}holdings.export-rows; "
        f"the worker logs to {stage.worker.log}.",
    ]
    for line in lines:
        console.out.print(line, markup=False, soft_wrap=True)
