"""HoldingsIQ's exports: key, quota, the four calls of the RM API, and the downloads behind its links.

Owns what concerns a call as a whole. What an export is worth and how its file is written is known elsewhere.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import orjson

from service.sandbox.exchange import Call, JsonValue, Reply, empty_reply, json_reply
from service.sandbox.holdingsiq import downloads
from service.sandbox.holdingsiq.answers import capital_refusal, gateway_refusal, refusal
from service.sandbox.holdingsiq.columns import COLUMNS
from service.sandbox.holdingsiq.customers import Customer
from service.sandbox.holdingsiq.exports import Export
from service.sandbox.holdingsiq.links import BUCKET, Validity, judge, presign, validity_of
from service.sandbox.holdingsiq.plans import COMPLETED
from service.sandbox.holdingsiq.reading import seconds_at
from service.sandbox.holdingsiq.seeds import CALLS_PER_DAY, FORMAT, read_customer, write_customer
from service.sandbox.quota import Quota
from service.sandbox.seeds import StateError, object_at, require_known

DEFAULT_API_KEY: Final = "sandbox-holdingsiq-key"
LINK_SECONDS: Final = 1800.0

_EXPORTS: Final = re.compile(r"/rm/rmaccounts/([^/]+)/exports(?:/([^/]+))?")
_DOWNLOAD: Final = re.compile(re.escape(BUCKET) + r"/([^/]+)/([^/]+)/[^/]+")
_EXPIRED: Final = ("AccessDenied", "ExpiredToken")
_LISTS: Final = ("array", "object")


class HoldingsIq:
    """`/rm/rmaccounts/{custid}/exports`, `…/exports/{id}` and the downloads, with their state.

    The key is looked for in a header called `x-api-key`; it is not tied to a customer, and every customer exists.
    State, as `load` takes it and `snapshot` gives it back: `{"linkSeconds"?, "expiredLinks"?: "AccessDenied" |
    "ExpiredToken", "list"?: "array" | "object", "customers": {id: see seeds.py}}`.
    """

    def __init__(
        self,
        api_keys: Iterable[str] = (DEFAULT_API_KEY,),
        calls_per_day: int | None = CALLS_PER_DAY,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = "holdingsiq"
        self._api_keys = frozenset(api_keys)
        self._calls_per_day = calls_per_day
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        """Forgets every customer; links handed out lead nowhere."""
        self._link_seconds = LINK_SECONDS
        self._expired_links = _EXPIRED[0]
        self._list = _LISTS[0]
        self._links_since = 0.0
        self._customers: dict[str, Customer] = {}

    def customer(self, cust_id: str) -> Customer:
        """A customer as it is now, for tests in process; made when nobody has asked for it yet."""
        found = self._customers.get(cust_id)
        if found is None:
            found = self._customers[cust_id] = Customer(cust_id, Quota(self._calls_per_day, self._clock))
        return found

    def expire_links(self) -> None:
        """Ends every link handed out until now."""
        self._links_since = self._clock()

    def serves(self, method: str, path: str) -> bool:
        """The four calls of the exports, and everything where the files are."""
        found = _EXPORTS.fullmatch(path)
        if found is None:
            return path.startswith(BUCKET + "/")
        return method in (("GET", "POST") if found[2] is None else ("GET", "DELETE"))

    def handle(self, call: Call) -> Reply:
        """403 for a wrong key, 429 for a spent quota, then what was asked for. A download needs no key."""
        found = _EXPORTS.fullmatch(call.path)
        if found is None:
            return self._download(call)
        key = call.header("x-api-key")
        if key is None:
            return gateway_refusal(403, "Forbidden")
        if key not in self._api_keys:
            return refusal(403, 1003, "Invalid APIKEY")
        customer = self.customer(found[1])
        if not customer.quota.take():
            return gateway_refusal(429, "Limit Exceeded")
        if found[2] is None:
            return self._create(customer, call) if call.method == "POST" else self._list_of(customer)
        export = customer.exports.get(found[2])
        if export is None:
            return capital_refusal(404, 1001, "Export not found")
        if call.method == "DELETE":
            del customer.exports[export.id]
            return empty_reply(204)
        status = export.poll(self._clock())
        return json_reply(200, export.on_reading(status, self._link_to(export, call.base_url)))

    def entities(self, call: Call) -> tuple[str, ...]:
        """The export's id; of a creation "customer/type", of a list the customer."""
        found = _DOWNLOAD.fullmatch(call.path) or _EXPORTS.fullmatch(call.path)
        if found is None:
            return ()
        if found[2] is not None:
            return (found[2],)
        wanted = _wanted(call) if call.method == "POST" else None
        return (found[1],) if wanted is None else (f"{found[1]}/{wanted.get('type')}",)

    def snapshot(self) -> dict[str, JsonValue]:
        """See the class."""
        return {
            "linkSeconds": self._link_seconds,
            "expiredLinks": self._expired_links,
            "list": self._list,
            "customers": {name: write_customer(found) for name, found in self._customers.items()},
        }

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """See the class. Raises StateError that names the field; nothing is loaded then."""
        require_known(state, ("linkSeconds", "expiredLinks", "list", "customers"), "")
        link_seconds = seconds_at(state, "linkSeconds", "", self._link_seconds)
        expired_links = _word(state.get("expiredLinks", self._expired_links), "expiredLinks", _EXPIRED)
        shape = _word(state.get("list", self._list), "list", _LISTS)
        content = object_at(state.get("customers", {}), "customers")
        loaded = {
            name: read_customer(self._known(name), entry, f"customers.{name}", self._clock())
            for name, entry in content.items()
        }
        self._link_seconds, self._expired_links, self._list = link_seconds, expired_links, shape
        self._customers.update(loaded)

    def _known(self, cust_id: str) -> Customer:
        return self._customers.get(cust_id) or Customer(cust_id, Quota(self._calls_per_day, self._clock))

    def _create(self, customer: Customer, call: Call) -> Reply:
        wanted = _wanted(call)
        if wanted is None:
            return refusal(400, 1006, "Invalid request body")
        export_type, export_format = wanted.get("type"), wanted.get("format")
        if not isinstance(export_type, str) or export_type not in COLUMNS:
            return refusal(400, 1006, "Invalid type")
        if not isinstance(export_format, str) or export_format.upper() != FORMAT:
            return refusal(400, 1006, "Invalid format")
        return json_reply(202, customer.create(export_type, FORMAT, self._clock()).on_creation())

    def _list_of(self, customer: Customer) -> Reply:
        now = self._clock()
        records = [export.on_reading(export.status(now), None) for export in customer.newest_first()]
        return json_reply(200, records if self._list == "array" else {"exports": records})

    def _link_to(self, export: Export, base_url: str) -> str:
        path = f"{BUCKET}/{export.cust_id}/{export.id}/{export.file_name}"
        return presign(base_url, path, export.file_name, Validity(self._clock(), self._link_seconds))

    def _download(self, call: Call) -> Reply:
        refused = downloads.double_authentication(call)
        if refused is not None:
            return refused
        verdict = judge(call.path, call.query, self._clock())
        if verdict == "unsigned":
            return downloads.unsigned()
        if verdict == "forged" or call.method != "GET":
            return downloads.forged()
        validity = validity_of(call.query)
        if verdict == "expired" or validity.issued < self._links_since:
            by_token = self._expired_links == "ExpiredToken"
            return downloads.expired_token() if by_token else downloads.expired(validity, self._clock())
        found = _DOWNLOAD.fullmatch(call.path)
        customer = self._customers.get(found[1]) if found is not None else None
        export = customer.exports.get(found[2]) if found is not None and customer is not None else None
        if export is None or export.status(self._clock()) != COMPLETED:
            return downloads.gone(call.path)
        return downloads.deliver(_stored(export), call)


def _stored(export: Export) -> downloads.StoredFile:
    return downloads.StoredFile(export.content, export.etag, export.created, export.plan.ignores_ranges)


def _wanted(call: Call) -> dict[str, JsonValue] | None:
    try:
        content = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) else None


def _word(value: JsonValue, where: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        raise StateError(where, f"one of {', '.join(known)}")
    return value
