"""SCSB's transfer: what is asked, and what an answer says of each entry. Pure; takes any JSON without raising.

scsb transfer: an entry succeeded when its own message says so and by nothing else. The message at the top counts an
entry whose relinking broke off as a success.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias

from service.domain.answers import Finding, failed, succeeded
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import Transfer, TransferEntry
from service.systems.messages import tidy

SUCCESS: Final = "Successfully relinked"
BROKE_OFF: Final = "Relinked Failed"
"""An exception while relinking: it may have been undone or not."""

APPLIED_OR_WRONG_SOURCE: Final = frozenset(
    {"Source item is not under source holding", "Source holdings is not under source bib"}
)
"""What a transfer that was applied before answers; and also one whose source was wrong from the start."""

REFUSED_WHOLE: Final = frozenset({"Institution is empty", "Unknow institution"})
"""Messages at the top under which no entry was looked at; the lists of entries are null then."""

_LOOKED_AT_PER_ENTRY: Final = 4
"""Responses for each entry that was asked for. An answer may have millions."""

_NO_ID: Final = ""
"""Stands for what is no text; no entry has a blank id."""

_HOLDINGS_FIELDS: Final = ("owningInstitutionBibId", "owningInstitutionHoldingsId")
_ITEM_FIELDS: Final = (*_HOLDINGS_FIELDS, "owningInstitutionItemId")


class Unknown(Enum):
    """No finding: the answer does not tell whether the entry was applied."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
EntryAnswer: TypeAlias = Finding | Unknown


def request_body(transfer: Transfer) -> JsonObject:
    """The request: SCSB's own fields and no others, a list only when it has entries."""
    body: dict[str, JsonValue] = {"institution": transfer.institution}
    if transfer.holdings:
        body["holdingTransfers"] = [_sides(entry, _HOLDINGS_FIELDS) for entry in transfer.holdings]
    if transfer.items:
        body["itemTransfers"] = [_sides(entry, _ITEM_FIELDS) for entry in transfer.items]
    return body


def answers_of(transfer: Transfer, content: JsonValue, *, uncertain: bool) -> tuple[EntryAnswer, ...] | None:
    """What a 200 says of each entry, in the order of `transfer.entries`; None when it is no answer of SCSB's.

    `uncertain`: an earlier attempt may have been applied, so that "not under source" means it was.
    """
    if not isinstance(content, Mapping) or "message" not in content:
        return None
    top = content.get("message")
    holdings, items = content.get("holdingTransferResponses"), content.get("itemTransferResponses")
    if isinstance(top, str) and top in REFUSED_WHOLE and not holdings and not items:
        return (failed(Code.REFUSED, 200, top),) * len(transfer.entries)
    messages = (
        *_messages(transfer.holdings, holdings, "holdingsTransferRequest", _HOLDINGS_FIELDS),
        *_messages(transfer.items, items, "itemTransferRequest", _ITEM_FIELDS),
    )
    return tuple(_meaning(message, uncertain=uncertain) for message in messages)


def _meaning(message: str | None, *, uncertain: bool) -> EntryAnswer:
    if message is None or message == BROKE_OFF or not message.strip():
        return UNKNOWN
    if message == SUCCESS:
        return succeeded(200, message)
    if uncertain and message in APPLIED_OR_WRONG_SOURCE:
        return succeeded(200, f"applied by an earlier attempt whose answer was lost (now: {message})")
    return failed(Code.REFUSED, 200, tidy(message))


def _messages(
    entries: Sequence[TransferEntry], responses: JsonValue, echo: str, fields: Sequence[str]
) -> tuple[str | None, ...]:
    """Each entry's message: found by the request that the response repeats, else by its place when no response is
    missing or too many."""
    found: list[str | None] = [None] * len(entries)
    told = responses if isinstance(responses, list) else []
    waiting: dict[tuple[tuple[str | None, ...], ...], deque[int]] = {}
    for place, entry in enumerate(entries):
        waiting.setdefault(_asked(entry, fields), deque()).append(place)
    unmatched: list[tuple[int, str]] = []
    for place, response in enumerate(told[: _LOOKED_AT_PER_ENTRY * len(entries)]):
        message = response.get("message") if isinstance(response, Mapping) else None
        if not isinstance(response, Mapping) or not isinstance(message, str):
            continue
        places = waiting.get(_echoed(response.get(echo), fields))
        if places:
            found[places.popleft()] = message
        else:
            unmatched.append((place, message))
    if len(told) == len(entries):
        for place, message in unmatched:
            if found[place] is None:
                found[place] = message
    return tuple(found)


def _sides(entry: TransferEntry, fields: Sequence[str]) -> JsonObject:
    return {
        "source": {field: entry.source[field] for field in fields if field in entry.source},
        "destination": {field: entry.destination[field] for field in fields if field in entry.destination},
    }


def _asked(entry: TransferEntry, fields: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
    return tuple(tuple(side.get(field) for field in fields) for side in (entry.source, entry.destination))


def _echoed(content: JsonValue, fields: Sequence[str]) -> tuple[tuple[str | None, ...], ...]:
    """The ids of a request as a response repeats it; nothing where it repeats none, or what no request has."""
    match content:
        case {"source": Mapping() as source, "destination": Mapping() as destination}:
            return tuple(tuple(_id(side.get(field)) for field in fields) for side in (source, destination))
        case _:
            return ()


def _id(value: JsonValue) -> str | None:
    return value if isinstance(value, str) or value is None else _NO_ID
