"""The command line: every command is a few lines that call the rest."""

from __future__ import annotations

from typing import Annotated

import typer

from service import __version__
from service.commands import console, dead_letters
from service.commands.asyncapi import asyncapi, schema
from service.commands.check import check
from service.commands.demo import demo
from service.commands.export import export
from service.commands.inspect import inspect
from service.commands.publish import publish
from service.commands.run import run
from service.commands.sandbox import sandbox
from service.commands.topics import topics

app = typer.Typer(
    name="holdings-relay",
    help="Relays holdings changes from Kafka to the systems that must hear of them.",
    epilog="Exit codes: 0 done, 1 something did not hold, 2 wrong usage, 3 wrong settings, 4 Kafka cannot be had.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, demo, sandbox, publish, export, topics, check, asyncapi, schema):
    app.command()(command)
app.add_typer(inspect, name="inspect")
app.add_typer(dead_letters.app)


def _print_version(asked: bool) -> None:
    if asked:
        console.out.print(f"holdings-relay {__version__}")
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
