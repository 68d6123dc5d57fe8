"""The sandbox as a client meets it: seed data, and its two commonest calls over HTTP."""

import io
from collections.abc import Mapping

import aiohttp
import orjson

from service.sandbox.eholdings import eholdings_state, resource
from service.sandbox.scsb import bib, holdings, institution, item, scsb_state
from service.sandbox.server import Sandbox
from tests.builders.sandbox import JSON_API, JsonObject, item_ids

RESOURCE = "/eholdings/resources/22-1-2"
FOLIO_HEADERS = {"X-Okapi-Tenant": "diku", "X-Okapi-Token": "static", "Content-Type": JSON_API, "Accept": JSON_API}
SCSB_HEADERS = {"api_key": "sandbox-scsb-key", "Content-Type": "application/json"}
HOLDINGSIQ_HEADERS = {"x-api-key": "sandbox-holdingsiq-key"}
TRANSFER: JsonObject = {
    "institution": "PUL",
    "itemTransfers": [{"source": item_ids("1", "h1", "a"), "destination": item_ids("2", "h2", "a")}],
}
SEED: JsonObject = {
    "login": {"tenants": {"diku": {"tokens": {"static": "relay"}}}},
    "eholdings": eholdings_state(resource("22-1-2")),
    "scsb": scsb_state(PUL=institution(bib("1", holdings("h1", item("a"), item("b"))), bib("2", holdings("h2")))),
}


async def put_statement(http: aiohttp.ClientSession, sandbox: Sandbox, statement: str) -> tuple[int, bytes]:
    """Sets a coverage statement in eholdings; status and body of the answer."""
    body = {"data": {"type": "resources", "attributes": {"isSelected": True, "coverageStatement": statement}}}
    data = io.BytesIO(orjson.dumps(body))
    async with http.put(sandbox.folio_url + RESOURCE, data=data, headers=FOLIO_HEADERS) as response:
        return response.status, await response.read()


async def transfer(http: aiohttp.ClientSession, sandbox: Sandbox) -> tuple[int, Mapping[str, str], bytes]:
    """Sends `TRANSFER` to SCSB; status, headers and body of the answer."""
    path = "/sharedCollection/transferHoldingsAndItems"
    async with http.post(sandbox.scsb_url + path, data=orjson.dumps(TRANSFER), headers=SCSB_HEADERS) as response:
        return response.status, response.headers, await response.read()
