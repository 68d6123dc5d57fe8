"""What mod-inventory-update answers, and what it means for a record set. Pure; takes any JSON without raising.

mod-inventory-update: the status alone proves little. Metrics say what was done, left out (SKIPPED), broken (FAILED)
and never tried (PENDING); errors carry the status of the storage call that failed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from service.domain.answers import Finding, failed, succeeded, unchanged
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.systems.http import Reply
from service.systems.messages import tidy, words_of
from service.systems.trouble import Trouble

NOTHING_TO_DELETE: Final = ("Instance to delete not found", "Record to be deleted was not found")
"""The only texts (by HRID, and in the shared index) under which a 404 means that there is nothing to delete: a look-up
that failed answers 404 too."""

_NAMES: Final = {
    "INSTANCE": "instance",
    "HOLDINGS_RECORD": "holdings record",
    "ITEM": "item",
    "INSTANCE_RELATIONSHIP": "relation",
    "INSTANCE_TITLE_SUCCESSION": "title succession",
}
_WORTH_ONE_REPEAT: Final = ("already exists", "does not exist")
"""Refusals by storage of a race with another writer. Where they are no race, they come back at the repeat."""

_MAX_COUNTS: Final = 1000
"""The module has less than a hundred: five entities, four verbs, four states."""

_MAX_ERRORS: Final = 1000
"""Errors of one answer that are looked at."""

_NO_SUCH_SOURCE: Final = "does not exist in holdings_records_source"

Decision: TypeAlias = Finding | Trouble


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """One entry of `errors`. `status` is that of the storage call; 0 when there was none or it is not told."""

    status: int
    message: str


class Outcome(NamedTuple):
    """The readable parts of an answer with metrics. `skipped_deletes` and `undone` are texts such as "2 item".
    `instances_stored` counts creations and updates."""

    errors: tuple[ErrorReport, ...]
    did_anything: bool
    instances_stored: int
    skipped_deletes: tuple[str, ...]
    undone: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether all that was planned was done. Nothing at all may have been planned."""
        return not self.errors and not self.undone


def outcome_of(content: JsonValue) -> Outcome | None:
    """The outcome in a 200 or 207; None when there are no metrics, so that it is no answer of the module's."""
    metrics = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(metrics, dict):
        return None
    counts = list(islice(_counts(metrics), _MAX_COUNTS + 1))
    if len(counts) > _MAX_COUNTS:
        return None
    return Outcome(
        tuple([_error_of(entry) for entry in _list(content.get("errors"))[:_MAX_ERRORS]]),
        bool(counts),
        sum(
            [
                n
                for entity, verb, state, n in counts
                if (entity, state) == ("INSTANCE", "COMPLETED") and verb != "DELETE"
            ]
        ),
        tuple(
            [_told(entity, number) for entity, verb, state, number in counts if (verb, state) == ("DELETE", "SKIPPED")]
        ),
        tuple(
            [
                f"{verb.lower()} of {_told(entity, number)}: {state}"
                for entity, verb, state, number in counts
                if state in ("FAILED", "PENDING")
            ]
        ),
    )


def proves_batch(reply: Reply, sets: int) -> bool:
    """Whether an answer to several record sets proves all of them: only a clean 200 that accounts for each does.
    Errors are not always told of each set, and deletions are counted for the first one alone."""
    outcome = outcome_of(reply.json()) if reply.status == 200 else None
    return outcome is not None and outcome.clean and outcome.instances_stored == sets


def upsert_decision(reply: Reply, *, attempt: int) -> Decision:
    """What an answer says of the one record set that was sent. `reply` is 2xx or a final 4xx."""
    if reply.status >= 400:
        return _refusal(reply, attempt)
    outcome = outcome_of(reply.json())
    if outcome is None or not (outcome.did_anything or outcome.errors):
        return Trouble(f"inventory: unreadable answer under {reply.status}", reply.status, uncertain=True)
    if not outcome.clean:
        return _failure(reply, outcome, attempt)
    return succeeded(reply.status, _kept(outcome))


def delete_decision(reply: Reply, *, attempt: int, uncertain: bool) -> Decision:
    """What an answer says of a deletion. `reply` is 2xx or a final 4xx; `uncertain`: an earlier attempt may have done
    it."""
    if reply.status == 404:
        if not any(text in reply.words for text in NOTHING_TO_DELETE):
            return Trouble(reply.words, 404)
        return succeeded(404, reply.words) if uncertain else unchanged(404, reply.words)
    if reply.status >= 400:
        return _refusal(reply, attempt)
    outcome = outcome_of(reply.json())
    if outcome is None:
        return Trouble(f"inventory: unreadable answer under {reply.status}", reply.status, uncertain=True)
    if not outcome.clean:
        return _failure(reply, outcome, attempt)
    if outcome.skipped_deletes:
        kept = ", ".join(outcome.skipped_deletes)
        message = tidy(f"not deleted, because in circulation, ordered or protected: {kept}")
        return failed(Code.SKIPPED, reply.status, message)
    return succeeded(reply.status)


def names_missing_source(decision: Decision) -> bool:
    """Whether a record set failed because a holdings source that it names by id is not there (any more)."""
    return _NO_SUCH_SOURCE in (decision.message or "")


def batch_message(reply: Reply) -> str | None:
    """What a proven batch kept that it would have deleted; it does not tell of which set."""
    outcome = outcome_of(reply.json())
    kept = _kept(outcome) if outcome is not None else None
    return f"{kept} (of a batch: not told of which record set)" if kept else None


def _failure(reply: Reply, outcome: Outcome, attempt: int) -> Decision:
    """Not all was done. Repeating helps when no error is final; what is final decides for the whole set."""
    final = [error for error in outcome.errors if _is_final(error.status, error.message, attempt)]
    if final:
        return failed(Code.REFUSED, reply.status, tidy("; ".join(_unique(final))))
    told = "; ".join(_unique(outcome.errors)) or "not all was done"
    undone = f" ({', '.join(outcome.undone)})" if outcome.undone else ""
    return Trouble(tidy(told + undone), reply.status, reply.retry_after_seconds, uncertain=True)


def _refusal(reply: Reply, attempt: int) -> Decision:
    if _is_final(reply.status, reply.words, attempt):
        return failed(Code.REFUSED, reply.status, reply.words)
    return Trouble(reply.words, reply.status, uncertain=True)


def _is_final(status: int, message: str, attempt: int) -> bool:
    if not 400 <= status < 500 or status in (408, 409, 429):
        return False
    if status == 422 and any(text in message for text in _WORTH_ONE_REPEAT):
        return attempt > 1
    return True


def _error_of(entry: JsonValue) -> ErrorReport:
    if not isinstance(entry, Mapping):
        return ErrorReport(0, "an error that cannot be read")
    status = entry.get("statusCode")
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status[:3])
    words = words_of(207, b"", entry)
    subject = _subject_of(entry)
    return ErrorReport(
        status if isinstance(status, int) and not isinstance(status, bool) else 0,
        f"{subject}: {words}" if subject else words,
    )


def _subject_of(entry: JsonObject) -> str | None:
    """The record that an error is about; for errors of a storage batch it is the first of the batch, not always the
    bad one."""
    entity, kind = entry.get("entity"), entry.get("entityType")
    hrid = entity.get("hrid") if isinstance(entity, Mapping) else None
    named = _NAMES.get(kind) if isinstance(kind, str) else None
    if named is None or not isinstance(hrid, str):
        return named
    return f"{named} {hrid}"


def _counts(metrics: JsonObject) -> Iterator[tuple[str, str, str, int]]:
    """(entity, verb, state, count) for every count above zero."""
    for entity, verbs in metrics.items():
        for verb, states in verbs.items() if isinstance(verbs, dict) else ():
            for state, count in states.items() if isinstance(states, dict) else ():
                if count and isinstance(count, int) and count > 0:
                    yield entity, verb, state, int(count)


def _told(entity: str, number: int) -> str:
    return f"{number} {_NAMES.get(entity, entity.lower())}"


def _kept(outcome: Outcome) -> str | None:
    if not outcome.skipped_deletes:
        return None
    return tidy(f"kept instead of deleted, because in circulation or protected: {', '.join(outcome.skipped_deletes)}")


def _unique(errors: tuple[ErrorReport, ...] | list[ErrorReport]) -> list[str]:
    return list(dict.fromkeys(f"{error.message} ({error.status})" for error in errors))


def _list(content: JsonValue) -> list[JsonValue]:
    return content if isinstance(content, list) else []
