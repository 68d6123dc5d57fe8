"""The page as a document: what it says, and that nothing foreign becomes markup."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.circuit import Reason
from service.engine.state import Membership, WorkerState
from service.telemetry.status import CONTENT_SECURITY_POLICY, Status, render
from tests.builders.status import NOW, ONE, TWO, busy, circuit, failure, gate, partition, repeat, status

VOID = {"meta", "link"}


class Document(HTMLParser):
    """The elements of a page, in their order, and its words. Fails where an element is not closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    @property
    def words(self) -> str:
        return " ".join("".join(self.pieces).split())

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.elements]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in {"p", "td", "th", "dt", "dd", "h1", "h2"}:
            self.pieces.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.pieces.append(data)


def words_of(shown: Status) -> str:
    return Document(render(shown)).words


def test_a_worker_without_trouble_and_without_work_says_so_in_every_section() -> None:
    words = words_of(status())

    for said in (
        "Ready · version",
        "up for 1 h 1 min",
        "This worker owns no partition.",
        "No record waits for a retry.",
        "No circuit is open: every system is asked.",
        "No system with a daily quota was called yet.",
        "No event has failed since this worker started.",
    ):
        assert said in words


def test_a_worker_that_has_not_looked_at_itself_yet_is_told_as_one_that_begins() -> None:
    assert "The worker has not told yet how it stands: it begins." in words_of(status(taken_at=0.0))


def test_throughput_and_lag_are_told() -> None:
    words = words_of(busy())

    assert "Events/s, last 10 s 12.5 Events/s, last 60 s 8.2 In work 8 Of those, running 5" in words
    assert "Succeeded, since start 1,234" in words
    assert "Records behind, in all 5 Partitions 2" in words
    assert "holdings.changes/0 5 30 s old 3 0 open holdings.changes/1 0 none 3 0 open" in words


def test_a_lag_that_is_not_known_is_not_told_as_none() -> None:
    words = words_of(status(worker=WorkerState((partition(), partition(TWO))), ends={ONE: 45}))

    assert "Records behind, in all not known" in words
    assert words.index("holdings.changes/1 not known") < words.index("holdings.changes/0 5")


@pytest.mark.parametrize(
    ("due_in_seconds", "told"),
    [
        (5.0, "2023-11-14 22:13:25 UTC (in 5 s)"),
        (0.0, "due; it waits for its turn"),
        (None, "when its circuit closes"),
    ],
)
def test_a_record_that_waits_for_a_retry_is_told_with_its_reason_and_its_next_attempt(
    due_in_seconds: float | None, told: str
) -> None:
    waiting = repeat(entities=("a/1", "a/2"), entity_count=9, due_in_seconds=due_in_seconds)

    words = words_of(status(worker=WorkerState(repeating=1, repeats=(waiting,))))

    assert f"a/1, a/2, and 7 more eholdings for diku 2 HTTP 503 {told} e1 (holdings.changes/0@42)" in words


def test_of_very_many_records_that_wait_it_is_said_how_many_are_not_shown() -> None:
    worker = WorkerState(repeating=1234, repeats=(repeat(),))

    assert "and 1,233 more" in words_of(status(worker=worker))


def test_a_worker_of_very_many_partitions_shows_those_that_lag_most() -> None:
    many = tuple(partition(ONE._replace(number=number), frontier=number) for number in range(1000))
    ends = {state.partition: 1000 for state in many}

    page = render(status(worker=WorkerState(many), ends=ends))

    assert "and 950 more" in page
    assert "holdings.changes/0<" in page
    assert "holdings.changes/999<" not in page
    assert len(page) < 100_000


@pytest.mark.parametrize(
    ("probe_in_seconds", "told"),
    [
        (12.0, "2023-11-14 22:13:32 UTC (in 12 s)"),
        (0.0, "with the next record that needs it"),
        (None, "one is under way"),
    ],
)
def test_an_open_circuit_is_told_with_its_reason_and_its_next_probe(probe_in_seconds: float | None, told: str) -> None:
    gates = (gate(reason=Reason.FAILING, waiting=4, probe_in_seconds=probe_in_seconds),)

    words = words_of(status(worker=WorkerState(gates=gates), circuits=(circuit(),)))

    assert f"eholdings for diku failing 2023-11-14 22:11:50 UTC (1 min 30 s ago) {told} 4 try later" in words


def test_a_circuit_that_has_opened_since_the_worker_looked_at_itself_is_told_without_its_probe() -> None:
    assert "(1 min 30 s ago) not known 0 try later" in words_of(status(circuits=(circuit(),)))


def test_a_quota_is_spent_or_not_known_to_be() -> None:
    words = words_of(busy())

    assert "eholdings for diku not known to be spent; the system does not say how much is left –" in words
    assert (
        "holdingsiq for apidvgvmt spent, since 2023-11-14 22:11:50 UTC (1 min 30 s ago) "
        "2023-11-14 22:15:00 UTC (in 1 min 40 s)"
    ) in words


def test_a_failure_is_told_with_its_time_its_code_and_its_place() -> None:
    assert (
        "2023-11-14 22:12:20 UTC (1 min ago) refused eholdings 22-1-9 no such title e9 (holdings.changes/1@7)"
    ) in words_of(busy())


def test_what_is_wrong_with_the_worker_stands_before_everything_else() -> None:
    shown = status(trouble="the event loop is blocked", taken_at=NOW - 34, membership=Membership())

    page = render(shown)
    words = Document(page).words

    assert "Not alive" in page.partition("</title>")[0]
    places = [
        words.index("This worker is not alive: the event loop is blocked."),
        words.index(
            "What follows is not of now: the worker last told how it stands at 2023-11-14 22:12:46 UTC (34 s ago)"
        ),
        words.index("Not ready: the worker is not a member of its consumer group yet."),
        words.index("Throughput"),
    ]
    assert places == sorted(places)


def test_a_worker_that_stops_is_not_blamed_for_looking_at_itself_no_more() -> None:
    words = words_of(status(taken_at=NOW - 34, membership=Membership(joined=True, stopping=True)))

    assert "What follows is not of now" not in words
    assert "Not ready: the worker stops." in words


def test_the_page_says_in_which_language_it_is_and_names_its_sections_tables_rows_and_columns() -> None:
    document = Document(render(busy()))

    assert document.elements[0] == ("html", {"lang": "en"})
    assert [document.names.count(name) for name in ("title", "main", "h1", "h2", "section", "table")] == [
        1,
        1,
        1,
        6,
        6,
        5,
    ]
    ids = {attributes["id"] for name, attributes in document.elements if name == "h2"}
    assert {attributes["aria-labelledby"] for name, attributes in document.elements if name == "table"} < ids
    assert {attributes["scope"] for name, attributes in document.elements if name == "th"} == {"row", "col"}


def test_the_page_is_loaded_anew_by_itself_unless_it_is_to_stand_still() -> None:
    assert '<meta http-equiv="refresh" content="5">' in render(status())
    assert "http-equiv" not in render(status(), still=True)


def test_the_policy_permits_this_style_sheet_and_no_other_and_no_script() -> None:
    (sheet,) = re.findall("<style>(.*?)</style>", render(status()), re.DOTALL)
    permitted = "sha256-" + base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()

    assert f"default-src 'none'; style-src '{permitted}'; " in CONTENT_SECURITY_POLICY
    assert "script-src" not in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


MARKUP = (
    "<b>", "</p>", "</td>", "<script>", "<svg onload=x>",
    "<!--", "-->", "]]>", "&lt;", "&#60;b&#62;", "<", ">", '"', "'", "`",
    '" onclick="x', "</style>", "<style>", "<?", "\0", "\u202e", "\ud800",
)  # fmt: skip
FOREIGN = st.lists(st.sampled_from(MARKUP) | st.text(st.characters(codec=None), max_size=3), max_size=8).map("".join)
"""Pieces of markup, whole and broken, among characters of every kind."""


def hostile(words: str) -> Status:
    """Foreign text wherever there can be any."""
    gates = (gate(words, words, reason=Reason.QUOTA, waiting=1, probe_in_seconds=3.0),)
    worker = WorkerState(
        (partition(ONE._replace(topic=words)),),
        gates=gates,
        repeating=1,
        repeats=(repeat(words, entities=(words,), message=words),),
    )
    return status(
        worker=worker,
        trouble=words,
        membership=Membership(joined=True, claims=(ONE._replace(topic=words),)),
        circuits=(circuit(words, words, reason=words, message=words),),
        failures=(failure(words, target=words, message=words, code=words),),
        name=words,
    )


@given(FOREIGN)
def test_no_foreign_text_changes_the_markup(words: str) -> None:
    page = render(hostile(words))

    assert Document(page).elements == Document(render(hostile("harmless"))).elements
    page.encode("utf-8")


def test_foreign_text_is_shown_as_it_is_and_what_cannot_be_shown_is_marked() -> None:
    words = words_of(status(failures=(failure("<b>&amp;\u202e\x00\ud800é"),)))

    assert "<b>&amp;\ufffd\ufffd\ufffdé (holdings.changes/1@7)" in words
