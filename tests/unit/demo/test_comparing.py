"""Two trees are compared field by field."""

from __future__ import annotations

import pytest

from service.demo.verification.comparing import Check, count_leaves, differences
from service.sandbox.exchange import JsonValue


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {}}, {}, []),
        ({}, None, []),
        ({"a": 1}, {"a": 2}, ["x › a: expected 1, found 2"]),
        ({"a": 1}, {}, ["x › a: expected 1, found nothing"]),
        ({}, {"a": "b"}, ['x › a: expected nothing, found "b"']),
        (
            {"a": {"b": 1, "c": 2}},
            None,
            ["x › a › b: expected 1, found nothing", "x › a › c: expected 2, found nothing"],
        ),
        ({"a": [1, 2]}, {"a": [2, 1]}, ["x › a: expected [1,2], found [2,1]"]),
        ({"a": {"b": 1}}, {"a": "b"}, ['x › a: expected {"b":1}, found "b"']),
        (True, False, ["x: expected true, found false"]),
    ],
)
def test_every_leaf_that_differs_is_told_with_its_place(expected: JsonValue, found: JsonValue, told: list[str]) -> None:
    assert [str(difference) for difference in differences(expected, found, "x")] == told


def test_a_long_value_is_shortened() -> None:
    [difference] = differences("x" * 500, None)
    assert len(str(difference)) < 300


def test_leaves_are_counted_lists_as_one() -> None:
    assert count_leaves({"a": 1, "b": {"c": [1, 2, 3], "d": None}}) == 3


def test_a_check_that_looked_at_nothing_does_not_hold() -> None:
    assert Check("something", 1).holds
    assert not Check("something", 0).holds
    assert not Check("something", 5, ("one is wrong",)).holds
