"""What each code means and what to do about it, for people. `docs/codes.md` holds the same table; a test compares
them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.domain.codes import Code


@dataclass(frozen=True, slots=True)
class Advice:
    """Sentences."""

    meaning: str
    remedy: str


ADVICE: Final[Mapping[Code, Advice]] = {
    Code.UNREADABLE: Advice(
        "The record has no value, is not JSON, or is not a CloudEvent 1.0.", "Mend the sender. Nothing was called."
    ),
    Code.UNKNOWN_TYPE: Advice(
        "The event's type is none that the relay knows.", "Mend the sender, or update the relay. Nothing was called."
    ),
    Code.TOO_LARGE: Advice(
        "The value exceeds `RELAY_LIMITS__EVENT_BYTES`.", "Split the event, or raise the limit. Nothing was called."
    ),
    Code.INVALID_DATA: Advice(
        "The event breaks its schema or a rule; `faults` names every fault with its path (the first 1,000, and how many"
        " more).",
        "Mend the event and send it again.",
    ),
    Code.SYSTEM_NOT_CONFIGURED: Advice(
        "The relay has no URL for a system that the event needs.", "Set it, then replay. Nothing was called."
    ),
    Code.TENANT_NOT_CONFIGURED: Advice(
        "The relay has no credentials for the event's tenant.", "Set them, then replay. Nothing was called."
    ),
    Code.REFUSED: Advice(
        "The system gave its final answer: no. `status` and `message` hold its own words.",
        "Read them; mend the record.",
    ),
    Code.UNAVAILABLE: Advice("The system could not be had within the retry budget.", "Replay when it is back."),
    Code.OUTCOME_UNKNOWN: Advice(
        "A transfer may or may not have been applied, or a new export may or may not have been made, and asking again "
        "gave no answer.",
        "Look at the item in SCSB, or at the customer's list of exports, first. A replay asks before it repeats.",
    ),
    Code.SKIPPED: Advice(
        "The system answered 200 and did not do it, for instance because an item is checked out.",
        "Clear what holds it, then replay.",
    ),
    Code.NOT_ATTEMPTED: Advice("Another operation of the event had failed.", "Mend that one; a replay does both."),
}


def advice_on(code: str) -> Advice | None:
    """None for a word that this version does not know."""
    return ADVICE[Code(code)] if code in set(Code) else None
