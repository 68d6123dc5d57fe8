"""`holdings-relay sandbox`: the systems, simulated faithfully and statefully, with faults on request."""

from __future__ import annotations

import asyncio
import shlex
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import orjson
import typer

from service.commands import console
from service.commands.console import Exit
from service.demo import samples
from service.demo.environment import sandbox_environment
from service.sandbox.accounts import Accounts
from service.sandbox.exchange import JsonValue
from service.sandbox.server import Sandbox, SandboxSettings
from service.sandbox.systems import default_systems

State: TypeAlias = Mapping[str, JsonValue]


def sandbox(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 9130,
    state: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Seed data, JSON as PUT /_sandbox/state takes it. May be given repeatedly."),
    ] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Start without the demonstration's seed data.")] = False,
    token_ttl_seconds: Annotated[float, typer.Option(min=0.1, help="How long a FOLIO access token is good for.")] = 600,
    latency: Annotated[
        list[str] | None,
        typer.Option(metavar="SYSTEM=SECONDS", help="Time that each call of a system takes. May be given repeatedly."),
    ] = None,
) -> None:
    """Run the simulated systems: eholdings, inventory-update, holdings-sources, FOLIO's login, SCSB, and HoldingsIQ.

    Prints the settings with which the relay uses them. A control API below /_sandbox shows every call, loads and shows
    state, and makes faults; see docs/sandbox.md. Ends with SIGTERM or Ctrl-C.

    Example: holdings-relay sandbox

    Example: holdings-relay sandbox --empty --state seeds.json --latency eholdings=0.2 --token-ttl-seconds 5
    """
    try:
        seeds = [*([] if empty else samples.seeds()), *(_read(path) for path in state or ())]
        settings = SandboxSettings(latency_seconds=_latencies(latency or []))
        made = Sandbox(default_systems(Accounts(access_token_seconds=token_ttl_seconds)), settings)
        for seed in seeds:
            made.load(seed)
    except ValueError as error:
        console.fail(Exit.FAILED, str(error))
    try:
        console.run(_serve(made, host, port))
    except OSError as error:
        console.fail(Exit.FAILED, f"{host}:{port}: {error.strerror or error}")


def _read(path: Path) -> State:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: must be an object of systems")
    return content


def _latencies(given: list[str]) -> dict[str, float]:
    known = {system.name for system in default_systems()}
    latencies: dict[str, float] = {}
    for text in given:
        system, _, seconds = text.partition("=")
        try:
            latencies[system] = float(seconds)
        except ValueError:
            raise ValueError(f"--latency {text}: expected SYSTEM=SECONDS, e.g. eholdings=0.2") from None
        if system not in known:
            raise ValueError(f"--latency {text}: no such system; there are {', '.join(sorted(known))}")
        if not 0 <= latencies[system] < float("inf"):
            raise ValueError(f"--latency {text}: the seconds must be 0 or more")
    return latencies


async def _serve(made: Sandbox, host: str, port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    await made.start(host, port)
    try:
        _explain(made)
        await stopping.wait()
    finally:
        await made.stop()


def _explain(made: Sandbox) -> None:
    control = made.control_url
    environment = sandbox_environment(made.folio_url, made.scsb_url, made.holdingsiq_url)
    lines = [
        f"The sandbox listens on {made.url}. To use it in place of the systems:",
        "",
        *(f"  export {name}={shlex.quote(value)}" for name, value in environment.items()),
        "",
        "Control it:",
        "",
        f"  curl -s '{control}/ledger?system=eholdings'             # every call, oldest first",
        f"  curl -s {control}/state                                 # what the systems hold",
        f"  curl -s -X PUT {control}/state -d @seeds.json           # load seed data",
        f'  curl -s {control}/faults -d \'{{"system": "eholdings", "method": "PUT", "status": 503, "times": 2}}\'',
        f'  curl -s {control}/faults -d \'{{"system": "scsb", "drop": "after", "times": 1}}\'',
        f"  curl -s -X DELETE {control}/faults                      # no more faults",
        f"  curl -s -X POST {control}/reset                         # all as if nothing had been loaded",
        "",
        "Ctrl-C ends it.",
    ]
    for line in lines:
        console.out.print(line, markup=False, soft_wrap=True)
