"""SCSB's answers: each entry by its own message, whatever the one at the top says."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.answers import Finding, Verdict, succeeded
from service.domain.codes import Code
from service.domain.jsonvalue import JsonObject, JsonValue
from service.domain.operations import Asked, Transfer, TransferEntry
from service.systems.scsb_answers import BROKE_OFF, SUCCESS, UNKNOWN, EntryAnswer, answers_of, request_body
from tests.unit.systems.anything import any_json


def item_entry(name: str, **others: str) -> TransferEntry:
    source = {"owningInstitutionBibId": "1", "owningInstitutionHoldingsId": "h1", "owningInstitutionItemId": name}
    return TransferEntry(
        Asked("scsb", "transfer-item", name), {**source, **others}, {**source, "owningInstitutionBibId": "2"}
    )


def holdings_entry(name: str) -> TransferEntry:
    source = {"owningInstitutionBibId": "1", "owningInstitutionHoldingsId": name}
    return TransferEntry(Asked("scsb", "transfer-holdings", name), source, {**source, "owningInstitutionBibId": "2"})


def transfer(holdings: str = "", items: str = "") -> Transfer:
    return Transfer("PUL", tuple(map(holdings_entry, holdings.split())), tuple(map(item_entry, items.split())))


def response(message: JsonValue, entry: TransferEntry | None, echo: str = "itemTransferRequest") -> JsonObject:
    repeated = {"source": entry.source, "destination": entry.destination} if entry else None
    return {"message": message, echo: repeated}


def body(*items: JsonValue, holdings: JsonValue = (), message: JsonValue = "Success") -> JsonValue:
    return {"message": message, "holdingTransferResponses": list(holdings or []), "itemTransferResponses": list(items)}  # type: ignore[arg-type]


def read(asked: Transfer, content: JsonValue, *, uncertain: bool = False) -> tuple[EntryAnswer, ...]:
    answers = answers_of(asked, content, uncertain=uncertain)
    assert answers is not None
    return answers


def verdicts(answers: tuple[EntryAnswer, ...]) -> list[Verdict | None]:
    return [answer.verdict if isinstance(answer, Finding) else None for answer in answers]


A, B, C = item_entry("a"), item_entry("b"), item_entry("c")


def test_a_request_has_scsbs_own_fields_and_no_others() -> None:
    asked = Transfer("PUL", (holdings_entry("h1"),), (item_entry("a", barcode="32101"),))

    assert request_body(asked) == {
        "institution": "PUL",
        "holdingTransfers": [
            {
                "source": {"owningInstitutionBibId": "1", "owningInstitutionHoldingsId": "h1"},
                "destination": {"owningInstitutionBibId": "2", "owningInstitutionHoldingsId": "h1"},
            }
        ],
        "itemTransfers": [{"source": A.source, "destination": A.destination}],
    }
    assert "itemTransfers" not in request_body(transfer("h1"))


@pytest.mark.parametrize("top", ["Success", "Partially Success", "Failed", None, "anything"])
def test_only_an_entrys_own_message_tells_of_it(top: str | None) -> None:
    content = body(response(SUCCESS, A), response("Source bib does not exist", B), message=top)

    assert verdicts(read(transfer(items="a b"), content)) == [Verdict.SUCCEEDED, Verdict.FAILED]


def test_a_relinking_that_broke_off_is_unknown_even_under_success() -> None:
    assert read(transfer(items="a"), body(response(BROKE_OFF, A))) == (UNKNOWN,)


def test_a_refusal_keeps_scsbs_words() -> None:
    [answer] = read(transfer(items="a"), body(response("Source item is a deaccessioned item", A)))

    assert isinstance(answer, Finding)
    assert (answer.code, answer.status, answer.message) == (Code.REFUSED, 200, "Source item is a deaccessioned item")


@pytest.mark.parametrize(
    "message", ["Source item is not under source holding", "Source holdings is not under source bib"]
)
def test_not_under_source_is_a_refusal_or_the_trace_of_a_lost_attempt(message: str) -> None:
    content = body(response(message, A))

    assert verdicts(read(transfer(items="a"), content)) == [Verdict.FAILED]
    assert verdicts(read(transfer(items="a"), content, uncertain=True)) == [Verdict.SUCCEEDED]


@pytest.mark.parametrize(
    "message",
    [
        "Source bib does not exist",
        "Destination holding is a deaccessioned holding",
        "Source and Destination item ids are not matching",
        "successfully relinked",
        "Successfully relinked ",
    ],
)
def test_no_other_message_is_a_success_after_a_lost_attempt(message: str) -> None:
    assert verdicts(read(transfer(items="a"), body(response(message, A)), uncertain=True)) == [Verdict.FAILED]


@pytest.mark.parametrize("top", ["Unknow institution", "Institution is empty"])
def test_an_institution_that_scsb_does_not_know_refuses_every_entry(top: str) -> None:
    content: JsonValue = {"message": top, "holdingTransferResponses": None, "itemTransferResponses": None}

    answers = read(transfer("h1", "a b"), content)

    assert verdicts(answers) == [Verdict.FAILED] * 3
    assert {answer.message for answer in answers if isinstance(answer, Finding)} == {top}


@pytest.mark.parametrize("top", ["Success", None, "Failed"])
def test_lists_that_are_null_otherwise_tell_nothing(top: str | None) -> None:
    content: JsonValue = {"message": top, "holdingTransferResponses": None, "itemTransferResponses": None}

    assert read(transfer("h1", "a"), content) == (UNKNOWN, UNKNOWN)


def test_entries_are_told_apart_by_the_request_that_is_repeated() -> None:
    content = body(response("Source bib does not exist", C), response(SUCCESS, A), response(SUCCESS, B))

    assert verdicts(read(transfer(items="a b c"), content)) == [Verdict.SUCCEEDED, Verdict.SUCCEEDED, Verdict.FAILED]


def test_an_entry_without_a_response_is_unknown_while_the_others_are_told() -> None:
    content = body(response(SUCCESS, B))

    assert verdicts(read(transfer(items="a b"), content)) == [None, Verdict.SUCCEEDED]


def test_responses_that_repeat_nothing_count_by_their_place() -> None:
    content = body(response(SUCCESS, None), response("Source bib does not exist", None))

    assert verdicts(read(transfer(items="a b"), content)) == [Verdict.SUCCEEDED, Verdict.FAILED]


def test_responses_that_repeat_nothing_and_do_not_match_in_number_tell_nothing() -> None:
    assert read(transfer(items="a b"), body(response(SUCCESS, None))) == (UNKNOWN, UNKNOWN)


def test_holdings_come_before_items_in_every_order_of_the_answer() -> None:
    held = holdings_entry("h1")
    content: JsonValue = {
        "itemTransferResponses": [response(SUCCESS, A)],
        "message": "Partially Success",
        "holdingTransferResponses": [response("Source bib does not exist", held, "holdingsTransferRequest")],
    }

    assert verdicts(read(transfer("h1", "a"), content)) == [Verdict.FAILED, Verdict.SUCCEEDED]


@pytest.mark.parametrize("content", [None, [], "ok", 1, {}, {"status": 200}])
def test_what_is_no_answer_of_scsbs_is_none(content: JsonValue) -> None:
    assert answers_of(transfer(items="a"), content, uncertain=False) is None


@given(any_json, st.booleans())
def test_any_answer_tells_something_of_each_entry_or_nothing_at_all(content: JsonValue, uncertain: bool) -> None:
    asked = transfer("h1 h2", "a b")
    for tried in (content, {"message": content, "itemTransferResponses": content, "holdingTransferResponses": content}):
        answers = answers_of(asked, tried, uncertain=uncertain)
        assert answers is None or len(answers) == 4


@given(st.permutations(["a", "b", "c"]), st.lists(st.sampled_from([SUCCESS, "no", BROKE_OFF]), min_size=3, max_size=3))
def test_the_order_of_responses_does_not_matter(order: list[str], messages: list[str]) -> None:
    told = dict(zip("abc", messages, strict=True))
    content = body(*(response(told[name], item_entry(name)) for name in order))
    expected = {SUCCESS: Verdict.SUCCEEDED, "no": Verdict.FAILED, BROKE_OFF: None}

    assert verdicts(read(transfer(items="a b c"), content)) == [expected[told[name]] for name in "abc"]


@pytest.mark.timeout(20)
def test_the_answer_to_thousands_of_entries_is_read_in_time_linear_in_them() -> None:
    asked = transfer(items=" ".join(map(str, range(4000))))
    responses = [response(SUCCESS, entry) for entry in reversed(asked.items)]
    began = time.thread_time()

    answers = answers_of(asked, body(*responses), uncertain=False)

    assert time.thread_time() - began < 0.5
    assert answers == (succeeded(200, SUCCESS),) * 4000


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_message_does_not_tell_what_became_of_an_entry(blank: str) -> None:
    asked = transfer(items="a")

    assert answers_of(asked, body(response(blank, asked.items[0])), uncertain=False) == (UNKNOWN,)
