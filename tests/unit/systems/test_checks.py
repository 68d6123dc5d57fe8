"""What `check` says of the systems: one harmless call each, and what is wrong with how to mend it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.domain.checks import Check, Standing
from service.sandbox.accounts import Accounts
from service.sandbox.faults import Fault
from service.sandbox.server import Sandbox
from service.sandbox.systems import default_systems
from service.systems.checks import check_systems
from service.systems.registry import ConfiguredSystems, SystemsConfig
from service.systems.timeouts import Timeouts
from service.systems.tokens import Credentials, StaticToken, UserPassword
from service.systems.transport import Http1Transport
from tests.builders.sandbox_http import SEED

RELAY = UserPassword("relay", "relay-password")
FOLIO = ("eholdings", "inventory", "holdings-sources")
SECRETS = ("relay-password", "hunter2", "sandbox-scsb-key", "sandbox-holdingsiq-key", "static-secret")


class Checking:
    """A sandbox, and systems that are configured for it."""

    def __init__(self, sandbox: Sandbox, accounts: Accounts) -> None:
        self.sandbox = sandbox
        self.accounts = accounts
        self.tenants: dict[str, Credentials] = {"diku": RELAY}
        self.folio_url: str | None = sandbox.folio_url
        self.scsb_key = "sandbox-scsb-key"
        self.holdingsiq_key = "sandbox-holdingsiq-key"
        self.only_folio = False

    async def checks(self, cust_id: str | None = None) -> dict[str, Check]:
        """What was found, by area and subject."""
        quick = Timeouts(connect_seconds=0.5, eholdings_seconds=0.5, inventory_seconds=0.5, scsb_seconds=0.5)
        systems = ConfiguredSystems(
            SystemsConfig(
                folio_url=self.folio_url,
                tenants=self.tenants,
                scsb_url=None if self.only_folio else self.sandbox.scsb_url,
                scsb_api_key=self.scsb_key,
                holdingsiq_url=None if self.only_folio else self.sandbox.holdingsiq_url,
                holdingsiq_api_key=self.holdingsiq_key,
                timeouts=quick,
            ),
            Http1Transport(),
        )
        try:
            found = await check_systems(systems, "diku", cust_id)
        finally:
            await systems.aclose()
        assert not [check for check in found for secret in SECRETS if secret in f"{check.message}{check.remedy}"]
        return {f"{check.area} {check.subject}".strip(): check for check in found}


@pytest.fixture
async def checking() -> AsyncIterator[Checking]:
    accounts = Accounts()
    async with Sandbox(default_systems(accounts)) as sandbox:
        yield Checking(sandbox, accounts)


async def test_all_is_well_and_nothing_was_changed(checking: Checking) -> None:
    checking.sandbox.load({"scsb": SEED["scsb"]})
    scsb = checking.sandbox.systems["scsb"]
    before = scsb.snapshot()

    checks = await checking.checks()

    assert {check.standing for check in checks.values()} == {Standing.OK}
    assert list(checks) == [*(f"{system} tenant diku" for system in FOLIO), "scsb", "holdingsiq"]
    assert scsb.snapshot() == before
    others = [entry for entry in checking.sandbox.ledger.entries() if entry.system not in ("login", "scsb")]
    assert [entry.method for entry in others] == ["GET"] * 4


async def test_systems_that_are_not_configured_are_skipped_with_the_name_of_their_setting(checking: Checking) -> None:
    checking.folio_url, checking.only_folio = None, True

    checks = await checking.checks()

    assert {check.standing for check in checks.values()} == {Standing.SKIPPED}
    assert [check.message.split()[0] for check in checks.values()] == [
        *["RELAY_FOLIO__URL"] * 3,
        "RELAY_SCSB__URL",
        "RELAY_HOLDINGSIQ__URL",
    ]


async def test_a_refused_login_is_tried_once_and_names_the_settings_of_its_tenant(checking: Checking) -> None:
    checking.accounts.add_user("other", "relay", "relay-password")
    checking.tenants["other"] = UserPassword("relay", "hunter2")

    checks = await checking.checks()

    refused = checks["login tenant other"]
    assert refused.standing is Standing.FAULT
    assert refused.message.startswith("login refused: Wrong username")
    assert refused.remedy == "RELAY_FOLIO__TENANTS__other__USERNAME and RELAY_FOLIO__TENANTS__other__PASSWORD"
    assert {checks[f"{system} tenant other"].standing for system in FOLIO} == {Standing.SKIPPED}
    assert {checks[f"{system} tenant diku"].standing for system in FOLIO} == {Standing.OK}
    logins = [entry for entry in checking.sandbox.ledger.entries() if "/authn/" in entry.path and entry.status == 422]
    assert len(logins) == 1


async def test_a_token_that_is_refused_names_the_token(checking: Checking) -> None:
    checking.tenants = {"diku": StaticToken("static-secret")}

    checks = await checking.checks()

    for system in FOLIO:
        assert checks[f"{system} tenant diku"].standing is Standing.FAULT
        assert checks[f"{system} tenant diku"].message == "Invalid token"
        assert "RELAY_FOLIO__TOKEN" in (checks[f"{system} tenant diku"].remedy or "")


@pytest.mark.parametrize(
    ("system", "permission"),
    [
        ("eholdings", "kb-ebsco.resources.item.get"),
        ("inventory", "inventory-update.by-hrid.item.get"),
        ("holdings-sources", "inventory-storage.holdings-sources.collection.get"),
    ],
)
async def test_a_missing_permission_is_told_by_name(checking: Checking, system: str, permission: str) -> None:
    others = {
        "kb-ebsco.resources.item.get",
        "inventory-update.by-hrid.item.get",
        "inventory-storage.holdings-sources.collection.get",
    } - {permission}
    checking.accounts.add_user("diku", "relay", "relay-password", frozenset(others))

    checks = await checking.checks()

    assert [name for name, check in checks.items() if check.standing is Standing.FAULT] == [f"{system} tenant diku"]
    told = checks[f"{system} tenant diku"]
    assert permission in told.message
    assert permission in (told.remedy or "")


@pytest.mark.parametrize(
    ("fault", "where", "standing", "message", "remedy"),
    [
        (
            Fault(system="eholdings", status=400, body={"errors": [{"title": "KB Credentials do not exist or user"}]}),
            "eholdings tenant diku", Standing.FAULT, "KB Credentials do not exist", "assigned to a knowledge base",
        ),
        (
            Fault(system="eholdings", status=429, body={"errors": [{"title": "Limit Exceeded"}]}),
            "eholdings tenant diku", Standing.WARNING, "Limit Exceeded", "daily quota",
        ),
        (
            Fault(system="inventory", status=404, body="No suitable module found for path /inventory-upsert-hrid"),
            "inventory tenant diku", Standing.FAULT, "No suitable module", "must be enabled for the tenant",
        ),
        (
            Fault(system="inventory", status=404, body="nginx"),
            "inventory tenant diku", Standing.FAULT, "nginx", "RELAY_FOLIO__URL",
        ),
        (
            Fault(system="holdings-sources", status=500, body="storage is down"),
            "holdings-sources tenant diku", Standing.FAULT, "storage is down", "RELAY_FOLIO__URL",
        ),
        (
            Fault(system="holdings-sources", body="<html>"),
            "holdings-sources tenant diku", Standing.FAULT, "unreadable answer", "RELAY_FOLIO__URL",
        ),
        (
            Fault(system="login", status=503, body="down"),
            "login tenant diku", Standing.FAULT, "login: down", "RELAY_FOLIO__URL",
        ),
        (
            Fault(system="inventory", delay_seconds=5),
            "inventory tenant diku", Standing.FAULT, "no answer within 0.5 s", "RELAY_FOLIO__URL",
        ),
        (Fault(system="scsb", status=503, body="down"), "scsb", Standing.FAULT, "down", "RELAY_SCSB__URL"),
        (Fault(system="scsb", status=404, body="nginx"), "scsb", Standing.FAULT, "nginx", "RELAY_SCSB__URL"),
        (
            Fault(system="holdingsiq", status=429, body={"message": "Limit Exceeded"}),
            "holdingsiq", Standing.WARNING, "Limit Exceeded", "daily quota",
        ),
        (
            Fault(system="holdingsiq", drop="after"),
            "holdingsiq", Standing.FAULT, "connection lost", "RELAY_HOLDINGSIQ__URL",
        ),
    ],
)  # fmt: skip
async def test_what_a_system_answers_is_told_with_the_remedy(
    checking: Checking, fault: Fault, where: str, standing: Standing, message: str, remedy: str
) -> None:
    checking.sandbox.faults.add(fault)

    checks = await checking.checks()

    assert checks[where].standing is standing
    assert message in checks[where].message
    assert remedy in (checks[where].remedy or "")
    assert {check.standing for name, check in checks.items() if name != where} <= {Standing.OK, Standing.SKIPPED}


async def test_wrong_keys_name_their_settings(checking: Checking) -> None:
    checking.scsb_key = checking.holdingsiq_key = "hunter2"

    checks = await checking.checks()

    assert (checks["scsb"].message, checks["scsb"].remedy) == ("Authentication Failed", "RELAY_SCSB__API_KEY")
    assert checks["holdingsiq"].message == "Invalid APIKEY"
    assert (checks["holdingsiq"].remedy or "").startswith("RELAY_HOLDINGSIQ__API_KEY; where it is right, name one of")


@pytest.mark.parametrize(
    ("cust_id", "standing"), [(None, Standing.OK), ("apidemo", Standing.FAULT)], ids=["made up", "named"]
)
async def test_a_customer_that_is_unknown_matters_only_where_it_was_named(
    checking: Checking, cust_id: str | None, standing: Standing
) -> None:
    checking.sandbox.faults.add(Fault(system="holdingsiq", status=404, body={"message": "no such customer"}))

    checks = await checking.checks(cust_id)

    assert checks[f"holdingsiq customer {cust_id}" if cust_id else "holdingsiq"].standing is standing
