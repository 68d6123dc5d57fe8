"""The suites about transports, on each candidate: how many of their cases hold, and which do not, by name.

    python -m bench.suites --only aiohttp

A case is counted once for each event loop in which it runs. One about the inside or a limit of our transport does not
apply to another, and is told with its reason.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from bench.candidates.catalogue import CANDIDATES, OURS
from bench.report import console, print_progress, show

SUITES: Final = {
    "tests.unit.systems.transport": "connections",
    "tests.unit.systems.test_downloads": "downloads",
    "tests.contract.test_systems": "all systems, over sockets",
}
"""What each is called, by the module or the package of its tests."""
LOOPS: Final = ("asyncio", "uvloop")
_PYTEST: Final = (
    *(
        "pytest",
        "tests/unit/systems/transport",
        "tests/unit/systems/test_downloads.py",
        "tests/contract/test_systems.py",
    ),
    *("-k", "not without-socket", "--numprocesses", "2", "--quiet", "--tb", "no", "-p", "no:cacheprovider"),
    *("-o", "timeout=60", "-o", "timeout_method=thread"),  # a loop that hangs in C takes no signal
    *("-p", "no:unraisableexception"),  # what one case leaves behind is not to be laid to the charge of another
)


@dataclass(frozen=True, slots=True)
class Case:
    """`parameters` without the event loop, which is None where the case runs in one alone. `reason` is why it does not
    apply."""

    suite: str
    sentence: str
    parameters: str
    loop: str | None
    failed: bool
    reason: str | None


def cases_of(report: str) -> list[Case]:
    """Of a report in JUnit's form, where a case stands twice that failed again while it was cleaned up after. Raises
    ValueError for a test of another suite."""
    found: dict[tuple[str, str, str, str | None], Case] = {}
    for element in ElementTree.fromstring(report).iter("testcase"):  # noqa: S314 - pytest's own
        case = _case(element)
        key = (case.suite, case.sentence, case.parameters, case.loop)
        if key not in found or case.failed:
            found[key] = case
    return list(found.values())


def _case(element: ElementTree.Element) -> Case:
    module, (name, _, rest) = element.get("classname", ""), element.get("name", "").partition("[")
    parts = rest.removesuffix("]").split("-")
    loop = next((part for part in parts if part in LOOPS), None)
    parameters = "-".join(part for part in parts if part != loop)
    skipped = element.find("skipped")
    reason = None if skipped is None else skipped.get("message", "").removeprefix("not applicable: ")
    failed = element.find("failure") is not None or element.find("error") is not None
    return Case(_suite_of(module), name.removeprefix("test_").replace("_", " "), parameters, loop, failed, reason)


def _suite_of(module: str) -> str:
    for place, suite in SUITES.items():
        if module == place or module.startswith(place + "."):
            return suite
    raise ValueError(f"{module}: of none of the suites")


def rows_of(cases: Mapping[str, Sequence[Case]]) -> list[list[str]]:
    """A row for each suite and candidate: cases, how many hold, fail, and do not apply."""
    rows = list[list[str]]()
    for suite in SUITES.values():
        for name, all_of_it in cases.items():
            found = [case for case in all_of_it if case.suite == suite]
            apart = sum(case.reason is not None for case in found)
            failed = sum(case.failed for case in found)
            rows.append([suite, name, *map(str, (len(found), len(found) - failed - apart, failed, apart))])
    return rows


def failures_of(cases: Iterable[Case]) -> list[str]:
    """A line for each test of which a case has failed, with the parameters that make the difference."""
    failed: dict[str, dict[str, set[str]]] = {}
    for case in cases:
        if case.failed:
            failed.setdefault(case.sentence, {}).setdefault(case.parameters, set()).add(case.loop or "")
    return [_told(sentence, loops) for sentence, loops in failed.items()]


def _told(sentence: str, loops: Mapping[str, set[str]]) -> str:
    told = [_with_loop(parameters, among) for parameters, among in loops.items()]
    if set(loops) == {""}:
        return f"{sentence} {told[0]}".rstrip()
    return f"{sentence}: {'; '.join(told)}"


def _with_loop(parameters: str, loops: set[str]) -> str:
    """The parameters, and the event loop where they fail in one alone."""
    if len(loops) == 1 and loops <= set(LOOPS):
        return f"{parameters} (in {min(loops)} alone)".lstrip()
    return parameters


def reasons_of(cases: Iterable[Case]) -> list[str]:
    """Why cases do not apply, each reason with their number."""
    reasons = [case.reason for case in cases if case.reason is not None]
    return [f"{reason} ({reasons.count(reason)})" for reason in dict.fromkeys(reasons)]


def run(name: str) -> list[Case]:
    """All suites on one candidate."""
    print_progress(f"the suites on {name}")
    environment = {key: value for key, value in os.environ.items() if key != "CI"}  # skips are meant here
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = (sys.executable, "-m", *_PYTEST, "--transport", name, f"--junitxml={report}")
        ended = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
        )
        if ended.returncode not in (0, 1):
            raise RuntimeError(f"pytest ended with {ended.returncode}:\n{ended.stdout[-2000:]}")
        return cases_of(report.read_text("utf-8"))


def main(names: Sequence[str] = tuple(CANDIDATES)) -> bool:
    """Prints what was found. Returns whether every case holds on ours, as far as it was asked for."""
    cases = {name: run(name) for name in names}
    show(
        "The suites about transports, each case in each event loop in which it runs",
        ("suite", "transport", "cases", "hold", "fail", "do not apply"),
        rows_of(cases),
    )
    for name, found in cases.items():
        for title, lines in (("fail", failures_of(found)), ("do not apply", reasons_of(found))):
            if lines:
                console.print(f"{name}: {title}", style="bold")
                for line in lines:
                    console.print(f"  {line}", markup=False, soft_wrap=True)
    return not any(case.failed for case in cases.get(OURS, ()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=CANDIDATES, help="may be given repeatedly")
    sys.exit(not main(parser.parse_args().only or tuple(CANDIDATES)))
