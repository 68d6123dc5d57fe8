"""What tables tell, and which goals hold by them."""

from __future__ import annotations

import pytest

from bench import goals
from bench.contestants import AT_LEAST_ONCE, EXACTLY_ONCE, GO, PLAIN, Contestant
from bench.latencies import Latencies
from bench.load import Closed, Open
from bench.mixes import FOUR_CALLS, ONE_CALL, Mix
from bench.options import Options
from bench.tables import calls, concurrency, events, failing, hop, start, transports

UNIFORM = "uniform"


def closed(rate: float = 1000.0, *, call_seconds: float = 0.005, core: float = 1.0) -> Closed:
    """A second of it."""
    return Closed(round(rate), 1.0, round(rate), call_seconds, 10, core, 0.5)


def opened(p99_seconds: float = 0.02) -> Open:
    return Open(700.0, Latencies(0.01, p99_seconds, 0.5), 0.001, 0.7, 0.5)


def measure(
    contestant: Contestant, rate: float, *, mix: Mix = ONE_CALL, p99_seconds: float = 0.02, peak_mib: float = 100.0
) -> events.Measure:
    return events.Measure(events.Case(mix, UNIFORM), contestant, closed(rate), opened(p99_seconds), peak_mib)


def round_of(plain: float, least: float, exactly: float) -> list[events.Measure]:
    """Events per second of three workers, of one call and of four."""
    return [
        measure(contestant, rate, mix=mix)
        for mix in (ONE_CALL, FOUR_CALLS)
        for contestant, rate in ((PLAIN, plain), (AT_LEAST_ONCE, least), (EXACTLY_ONCE, exactly))
    ]


def verdict(verdicts: list[goals.Verdict], what: str) -> goals.Verdict:
    [found] = [one for one in verdicts if one.what == what]
    return found


def test_the_table_of_events_has_a_row_for_each_worker_with_all_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    events.print_measures([*round_of(100, 500, 400), *round_of(100, 700, 600)], Options(rounds=2))

    printed = capsys.readouterr().out
    assert "600 (500–700)" in printed
    assert "6.00" in printed
    assert printed.count("relay, exactly once") == 4


def test_goals_hold_by_the_median_and_the_shortfall_is_told() -> None:
    found = goals.of_events([*round_of(100, 9000, 8100), *round_of(100, 9000, 7900), *round_of(100, 9000, 8000)])

    assert verdict(found, "1 call, exactly once").met
    assert not verdict(found, "exactly once costs, 1 call").met
    assert verdict(found, "exactly once costs, 1 call").measured.median == pytest.approx(100 / 9)
    assert verdict(found, "4 calls, exactly once").met
    assert verdict(found, "added p99 at 70 %, 1 call, relay, at least once").row() == [
        "added p99 at 70 %, 1 call, relay, at least once",
        "≤ 10 ms",
        "20.0",
        "no, by 100%",
    ]
    assert verdict(found, "added p99 at 70 %, 1 call, relay, exactly once").met


def test_the_relay_is_held_against_the_go_worker_round_by_round() -> None:
    found = goals.of_events(
        [
            *round_of(100, 500, 400),
            *round_of(100, 500, 600),
            *(measure(GO, rate, mix=mix) for rate in (500, 400) for mix in (ONE_CALL, FOUR_CALLS)),
        ]
    )

    assert verdict(found, "ahead of a Go worker, 4 calls: relay ÷ go").row() == [
        "ahead of a Go worker, 4 calls: relay ÷ go",
        "≥ 1",
        "1.15 (0.80–1.50)",
        "yes",
    ]
    assert verdict(found, "ahead of a Go worker, 1 call: relay ÷ go").met


def test_a_relay_that_is_behind_the_go_worker_misses_the_goal() -> None:
    found = goals.of_events([*round_of(100, 500, 400), measure(GO, 500, mix=FOUR_CALLS)])

    assert verdict(found, "ahead of a Go worker, 4 calls: relay ÷ go").row()[-1] == "no, by 20%"


def test_a_goal_that_was_nearly_reached_is_not_told_as_missed_by_nothing() -> None:
    found = goals.of_events(round_of(100, 9000, 7977))

    assert verdict(found, "1 call, exactly once").row()[-1] == "no, by 0.3%"


def test_where_the_go_worker_was_left_out_no_goal_is_about_it() -> None:
    assert not [one for one in goals.of_events(round_of(100, 500, 400)) if "Go" in one.what]


def test_memory_is_held_against_the_goal_by_the_worst_and_without_other_workers() -> None:
    found = goals.of_events(
        [
            *round_of(100, 500, 400),
            measure(AT_LEAST_ONCE, 500, peak_mib=151),
            measure(EXACTLY_ONCE, 400),
            measure(PLAIN, 1, peak_mib=900),
            *[measure(GO, 400, peak_mib=900)] * 2,
        ]
    )

    memory = verdict(found, "peak memory of the relay, all of the above")
    assert memory.measured.median == 151
    assert not memory.met


def test_one_hop_is_told_by_rate_with_all_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    hop.print_measures(
        [hop.Measure(rate, Latencies(0.003, p99, 0.1), 0.001, 0.9) for p99 in (0.006, 0.008) for rate in hop.RATES]
    )

    printed = capsys.readouterr().out
    assert printed.count("7.0 (6.0–8.0)") == len(hop.RATES)


def test_the_share_of_concurrency_counts_only_where_the_core_was_not_full(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        concurrency.Measure(number, closed(number * 190, core=core), 0.97)
        for number, core in zip(concurrency.CONCURRENCIES, (0.3, 0.6, 0.85, 0.95), strict=True)
    ]

    concurrency.print_measures(found)

    assert found[0].share == pytest.approx(0.95)
    assert [one.what[-2:].strip() for one in goals.of_concurrency(found)] == ["4", "8", "16"]
    assert all(one.met for one in goals.of_concurrency(found))
    printed = capsys.readouterr().out
    assert "95.0" in printed
    assert "97.0" in printed, "beside what a client without any work reaches"


def test_a_failing_entity_is_judged_round_by_round(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        failing.Measure(fails, opened(p99))
        for fails, p99 in ((False, 0.02), (True, 0.021), (False, 0.04), (True, 0.04))
    ]

    failing.print_measures(found, Options(rounds=2))

    [judged] = goals.of_failing(found)
    assert [judged.measured.low, judged.measured.high] == pytest.approx([0, 5])
    assert judged.met
    assert "p99 is worse by 2.5 (0.0–5.0) %" in capsys.readouterr().out


def test_the_start_is_told_for_each_worker(capsys: pytest.CaptureFixture[str]) -> None:
    found = [start.Measure(contestant, 3.5, 1.25) for contestant in start.CONTESTANTS]

    start.print_measures(found)
    goals.print_verdicts(goals.of_start(found))

    printed = capsys.readouterr().out
    assert printed.count("3.50") == 5
    assert printed.count("no, by 17%") == 2


def test_calls_are_told_for_each_event(capsys: pytest.CaptureFixture[str]) -> None:
    together = [
        calls.Measure(contestant, closed(rate)) for contestant, rate in zip(calls.TOGETHER, (200, 500), strict=True)
    ]

    calls.print_measures("Updates", together)

    assert "2.50" in capsys.readouterr().out


def test_the_worker_over_each_transport_is_told_in_ratios_to_ours(capsys: pytest.CaptureFixture[str]) -> None:
    rates = {"ours": (1000.0, 0.5), "other": (500.0, 0.75)}
    found = [
        transports.Measure(mix, name, closed(rate, core=core), 100.0)
        for mix in transports.MIXES
        for name, (rate, core) in rates.items()
    ]

    transports.print_measures(found, Options(rounds=1))

    rows = [line.split() for line in capsys.readouterr().out.splitlines() if "other" in line and "call" in line]
    assert [row[2:7] for row in rows] == [["other", "500", "0.50", "1500", "3.00"]] * 2
