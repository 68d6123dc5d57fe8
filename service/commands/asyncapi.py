"""`holdings-relay asyncapi` and `holdings-relay schema`: what is on the topics, for machines and for readers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
import yaml

from service.asyncapi.catalogue import DIALECT, event_schema, event_types
from service.asyncapi.document import document
from service.commands import console


class Form(StrEnum):
    """How the document is written."""

    YAML = "yaml"
    JSON = "json"


def asyncapi(
    form: Annotated[Form, typer.Option("--format", help="Of the document.")] = Form.YAML,
    server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A broker to name in the document; none when absent.")
    ] = None,
) -> None:
    """Print the AsyncAPI 3.0 document of all topics, under RELAY_TOPICS__PREFIX.

    Example: holdings-relay asyncapi > asyncapi.yaml
    """
    made = document(console.settings().topics.prefix, server)
    if form is Form.JSON:
        console.print_json(made)
        return
    text = yaml.dump(made, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=100)
    console.out.print(text, end="", markup=False, soft_wrap=True)


def schema(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="Of an event in or out, e.g. holdings.changed.")],
    event: Annotated[
        bool, typer.Option("--event", help="Of the whole event in structured mode, not its data.")
    ] = False,
) -> None:
    """Print the JSON Schema of the data of an event type.

    Example: holdings-relay schema holdings.changed
    """
    known = {found.name: found for found in event_types()}
    if event_type not in known:
        raise typer.BadParameter(f"{event_type} is not known; known are {', '.join(known)}")
    found = known[event_type]
    if not event:
        console.print_json({"$schema": DIALECT, **found.data})
        return
    whole = event_schema(found)
    definitions = found.data.get("$defs", {})
    whole["properties"]["data"] = {name: part for name, part in found.data.items() if name != "$defs"}
    console.print_json({"$schema": DIALECT, **whole, **({"$defs": definitions} if definitions else {})})


class _Plain(yaml.SafeDumper):
    """YAML without anchors, which not every reader of AsyncAPI follows."""

    def ignore_aliases(self, data: object) -> bool:
        return True
