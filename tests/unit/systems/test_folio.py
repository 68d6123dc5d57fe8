"""Calls through FOLIO's gateway."""

from __future__ import annotations

import httpx
import pytest

from service.systems.folio import FolioGateway
from service.systems.http import Clocks, Reply
from service.systems.tokens import TenantTokens, UserPassword
from service.systems.trouble import CallResult, CredentialsRefused
from tests.unit.systems.scripted import Scripted, ScriptedTransport, answer, gateway, http_client
from tests.unit.systems.test_tokens import logged_in

TENANT = "diku"


def with_login(*answers: Scripted) -> tuple[FolioGateway, ScriptedTransport]:
    """A gateway that logs in over the same transport as its calls."""
    transport = ScriptedTransport(*answers)
    http = http_client(transport, "inventory")
    tokens = TenantTokens(http, {TENANT: UserPassword("u", "p")}, login_seconds=1.0, clocks=Clocks())
    return FolioGateway(http, tokens), transport


async def call(folio: FolioGateway, *, body: bytes | None = b"{}", media_type: str = "application/json") -> CallResult:
    return await folio.send(TENANT, "upsert", "PUT", "/x", read_seconds=1.0, body=body, media_type=media_type)


def token_used(request: httpx.Request) -> str:
    return request.headers["X-Okapi-Token"]


async def test_tenant_token_and_media_type_go_with_every_call() -> None:
    transport = ScriptedTransport(answer(200, {}))

    await call(gateway(transport), media_type="application/vnd.api+json")

    headers = transport.requests[0].headers
    assert (headers["X-Okapi-Tenant"], headers["X-Okapi-Token"]) == ("diku", "token-of-diku")
    assert headers["Accept"] == headers["Content-Type"] == "application/vnd.api+json"


async def test_a_call_without_a_body_has_no_content_type() -> None:
    transport = ScriptedTransport(answer(200, {}))

    await call(gateway(transport), body=None)

    assert "content-type" not in transport.requests[0].headers


@pytest.mark.parametrize(
    "refusal",
    [(401, "Invalid token"), (400, "Token missing, access requires permission: inventory-update.by-hrid.item.put")],
)
async def test_a_refused_token_costs_one_login_and_one_repeat(refusal: tuple[int, str]) -> None:
    folio, transport = with_login(logged_in("t1"), answer(*refusal), logged_in("t2"), answer(200, {}))

    result = await call(folio)

    assert isinstance(result, Reply)
    assert [token_used(transport.requests[place]) for place in (1, 3)] == ["t1", "t2"]


async def test_a_fresh_token_that_is_refused_too_is_a_matter_of_credentials() -> None:
    folio, transport = with_login(logged_in("t1"), answer(401, "a"), logged_in("t2"), answer(401, "b"))

    assert await call(folio) == CredentialsRefused(401, "b")
    assert transport.answers == []


async def test_a_given_token_that_is_refused_is_a_matter_of_credentials() -> None:
    transport = ScriptedTransport(answer(401, "Invalid token"))

    result = await call(gateway(transport))

    assert isinstance(result, CredentialsRefused)
    assert len(transport.calls) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, "Access for user 'u' (1) requires permission: p"),
        (403, {"errors": [{"title": "1009: provider says no"}]}),
        (400, {"errors": [{"title": "KB Credentials do not exist or user with userId = 1 is not assigned to any"}]}),
        (404, {"errors": [{"title": "KB Credentials do not exist or user with userId = 1 is not assigned to any"}]}),
    ],
)
async def test_what_is_not_the_requests_fault_is_a_matter_of_credentials(status: int, body: object) -> None:
    transport = ScriptedTransport(answer(status, body))

    result = await call(gateway(transport))

    assert isinstance(result, CredentialsRefused)
    assert result.status == status


@pytest.mark.parametrize("status", [200, 207, 400, 404, 409, 422, 429, 500])
async def test_every_other_answer_is_the_modules(status: int) -> None:
    transport = ScriptedTransport(answer(status, "words"))

    result = await call(gateway(transport))

    assert isinstance(result, Reply)
    assert result.status == status
