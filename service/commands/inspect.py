"""`holdings-relay inspect …`: what the systems hold now. Reads only."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Final, TypeAlias, TypeVar

import typer
import yaml

from service.app import systems_config
from service.commands import console
from service.commands.console import Exit
from service.domain.answers import Finding
from service.domain.events.patterns import RESOURCE_ID, WORDS
from service.domain.jsonvalue import JsonValue
from service.settings import Settings
from service.systems.eholdings_reading import read_each, read_in_bulk
from service.systems.registry import ConfiguredSystems
from service.systems.transport import Http1Transport
from service.systems.trouble import Trouble

Decision: TypeAlias = Finding | Trouble
Reader = TypeVar("Reader")
Found = TypeVar("Found")

FOLIO_URL: Final = "RELAY_FOLIO__URL"
HOLDINGSIQ_URL: Final = "RELAY_HOLDINGSIQ__URL"
BULK_LIMITS: Final = (
    "Read through bulk/fetch: up to a day old; without selection, URL, embargo, visibility, proxy, user-defined "
    "fields, access type and tags; in no particular order; no reason for those that failed. "
    "--each reads every one by itself."
)


class Form(StrEnum):
    """How what was found is told."""

    PRETTY = "pretty"
    JSON = "json"


FormOption = Annotated[Form, typer.Option("--format", help="Of what was found.")]
TenantOption = Annotated[str | None, typer.Option("--tenant", help="FOLIO tenant; RELAY_FOLIO__TENANT when absent.")]

inspect = typer.Typer(no_args_is_help=True, help="Show what the systems hold now. Reads only.")


@inspect.command()
def eholdings(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Resource ids, like 22-1887786-1440285.")],
    each: Annotated[bool, typer.Option("--each", help="GET every one, in place of bulk/fetch for many.")] = False,
    tenant: TenantOption = None,
    form: FormOption = Form.PRETTY,
) -> None:
    """Electronic resources: one by GET, many through bulk/fetch, 20 at a time, which knows less of each.

    Ends with 1 when one of them cannot be had.

    Example: holdings-relay inspect eholdings 22-1887786-1440285
    """
    if wrong := [given for given in ids if not re.fullmatch(RESOURCE_ID, given)]:
        raise typer.BadParameter(f"{', '.join(wrong)}: {WORDS[RESOURCE_ID]}")
    unique = list(dict.fromkeys(ids))
    settings = console.settings()
    chosen = _tenant(settings, tenant)
    if len(unique) == 1:
        _show(settings, form, lambda systems: _needed(systems.eholdings, FOLIO_URL).fetch(chosen, unique[0]))
        return
    if not each:
        console.errors.print(BULK_LIMITS, markup=False, soft_wrap=True)
    read = read_each if each else read_in_bulk
    found = _look(settings, lambda systems: read(_needed(systems.eholdings, FOLIO_URL), chosen, unique))
    _print({"resources": found.resources, "failed": found.failed}, form)
    if found.failed:
        raise typer.Exit(Exit.FAILED)


@inspect.command()
def inventory(
    identifier: Annotated[str, typer.Argument(metavar="HRID|UUID", help="Of an instance.")],
    tenant: TenantOption = None,
    form: FormOption = Form.PRETTY,
) -> None:
    """An instance with its holdings records, items and relations.

    Example: holdings-relay inspect inventory in00000000001 --format json
    """
    if not identifier.strip(". \t"):
        raise typer.BadParameter("must not be blank, nor consist of dots")
    settings = console.settings()
    chosen = _tenant(settings, tenant)
    _show(settings, form, lambda systems: _needed(systems.inventory, FOLIO_URL).fetch(chosen, identifier))


@inspect.command("holdings-sources")
def holdings_sources(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="All when absent.")] = None,
    tenant: TenantOption = None,
    form: FormOption = Form.PRETTY,
) -> None:
    """Holdings sources: all, or those of a name. Ends with 1 when there is none of that name.

    Example: holdings-relay inspect holdings-sources FOLIO
    """
    settings = console.settings()
    chosen = _tenant(settings, tenant)
    found = _look(settings, lambda systems: _needed(systems.source_reader, FOLIO_URL).read(chosen, name))
    _print(found, form)
    if name is not None and not found:
        console.fail(Exit.FAILED, f"holdings-sources: there is none called {name}")


@inspect.command()
def exports(
    cust_id: Annotated[str, typer.Argument(metavar="CUSTID", help="Customer id of HoldingsIQ.")],
    export_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Of one export; all when absent.")] = None,
    form: FormOption = Form.PRETTY,
) -> None:
    """Exports of a HoldingsIQ customer. Links to files are never shown: `holdings-relay export` fetches one.

    Example: holdings-relay inspect exports apidemo
    """
    if not all(given.strip(". \t") for given in (cust_id, export_id or "-")):
        raise typer.BadParameter("must not be blank, nor consist of dots")
    settings = console.settings()

    def look(systems: ConfiguredSystems) -> Awaitable[JsonValue | Decision]:
        reader = _needed(systems.exports, HOLDINGSIQ_URL)
        return reader.list(cust_id) if export_id is None else reader.read(cust_id, export_id)

    _show(settings, form, look)


def _tenant(settings: Settings, given: str | None) -> str:
    """The tenant to ask as, or the end where there are no credentials for it."""
    if settings.folio.url is None:
        console.fail(Exit.SETTINGS, f"{FOLIO_URL} is not set")
    tenant = given or settings.folio.tenant
    if tenant is None:
        console.fail(Exit.SETTINGS, "RELAY_FOLIO__TENANT is not set; name a tenant by --tenant")
    if tenant not in systems_config(settings).tenants:
        console.fail(
            Exit.SETTINGS, f"tenant {tenant} has no credentials: RELAY_FOLIO__TENANTS__{tenant}__TOKEN or …USERNAME"
        )
    return tenant


def _needed(reader: Reader | None, setting: str) -> Reader:
    """The reader, or the end where its system is not configured."""
    if reader is None:
        console.fail(Exit.SETTINGS, f"{setting} is not set")
    return reader


def _show(settings: Settings, form: Form, look: Callable[[ConfiguredSystems], Awaitable[JsonValue | Decision]]) -> None:
    _print(_look(settings, look), form)


def _look(settings: Settings, look: Callable[[ConfiguredSystems], Awaitable[Found | Decision]]) -> Found:
    """What was found, or the end in the system's own words."""

    async def work() -> Found | Decision:
        systems = ConfiguredSystems(systems_config(settings), Http1Transport())
        try:
            return await look(systems)
        finally:
            await systems.aclose()

    found = console.run(work())
    if isinstance(found, Finding | Trouble):
        status = f"HTTP {found.status}: " if found.status else ""
        console.fail(Exit.FAILED, f"{status}{found.message}")
    return found


def _print(found: JsonValue, form: Form) -> None:
    if form is Form.JSON:
        console.print_json(found)
        return
    text = yaml.safe_dump(found, allow_unicode=True, sort_keys=False, width=10_000)
    console.out.print(text, end="", markup=False, soft_wrap=True)
