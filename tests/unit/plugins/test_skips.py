"""In CI a skipped test fails; elsewhere it is skipped."""

from __future__ import annotations

import pytest

from tests.plugins import skips

FOUR_SKIPS = """
    import pytest

    @pytest.fixture
    def java():
        pytest.skip("no java")

    def test_in_the_body():
        pytest.skip("no network")

    def test_in_a_fixture(java): ...

    @pytest.mark.skip(reason="broken")
    def test_by_a_mark(): ...

    @pytest.mark.parametrize("never", [])
    def test_of_nothing(never): ...
"""


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    pytester.makepyfile(source)
    return pytester.runpytest_inprocess("-ra", plugins=[skips])


def test_in_ci_every_kind_of_skip_is_a_failure_that_tells_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    result = run(pytester, FOUR_SKIPS)

    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 4
    assert "skipped" not in outcomes
    result.stdout.fnmatch_lines(["*skipped in CI*no network*", "*skipped in CI*no java*", "*skipped in CI*broken*"])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_in_ci_a_module_that_skips_itself_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")

    result = run(pytester, "import pytest\npytest.importorskip('no_such_module')\ndef test_it(): ...")

    result.assert_outcomes(errors=1)
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_outside_ci_a_skip_is_a_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    run(pytester, FOUR_SKIPS).assert_outcomes(skipped=4)


def test_the_absence_of_the_sample_data_is_a_reason_in_ci_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.delenv("FOLIO_SAMPLE_DATA", raising=False)
    monkeypatch.setattr(skips, "BESIDE_THE_CHECKOUT", pytester.path / "nowhere")

    run(pytester, "def test_it(folio_sample_data): ...").assert_outcomes(skipped=1)


def test_sample_data_that_are_named_and_missing_are_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("FOLIO_SAMPLE_DATA", str(pytester.path / "nowhere"))

    run(pytester, "def test_it(folio_sample_data): ...").assert_outcomes(errors=1)


def test_an_expected_failure_is_no_skip(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    source = "import pytest\n@pytest.mark.xfail(reason='known')\ndef test_it(): assert False"

    run(pytester, source).assert_outcomes(xfailed=1)
