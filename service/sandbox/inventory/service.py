"""FOLIO mod-inventory-update 5.2 on mod-inventory-storage 29, simulated with its state.

Owns the endpoints and the tenants. What they answer is in upserting, deleting and fetching; the state's form in state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from service.sandbox.exchange import NO_ANSWER, Call, JsonValue, Reply, text_reply
from service.sandbox.holdings_sources import HoldingsSources
from service.sandbox.inventory import contract
from service.sandbox.inventory.by_hrid import UpsertByHrid
from service.sandbox.inventory.by_match_key import UpsertByMatchKey, delete_shared
from service.sandbox.inventory.deleting import delete_by_hrid
from service.sandbox.inventory.fetching import fetch_by_hrid, fetch_shared
from service.sandbox.inventory.records import RequestOrigin
from service.sandbox.inventory.refusals import NoAnswer
from service.sandbox.inventory.shapes import JsonObject, object_of, objects_of, text_of
from service.sandbox.inventory.state import load_tenant, read_tenant, snapshot_tenant
from service.sandbox.inventory.storage import TenantStorage
from service.sandbox.inventory.storage_faults import StorageFault, StorageFaults, faults_from_state
from service.sandbox.inventory.upserting import UpsertPlan, upsert_batch, upsert_single
from service.sandbox.seeds import object_at, require_known

SINGLE: Final = "/inventory-upsert-hrid"
BATCH: Final = "/inventory-batch-upsert-hrid"
SHARED: Final = "/shared-inventory-upsert-matchkey"
SHARED_BATCH: Final = "/shared-inventory-batch-upsert-matchkey"
_FETCH: Final = "/fetch/"
_SETS: Final = "inventoryRecordSets"
_BY_HRID: Final = UpsertByHrid()
_BY_MATCH_KEY: Final = UpsertByMatchKey()


class InventoryUpdate:
    """The simulated module, name "inventory"; a tenant comes into being with the first call that names it.

    Holdings records refer to the sources in `sources`, which in turn refuse to delete what is referred to.

    A reply of status 0 without a body is a call that the real module never answers (storage dropped a write): the
    server must leave the connection silent until the client gives up.

    State (`load`, `snapshot`): {"tenants": {tenant: see `state`}, "storageFaults": [{"hrid", "operation": "create",
    "update", "delete" or "lookup", "statusCode", "message", "times"}]}; loaded faults are added to those that wait.
    """

    name = "inventory"

    def __init__(self, sources: HoldingsSources) -> None:
        self._sources = sources
        self._faults = StorageFaults()
        self._tenants: dict[str, TenantStorage] = {}
        sources.watch_references(self._refers)

    @property
    def storage_faults(self) -> list[StorageFault]:
        """The troubles inside storage that wait to happen, oldest first; append to it or load it."""
        return self._faults.waiting

    def serves(self, method: str, path: str) -> bool:
        """The module's paths with every method: it answers those it does not know itself."""
        endpoint = path.partition(_FETCH)[0]
        return endpoint in (SINGLE, BATCH, SHARED, SHARED_BATCH)

    def handle(self, call: Call) -> Reply:
        """Answers one call; see the class for replies of status 0."""
        endpoint, fetching, identifier = call.path.partition(_FETCH)
        try:
            match (call.method, endpoint, bool(fetching)):
                case ("PUT", "/inventory-upsert-hrid", False):
                    return self._upsert(call, _BY_HRID, contract.RECORD_SET)
                case ("PUT", "/inventory-batch-upsert-hrid", False):
                    return self._upsert_batch(call, _BY_HRID, contract.RECORD_SETS)
                case ("DELETE", "/inventory-upsert-hrid", False):
                    return delete_by_hrid(*self._read(call, contract.HRID_DELETION))
                case ("GET", "/inventory-upsert-hrid", True):
                    return fetch_by_hrid(self._storage(call), identifier)
                case ("PUT", "/shared-inventory-upsert-matchkey", False):
                    return self._upsert(call, _BY_MATCH_KEY, contract.SHARED_RECORD_SET)
                case ("PUT", "/shared-inventory-batch-upsert-matchkey", False):
                    return self._upsert_batch(call, _BY_MATCH_KEY, contract.SHARED_RECORD_SETS)
                case ("DELETE", "/shared-inventory-upsert-matchkey", False):
                    return delete_shared(*self._read(call, contract.SHARED_DELETION))
                case ("GET", "/shared-inventory-upsert-matchkey", True):
                    return fetch_shared(self._storage(call), identifier)
                case _:
                    return text_reply(404, f"No Service found for requested path {call.path}")
        except contract.BadRequest as refusal:
            return text_reply(400, str(refusal))
        except NoAnswer:
            return NO_ANSWER

    def entities(self, call: Call) -> tuple[str, ...]:
        """HRIDs of the instances that the call is about; the identifier in the path of a fetch."""
        endpoint, fetching, identifier = call.path.partition(_FETCH)
        if fetching:
            return (identifier,)
        try:
            body = object_of(orjson.loads(call.body))
        except orjson.JSONDecodeError:
            return ()
        if endpoint in (BATCH, SHARED_BATCH):
            hrids = [_instance_hrid(record_set) for record_set in objects_of(body.get(_SETS))]
        elif call.method == "DELETE":
            hrids = [text_of(body.get("hrid")) or text_of(body.get("localIdentifier"))]
        else:
            hrids = [_instance_hrid(body)]
        return tuple(hrid for hrid in hrids if hrid)

    def snapshot(self) -> dict[str, JsonValue]:
        """The stored record sets of every tenant, and the faults that still wait."""
        state: JsonObject = {
            "tenants": {tenant: snapshot_tenant(storage) for tenant, storage in self._tenants.items()},
            "storageFaults": [fault.as_state() for fault in self._faults.waiting],
        }
        copy: JsonObject = orjson.loads(orjson.dumps(state))
        return copy

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """Adds seed data. Raises ValueError that names the field; nothing is loaded then."""
        require_known(state, ("tenants", "storageFaults"), "")
        faults = faults_from_state(state.get("storageFaults", []))
        seeds = {
            tenant: read_tenant(orjson.loads(orjson.dumps(entry)), f"tenants.{tenant}")
            for tenant, entry in object_at(state.get("tenants", {}), "tenants").items()
        }
        for tenant, seed in seeds.items():
            load_tenant(self._tenant(tenant), seed)
        self._faults.waiting.extend(faults)

    def reset(self) -> None:
        """No records, no locations, no faults."""
        self._tenants.clear()
        self._faults.waiting.clear()

    def _upsert(self, call: Call, plan: UpsertPlan, schema: contract.Node) -> Reply:
        storage, sent = self._read(call, schema)
        _require_instances([sent])
        return upsert_single(storage, plan, sent, RequestOrigin(call.body, None)).reply()

    def _upsert_batch(self, call: Call, plan: UpsertPlan, schema: contract.Node) -> Reply:
        storage, body = self._read(call, schema)
        first = objects_of(body.get(_SETS))
        _require_instances(first)
        decoded = [first]

        def decode() -> list[JsonObject]:
            return decoded.pop() if decoded else objects_of(object_of(orjson.loads(call.body)).get(_SETS))

        return upsert_batch(storage, plan, decode, call.body).reply()

    def _read(self, call: Call, schema: contract.Node) -> tuple[TenantStorage, JsonObject]:
        body = contract.read_body(call, schema)
        return self._storage(call), body

    def _storage(self, call: Call) -> TenantStorage:
        if not call.tenant:
            raise contract.BadRequest("IllegalArgumentException: X-Okapi-Tenant header is missing")
        return self._tenant(call.tenant)

    def _tenant(self, tenant: str) -> TenantStorage:
        storage = self._tenants.get(tenant)
        if storage is None:
            storage = self._tenants[tenant] = TenantStorage(tenant, self._sources, self._faults)
        return storage

    def _refers(self, tenant: str, source_id: str) -> bool:
        storage = self._tenants.get(tenant)
        return storage is not None and storage.uses_source(source_id)


def _require_instances(sets: list[JsonObject]) -> None:
    """The contract of the shared index lets sets without an instance through; its handler does not."""
    if any(not isinstance(record_set.get("instance"), dict) for record_set in sets):
        raise contract.BadRequest(
            'NullPointerException: Cannot invoke "JsonObject.encode()" because "instance" is null'
        )


def _instance_hrid(record_set: JsonObject) -> str | None:
    return text_of(object_of(record_set.get("instance")).get("hrid"))
