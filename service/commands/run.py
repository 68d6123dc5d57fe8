"""`holdings-relay run`: the worker."""

from __future__ import annotations

from collections.abc import Callable

from service.app import Relay
from service.commands import console
from service.commands.console import Exit
from service.engine.ports import SourceUnavailable
from service.settings import InvalidSettings, Settings, unread
from service.telemetry import logs
from service.telemetry.log_events import SETTING_UNREAD, Log


def run() -> None:
    """Consume events, carry them out, publish results. Ends with SIGTERM or SIGINT; a second one ends it at once.

    Settings come from RELAY_… variables; see docs/settings.md.

    Example: RELAY_FOLIO__URL=https://folio.example RELAY_FOLIO__TENANT=diku RELAY_FOLIO__TOKEN_FILE=/secrets/token
    holdings-relay run
    """
    run_composed(Relay)


def run_composed(compose: Callable[[Settings], Relay]) -> None:
    """The command, with a worker that `compose` makes of the settings."""
    settings = console.settings()
    logs.configure(settings.log.level, settings.log.format)
    for message in unread():
        Log().say(SETTING_UNREAD, message=message)

    async def work() -> None:
        await compose(settings).run()

    try:
        console.run(work())
    except InvalidSettings as error:
        console.fail(Exit.SETTINGS, "The settings do not hold:", *(f"  {fault}" for fault in error.faults))
    except SourceUnavailable as error:
        console.fail(Exit.KAFKA, f"Kafka: {error}")
    except OSError as error:
        console.fail(Exit.FAILED, f"{settings.http.host}:{settings.http.port}: {error}")
