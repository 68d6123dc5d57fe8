"""The command line: every command is a few lines that call the rest.

A command is imported when it is asked for, so that a worker neither waits for the demonstration, the sandbox and the
rest, nor keeps them in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Annotated, Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

from service import __version__

COMMANDS: Final = {
    "run": "service.commands.run",
    "demo": "service.commands.demo",
    "sandbox": "service.commands.sandbox",
    "publish": "service.commands.publish",
    "export": "service.commands.export",
    "topics": "service.commands.topics",
    "check": "service.commands.check",
    "asyncapi": "service.commands.asyncapi",
    "schema": "service.commands.asyncapi",
    "inspect": "service.commands.inspect",
    "dead-letters": "service.commands.dead_letters",
}
"""The module of each. It has a function of the command's name, or, for a group, a `Typer`."""

HELP_OPTIONS: Final = {"help_option_names": ["-h", "--help"]}


class ImportedWhenAsked(MutableMapping[str, Any]):
    """Commands by name, in the order of `COMMANDS`."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._made:
            self._made[name] = _command(name)
        return cast("TyperCommand | TyperGroup", self._made[name])

    def __setitem__(self, name: str, command: object) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Root(TyperGroup):
    """The group of all commands."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.commands = ImportedWhenAsked()


app = typer.Typer(
    name="holdings-relay",
    cls=Root,
    help="Relays holdings changes from Kafka to the systems that must hear of them.",
    epilog="Exit codes: 0 done, 1 something did not hold, 2 wrong usage, 3 wrong settings, 4 Kafka cannot be had.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTIONS,
)


def _command(name: str) -> TyperCommand | TyperGroup:
    """Raises KeyError for a name that is none."""
    module = import_module(COMMANDS[name])
    found = getattr(module, name.replace("-", "_"))
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False, context_settings=HELP_OPTIONS)
    alone.command(name)(found)
    return cast(TyperCommand, get_command(alone))


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"holdings-relay {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Relays holdings changes from Kafka to the systems that must hear of them."""


def main() -> None:
    app()


if __name__ == "__main__":
    main()
