"""How the report of the suites about transports is read and told."""

from __future__ import annotations

import pytest

from bench.suites import Case, cases_of, failures_of, reasons_of, rows_of

CONNECTIONS = "tests.unit.systems.transport.test_faults"
CONTRACT = "tests.contract.test_systems"


def one_test(module: str, name: str, inside: str = "") -> str:
    return f'<testcase classname="{module}" name="{name}">{inside}</testcase>'


def report(*testcases: str) -> str:
    return f"<testsuites><testsuite>{''.join(testcases)}</testsuite></testsuites>"


def case(parameters: str = "", loop: str | None = None, *, failed: bool = True, reason: str | None = None) -> Case:
    return Case("connections", "it holds", parameters, loop, failed, reason)


def test_a_case_is_read_with_its_suite_its_loop_and_what_became_of_it() -> None:
    found = cases_of(
        report(
            one_test(CONNECTIONS, "test_it_holds[uvloop-a byte too many]"),
            one_test(CONNECTIONS, "test_it_holds[asyncio-TLS]", '<failure message="x">…</failure>'),
            one_test(CONNECTIONS, "test_apart", '<skipped message="not applicable: our pool by itself"/>'),
            one_test(CONTRACT, "test_it_counts[400-over-sockets-eholdings-tags]", '<error message="x">…</error>'),
        )
    )

    assert found == [
        Case("connections", "it holds", "a byte too many", "uvloop", False, None),
        Case("connections", "it holds", "TLS", "asyncio", True, None),
        Case("connections", "apart", "", None, False, "our pool by itself"),
        Case("all systems, over sockets", "it counts", "400-over-sockets-eholdings-tags", None, True, None),
    ]


def test_a_case_that_fails_again_while_it_is_cleaned_up_after_is_one() -> None:
    failed = one_test(CONNECTIONS, "test_it_holds[asyncio]", '<failure message="x">…</failure>')
    cleaned_up = one_test(CONNECTIONS, "test_it_holds[asyncio]", '<error message="x">…</error>')
    held = one_test(CONNECTIONS, "test_it_holds[uvloop]")

    assert [case.failed for case in cases_of(report(failed, cleaned_up, held))] == [True, False]


def test_a_report_of_other_tests_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tests\.unit\.test_app"):
        cases_of(report(one_test("tests.unit.test_app", "test_it")))


def test_every_suite_has_a_row_for_each_transport() -> None:
    found = [case(failed=False), case(), case(failed=False, reason="a limit of ours")]

    rows = rows_of({"ours": [case(failed=False)], "other": found})

    assert rows[:2] == [["connections", "ours", "1", "1", "0", "0"], ["connections", "other", "3", "1", "1", "1"]]
    assert {tuple(row[2:]) for row in rows[2:]} == {("0", "0", "0", "0")}


def test_failures_are_told_once_for_both_loops_and_with_the_loop_where_one_alone_fails() -> None:
    found = [case("TLS", "asyncio"), case("TLS", "uvloop"), case("a zero", "uvloop"), case("fine", failed=False)]

    assert failures_of(found) == ["it holds: TLS; a zero (in uvloop alone)"]


def test_a_failure_without_parameters_is_its_sentence() -> None:
    assert failures_of([case("", "asyncio"), case("", "uvloop")]) == ["it holds"]
    assert failures_of([case("", "asyncio")]) == ["it holds (in asyncio alone)"]


def test_reasons_are_counted() -> None:
    found = [case(failed=False, reason="a limit"), case(failed=False, reason="a limit"), case(failed=False)]

    assert reasons_of(found) == ["a limit (2)"]
