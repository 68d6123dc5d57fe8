"""`holdings-relay dead-letters`: what failed, why, and again."""

from __future__ import annotations

import typer

from service.commands.dead_letters.listing import list_letters
from service.commands.dead_letters.replaying import replay
from service.commands.dead_letters.showing import show

dead_letters = typer.Typer(
    name="dead-letters",
    help="What failed, why, and again. docs/dead-letters.md tells the whole of it.",
    no_args_is_help=True,
)
dead_letters.command("list")(list_letters)
dead_letters.command("show")(show)
dead_letters.command("replay")(replay)
