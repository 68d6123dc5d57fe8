"""Every way in which results and dead letters can be wrong is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from service.demo.results import NotAResult, Place, Result, Sent, place_of_dead_letter, read_result
from service.demo.verification.records import check_records
from service.domain.answers import Verdict
from service.domain.codes import Code
from service.kafka.reader import Stored
from tests.unit.demo.results import PREFIX, dead_letter, result, sent

FINE = sent(offset=1)
REFUSED = sent(Code.REFUSED, offset=2, headers=(("note", b"kept"), ("X-Okapi-Token", b"secret")))
KEPT = (("note", b"kept"),)


def broken(records: Sequence[Sent], results: Sequence[Result], letters: Sequence[Stored] = ()) -> list[str]:
    checks = check_records(records, results, letters, PREFIX)
    return [told for check in checks for told in check.broken]


def refused_letter(**changed: Any) -> Stored:
    return dead_letter(REFUSED, **{"headers": KEPT, **changed})


def test_one_right_result_each_and_a_dead_letter_for_what_failed_is_fine() -> None:
    assert broken([FINE, REFUSED], [result(FINE), result(REFUSED)], [refused_letter()]) == []


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ([], "expected 1, found 0"),
        ([result(FINE), result(FINE)], "expected 1, found 2"),
        ([result(FINE), result(FINE, offset=9)], "about a record that was not sent"),
    ],
)
def test_a_result_too_few_or_too_many_is_found(results: list[Result], told: str) -> None:
    [found] = broken([FINE], results)
    assert told in found


def test_a_wrong_outcome_is_found_with_the_systems_words() -> None:
    found = broken([FINE], [result(FINE, "refused", outcome="failed")])
    assert len(found) == 2
    assert all("No such title" in told for told in found)


def test_operations_in_another_order_are_found() -> None:
    record = sent(Verdict.SUCCEEDED, Code.REFUSED)
    found = broken([record], [result(record, "refused", "succeeded")], [dead_letter(record)])
    assert found == ["e0 (A journal is renamed): expected succeeded, refused, found refused, succeeded: No such title"]


def test_an_event_that_should_have_been_retried_and_was_not_is_found() -> None:
    record = sent(retried=True)
    assert broken([record], [result(record, attempts=2)]) == []
    assert broken([record], [result(record, attempts=1)]) != []


@pytest.mark.parametrize(
    "changed", [{"key": b"other"}, {"tenant": "other"}, {"traceparent": None}, {"id": "other"}], ids=str
)
def test_a_result_that_does_not_carry_what_it_should_is_found(changed: dict[str, Any]) -> None:
    assert len(broken([FINE], [result(FINE, **changed)])) == 1


def test_a_dead_letter_too_few_or_too_many_is_found() -> None:
    results = [result(REFUSED)]
    assert len(broken([REFUSED], results)) == 1
    assert len(broken([REFUSED], results, [refused_letter(), refused_letter()])) == 1
    assert len(broken([FINE], [result(FINE)], [dead_letter(FINE)])) == 2
    assert len(broken([REFUSED], results, [refused_letter(), dead_letter(sent(offset=9))])) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"key": None},
        {"value": b'{"some":"value"}'},
        {"code": Code.UNAVAILABLE},
        {"headers": ()},
        {"headers": REFUSED.sample.outgoing.headers},
    ],
    ids=str,
)
def test_a_dead_letter_that_is_not_the_record_without_its_secrets_is_found(changed: dict[str, Any]) -> None:
    assert len(broken([REFUSED], [result(REFUSED)], [refused_letter(**changed)])) == 1


def test_the_place_of_a_dead_letter_is_read_without_the_prefix() -> None:
    letter = refused_letter()
    assert place_of_dead_letter(letter, PREFIX) == REFUSED.place
    assert place_of_dead_letter(replace(letter, headers=()), PREFIX) is None
    assert REFUSED.place == Place("holdings.changes", 0, 2)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"data": {}}', b'{"data": {"event": null}}'])
def test_what_is_no_result_is_said_to_be_none(value: bytes | None) -> None:
    with pytest.raises(NotAResult, match=r"holdings\.results/3@7"):
        read_result(Stored("holdings.results", 3, 7, None, value, ()), PREFIX)
