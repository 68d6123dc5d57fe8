"""The five systems of the sandbox, put together.

Owns which systems there are and what they share. It must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable

from service.sandbox.accounts import Accounts
from service.sandbox.eholdings import Eholdings
from service.sandbox.exchange import SimulatedSystem
from service.sandbox.holdings_sources import HoldingsSources
from service.sandbox.holdingsiq import HoldingsIq
from service.sandbox.inventory import InventoryUpdate
from service.sandbox.login import Login
from service.sandbox.scsb import Scsb
from service.sandbox.scsb.system import DEFAULT_API_KEY


def default_systems(
    accounts: Accounts | None = None,
    rm_calls_per_day: int | None = None,
    scsb_api_keys: Iterable[str] = (DEFAULT_API_KEY,),
) -> tuple[SimulatedSystem, ...]:
    """Fresh systems: login, eholdings, inventory, holdings-sources, scsb, holdingsiq; all empty but for the default
    account.

    `rm_calls_per_day` is the RM API's quota of each tenant, None for no limit.
    """
    sources = HoldingsSources()
    return (
        Login(accounts or Accounts()),
        Eholdings(rm_calls_per_day),
        InventoryUpdate(sources),
        sources,
        Scsb(scsb_api_keys),
        HoldingsIq(),
    )
