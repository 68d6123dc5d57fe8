"""What `holdings-relay check` asks of the systems: one harmless call each, as each tenant, with its credentials.

Owns which call that is and what its answer means. Nothing is changed. A call costs what any call costs: the one to
eholdings and the one to HoldingsIQ are taken off a daily quota.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from service.domain.answers import Denial, Finding
from service.domain.checks import Check, fault, ok, skipped, warning
from service.systems.registry import ConfiguredSystems
from service.systems.trouble import Trouble

NO_RESOURCE: Final = "1-1-1"
NO_INSTANCE: Final = "holdings-relay-check"
NO_CUSTOMER: Final = "holdings-relay-check"
_A_SOURCE: Final = "FOLIO"
_NO_MODULE: Final = ("no suitable module", "no route matched")
"""How FOLIO's gateways say that a module is not enabled for a tenant."""


async def check_systems(systems: ConfiguredSystems, default_tenant: str | None, cust_id: str | None) -> list[Check]:
    """Every configured system, side by side. `cust_id` is a customer of HoldingsIQ whose exports may be listed."""
    checks = await asyncio.gather(
        _check_folio(systems, default_tenant), _check_scsb(systems), _check_holdingsiq(systems, cust_id)
    )
    return [check for found in checks for check in found]


async def _check_folio(systems: ConfiguredSystems, default_tenant: str | None) -> list[Check]:
    if systems.eholdings is None:
        unset = "RELAY_FOLIO__URL is not set: events that need it become dead letters"
        return [skipped(system, "", unset) for system in ("eholdings", "inventory", "holdings-sources")]
    checks = await asyncio.gather(
        *(_check_tenant(systems, tenant, _names(tenant, default_tenant)) for tenant in systems.tenants)
    )
    return [check for found in checks for check in found]


def _names(tenant: str, default_tenant: str | None) -> str:
    return "RELAY_FOLIO__" if tenant == default_tenant else f"RELAY_FOLIO__TENANTS__{tenant}__"


async def _check_tenant(systems: ConfiguredSystems, tenant: str, names: str) -> Sequence[Check]:
    """The login first: what is refused there need not be asked of three modules, for five refusals lock the account."""
    subject = f"tenant {tenant}"
    refused = await systems.log_in(tenant)
    if refused is not None:
        return [
            _of_trouble("login", subject, refused, "RELAY_FOLIO__URL", f"{names}USERNAME and {names}PASSWORD"),
            *(
                skipped(system, subject, "no token can be had")
                for system in ("eholdings", "inventory", "holdings-sources")
            ),
        ]
    return await asyncio.gather(
        _check_eholdings(systems, tenant, names),
        _check_inventory(systems, tenant, names),
        _check_sources(systems, tenant, names),
    )


async def _check_eholdings(systems: ConfiguredSystems, tenant: str, names: str) -> Check:
    if systems.eholdings is None:
        raise LookupError("eholdings is not configured")
    found = await systems.eholdings.fetch(tenant, NO_RESOURCE)
    permission = f"{_user(names)} needs kb-ebsco.resources.item.get, and must be assigned to a knowledge base"
    return _of_folio("eholdings", tenant, found, permission, absent_says="")


async def _check_inventory(systems: ConfiguredSystems, tenant: str, names: str) -> Check:
    if systems.inventory is None:
        raise LookupError("inventory is not configured")
    found = await systems.inventory.fetch(tenant, NO_INSTANCE)
    permission = f"{_user(names)} needs inventory-update.by-hrid.item.get"
    return _of_folio("inventory", tenant, found, permission, absent_says="instance with id")


async def _check_sources(systems: ConfiguredSystems, tenant: str, names: str) -> Check:
    if systems.holdings_sources is None:
        raise LookupError("holdings-sources is not configured")
    found = await systems.holdings_sources.look_up(tenant, _A_SOURCE, None)
    permission = f"{_user(names)} needs inventory-storage.holdings-sources.collection.get"
    return _of_folio("holdings-sources", tenant, found, permission, absent_says=None)


def _user(names: str) -> str:
    return f"the user of {names}USERNAME or {names}TOKEN"


def _of_folio(system: str, tenant: str, found: object, permission: str, *, absent_says: str | None) -> Check:
    """A 404 whose words hold `absent_says` is what was hoped for; any other comes from something before the module."""
    subject = f"tenant {tenant}"
    match found:
        case Trouble():
            return _of_trouble(system, subject, found, "RELAY_FOLIO__URL", permission)
        case Finding(status=404, message=str(words)) if absent_says is not None and not _is_gateways(words):
            if absent_says in words.lower():
                return ok(system, subject, "answers, and lets us read")
            return fault(system, subject, words, "RELAY_FOLIO__URL, and whether the module is enabled for the tenant")
        case Finding(message=words):
            return fault(system, subject, words or "refused", "the module must be enabled for the tenant, and work")
        case _:
            return ok(system, subject, "answers, and lets us read")


def _is_gateways(words: str) -> bool:
    return any(told in words.lower() for told in _NO_MODULE)


async def _check_scsb(systems: ConfiguredSystems) -> list[Check]:
    if systems.scsb is None:
        return [skipped("scsb", "", "RELAY_SCSB__URL is not set: events that need it become dead letters")]
    found = await systems.scsb.ask_for_nothing()
    match found:
        case None:
            return [ok("scsb", "", "answers, and takes the key")]
        case Trouble():
            return [_of_trouble("scsb", "", found, "RELAY_SCSB__URL", "RELAY_SCSB__API_KEY")]
        case Finding():
            return [fault("scsb", "", found.message or "refused", "RELAY_SCSB__URL must be that of SCSB's gateway")]


async def _check_holdingsiq(systems: ConfiguredSystems, cust_id: str | None) -> list[Check]:
    if systems.exports is None:
        return [skipped("holdingsiq", "", "RELAY_HOLDINGSIQ__URL is not set: events that need it become dead letters")]
    subject = f"customer {cust_id}" if cust_id else ""
    found = await systems.exports.list(cust_id or NO_CUSTOMER)
    match found:
        case Trouble():
            key = "RELAY_HOLDINGSIQ__API_KEY" + (
                "" if cust_id else "; where it is right, name one of its customers in RELAY_HOLDINGSIQ__CHECK_CUST_ID"
            )
            return [_of_trouble("holdingsiq", subject, found, "RELAY_HOLDINGSIQ__URL", key)]
        case Finding(status=404 | 400) if not cust_id:
            return [ok("holdingsiq", subject, "answers, and takes the key")]
        case Finding():
            remedy = "RELAY_HOLDINGSIQ__URL and RELAY_HOLDINGSIQ__CHECK_CUST_ID"
            return [fault("holdingsiq", subject, found.message or "refused", remedy)]
        case _:
            return [ok("holdingsiq", subject, "answers, and takes the key")]


def _of_trouble(system: str, subject: str, trouble: Trouble, address: str, credentials: str) -> Check:
    match trouble.denial:
        case Denial.CREDENTIALS:
            return fault(system, subject, trouble.message, credentials)
        case Denial.QUOTA:
            return warning(system, subject, trouble.message, "the daily quota is spent; it comes back by itself")
        case None:
            return fault(system, subject, trouble.message, f"{address}, and whether the system is up")
