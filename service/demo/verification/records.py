"""Whether every record has its one result, the right one, and every failure its dead letter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from service.demo.results import Place, Result, Sent, place_of_dead_letter
from service.demo.sample import Sample
from service.demo.verification.comparing import Check
from service.domain.outcomes import Overall
from service.kafka.reader import Stored

_ONE_RESULT: Final = "Every record has exactly one result, and no result is about anything else"
_AS_DECLARED: Final = "Every result says what the sample declares: outcome, each operation, retries"
_CARRIED: Final = "Every result carries the key, the tenant, the trace and the identity of its event"
_ONE_LETTER: Final = "Every failed or partial event has exactly one dead letter, and no other event has one"
_WHOLE_LETTER: Final = "Every dead letter is the record byte for byte, without secrets, with its reason"
_SECRETS: Final = frozenset({"authorization", "cookie", "x-okapi-token", "api_key", "x-api-key"})

Judge: TypeAlias = Callable[[Sample, Result], Iterator[str]]
Found: TypeAlias = Mapping[Place, Sequence[Result]] | Mapping[Place | None, Sequence[Stored]]


def check_records(
    sent: Sequence[Sent], results: Sequence[Result], dead_letters: Sequence[Stored], prefix: str
) -> list[Check]:
    """The checks of what the worker published."""
    results_of: dict[Place, list[Result]] = defaultdict(list)
    for result in results:
        results_of[result.place].append(result)
    letters_of: dict[Place | None, list[Stored]] = defaultdict(list)
    for letter in dead_letters:
        letters_of[place_of_dead_letter(letter, prefix)].append(letter)
    places = {record.place for record in sent}
    pairs = [(record, results_of[record.place][0]) for record in sent if results_of[record.place]]
    letters = [(record, letters_of[record.place][0]) for record in sent if letters_of[record.place]]
    return [
        Check(_ONE_RESULT, len(sent), (*_miscounts(sent, results_of, 1), *_strangers(results_of, places))),
        Check(_AS_DECLARED, len(pairs), tuple(_told(pairs, _undeclared))),
        Check(_CARRIED, len(pairs), tuple(_told(pairs, _not_carried))),
        Check(_ONE_LETTER, len(sent), (*_miscounts(sent, letters_of, 0), *_strangers(letters_of, places))),
        Check(_WHOLE_LETTER, len(letters), tuple(_faults_of_letters(letters))),
    ]


def _miscounts(sent: Sequence[Sent], found: Found, least: int) -> Iterator[str]:
    """`least` is what an event has whose outcome is fine: one result, no dead letter."""
    for record in sent:
        failed = record.sample.expected.outcome in (Overall.FAILED, Overall.PARTIAL)
        wanted = 1 if failed else least
        count = len(found.get(record.place, ()))
        if count != wanted:
            yield f"{_name(record)}: expected {wanted}, found {count}"


def _strangers(found: Found, places: set[Place]) -> Iterator[str]:
    for place, about in found.items():
        if about and place not in places:
            yield f"about a record that was not sent: {place}"


def _told(pairs: Sequence[tuple[Sent, Result]], faults_of: Judge) -> Iterator[str]:
    for record, result in pairs:
        for fault in faults_of(record.sample, result):
            yield f"{_name(record)}: {fault}"


def _undeclared(sample: Sample, result: Result) -> Iterator[str]:
    expected = sample.expected
    if result.outcome != expected.outcome:
        yield f"expected the outcome {expected.outcome}, found {result.outcome}{_why(result)}"
    words = tuple(operation.word for operation in result.operations)
    if words != expected.operations:
        yield f"expected {', '.join(expected.operations)}, found {', '.join(words)}{_why(result)}"
    if expected.retried and not any(operation.attempts > 1 for operation in result.operations):
        yield "expected more than one attempt, found none"


def _not_carried(sample: Sample, result: Result) -> Iterator[str]:
    for name, wanted, found in (
        ("key", sample.outgoing.key, result.key),
        ("tenant", sample.tenant, result.tenant),
        ("traceparent", sample.traceparent, result.traceparent),
        ("event", sample.event, result.event),
    ):
        if wanted != found:
            yield f"{name}: expected {wanted!r}, found {found!r}"


def _faults_of_letters(letters: Sequence[tuple[Sent, Stored]]) -> Iterator[str]:
    for record, letter in letters:
        sample = record.sample
        if letter.key != sample.outgoing.key or letter.value != sample.outgoing.value:
            yield f"{_name(record)}: key or value are not those of the record"
        kept = tuple((name, value) for name, value in letter.headers if not name.startswith("relay-"))
        wanted = tuple((name, value) for name, value in sample.outgoing.headers if name.lower() not in _SECRETS)
        if kept != wanted:
            yield f"{_name(record)}: expected the headers {[n for n, _ in wanted]}, found {[n for n, _ in kept]}"
        code = (dict(letter.headers).get("relay-code") or b"").decode()
        if code != sample.expected.code:
            yield f"{_name(record)}: expected the reason {sample.expected.code}, found {code or 'none'}"


def _name(record: Sent) -> str:
    return f"{record.sample.event.id or record.place} ({record.sample.title})"


def _why(result: Result) -> str:
    failure = result.failure
    return f": {failure.message}" if failure and failure.message else ""
