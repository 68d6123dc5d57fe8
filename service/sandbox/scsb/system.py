"""The endpoint of SCSB's gateway: key, request model, order of the entries, response.

Owns what concerns the request as a whole; `transfers.py` knows what becomes of an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

import orjson

from service.sandbox.exchange import Call, JsonValue, Reply, json_reply, text_reply
from service.sandbox.scsb.collection import Institution
from service.sandbox.scsb.seeds import JsonObject, read_institution, write_institution
from service.sandbox.scsb.transfers import BIB, HOLDINGS, ITEM, Ids, Outcome, transfer_holdings, transfer_item
from service.sandbox.seeds import object_at, require_known

PATH: Final = "/sharedCollection/transferHoldingsAndItems"
DEFAULT_API_KEY: Final = "sandbox-scsb-key"

_HOLDINGS_IDS: Final = (BIB, HOLDINGS)
_ITEM_IDS: Final = (BIB, HOLDINGS, ITEM)


_Transfer: TypeAlias = Callable[[Institution, Ids | None, Ids | None], Outcome]


class _UnreadableError(Exception):
    """A body the gateway cannot bind to its model."""


class _BrokenError(Exception):
    """An exception in the back end that nothing there catches."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One transfer as the gateway's model holds it: ids it does not know are gone, missing ones are None."""

    source: Ids | None
    destination: Ids | None


class Scsb:
    """POST /sharedCollection/transferHoldingsAndItems with the institutions behind it.

    The key is looked for in a header called `api_key`, underscore and all; `api-key` and `x-api-key` are not it. It is
    not tied to an institution. An outcome that is unknown to the client (503) is made by a fault. State: see
    `seeds.py`; loading an institution replaces its bibs one by one.
    """

    def __init__(self, api_keys: Iterable[str] = (DEFAULT_API_KEY,)) -> None:
        self.name = "scsb"
        self._api_keys = frozenset(api_keys)
        self._institutions: dict[str, Institution] = {}

    def institution(self, code: str) -> Institution:
        """What SCSB holds of an institution, for tests in process. Raises KeyError when it is unknown."""
        return self._institutions[code]

    def serves(self, method: str, path: str) -> bool:
        """The one endpoint, by POST."""
        return method == "POST" and path == PATH

    def handle(self, call: Call) -> Reply:
        """200 for everything that was processed, failed entries and unknown institutions included.

        401 as text for a wrong key, 400 for a body that is no request, 415 for another content type, 503 as text for an
        entry that is null, which the back end trips over (holdings transfers have been committed by then).
        """
        if call.header("api_key") not in self._api_keys:
            return text_reply(401, "Authentication Failed\n")
        content_type = (call.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != "application/json":
            return _spring_error(415, "Unsupported Media Type")
        try:
            return self._transfer(_object(orjson.loads(call.body)))
        except (orjson.JSONDecodeError, _UnreadableError):
            return _spring_error(400, "Bad Request")

    def entities(self, call: Call) -> tuple[str, ...]:
        """Every bib that an entry names, source and destination, as "institution/bib"."""
        try:
            request = _object(orjson.loads(call.body))
            entries = [*_entries(request, "holdingTransfers"), *_entries(request, "itemTransfers")]
            sides = [_ids(entry, side, (BIB,)) for entry in entries if entry for side in ("source", "destination")]
        except (orjson.JSONDecodeError, _UnreadableError):
            return ()
        code = request.get("institution")
        return tuple(dict.fromkeys(f"{code}/{side[BIB]}" for side in sides if side is not None and side[BIB]))

    def snapshot(self) -> dict[str, JsonValue]:
        """Every institution with its bibs, holdings and items."""
        return {"institutions": {code: write_institution(found) for code, found in self._institutions.items()}}

    def load(self, state: Mapping[str, JsonValue]) -> None:
        """See the class. Raises StateError that names the field; nothing is loaded then."""
        require_known(state, ("institutions",), "")
        content = object_at(state.get("institutions", {}), "institutions")
        loaded = [read_institution(code, entry, f"institutions.{code}") for code, entry in content.items()]
        for institution in loaded:
            known = self._institutions.setdefault(institution.code, institution)
            known.without_holdings_ids = institution.without_holdings_ids
            known.bibs.update(institution.bibs)

    def reset(self) -> None:
        """Forgets every institution."""
        self._institutions.clear()

    def _transfer(self, request: JsonObject) -> Reply:
        code = _text(request.get("institution"))
        holdings_entries = [_entry(content, _HOLDINGS_IDS) for content in _entries(request, "holdingTransfers")]
        item_entries = [_entry(content, _ITEM_IDS) for content in _entries(request, "itemTransfers")]
        if code is None or not code.strip():
            return _response("Institution is empty", None, None)
        institution = self._institutions.get(code)
        if institution is None:
            return _response("Unknow institution", None, None)
        try:
            holdings = _carry_out(institution, transfer_holdings, holdings_entries)
            items = _carry_out(institution, transfer_item, item_entries)
        except _BrokenError:
            return text_reply(503, "Internal error occurred during transfer")
        return _response(
            _summary([outcome for _, outcome in (*holdings, *items)]),
            _answers("holdingsTransferRequest", holdings),
            _answers("itemTransferRequest", items),
        )


def _carry_out(
    institution: Institution, transfer: _Transfer, entries: list[_Entry | None]
) -> list[tuple[_Entry, Outcome]]:
    # A null entry throws outside the code that catches; the transaction of its list is rolled back as a whole.
    present = [entry for entry in entries if entry is not None]
    if len(present) < len(entries):
        raise _BrokenError
    return [(entry, transfer(institution, entry.source, entry.destination)) for entry in present]


def _answers(echo: str, carried_out: list[tuple[_Entry, Outcome]]) -> list[JsonValue]:
    answers: list[JsonValue] = []
    for entry, outcome in carried_out:
        sides: JsonObject = {"source": _json(entry.source), "destination": _json(entry.destination)}
        answers.append({"message": outcome.message, echo: sides})
    return answers


def _json(ids: Ids | None) -> JsonValue:
    return None if ids is None else {**ids}


def _summary(outcomes: list[Outcome]) -> str | None:
    successes = sum(outcome.counted_as_success for outcome in outcomes)
    if not outcomes:
        return None
    if successes == len(outcomes):
        return "Success"
    return "Partially Success" if successes else "Failed"


def _response(message: str | None, holdings: list[JsonValue] | None, items: list[JsonValue] | None) -> Reply:
    return json_reply(200, {"message": message, "holdingTransferResponses": holdings, "itemTransferResponses": items})


def _entries(request: JsonObject, name: str) -> list[JsonObject | None]:
    value = request.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _UnreadableError
    return [None if entry is None else _object(entry) for entry in value]


def _entry(content: JsonObject | None, names: tuple[str, ...]) -> _Entry | None:
    if content is None:
        return None
    return _Entry(_ids(content, "source", names), _ids(content, "destination", names))


def _ids(entry: JsonObject, side: str, names: tuple[str, ...]) -> Ids | None:
    value = entry.get(side)
    if value is None:
        return None
    content = _object(value)
    return {name: _text(content.get(name)) for name in names}


def _object(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _UnreadableError
    return value


def _text(value: JsonValue) -> str | None:
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise _UnreadableError


def _spring_error(status: int, error: str) -> Reply:
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json_reply(status, {"timestamp": timestamp, "status": status, "error": error, "path": PATH})
