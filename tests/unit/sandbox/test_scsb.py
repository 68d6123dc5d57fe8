"""SCSB's transferHoldingsAndItems: key, order of checks, messages, counters, and what a transfer leaves behind."""

from __future__ import annotations

import pytest

from service.sandbox.exchange import JsonValue, Reply
from service.sandbox.scsb import Scsb, bib, holdings, institution, item, scsb_state
from tests.builders.sandbox import JsonObject, at, content, holdings_ids, item_ids, scsb_call


@pytest.fixture
def scsb() -> Scsb:
    system = Scsb()
    system.load(
        scsb_state(
            PUL=institution(
                bib("1421", holdings("1621", item("a"), item("b")), holdings("1622", item("c"))),
                bib("53624", holdings("59753", item("d"))),
                bib("gone", holdings("gone-h", item("x", deleted=True), deleted=True), deleted=True),
                bib("broken", holdings("broken-h", item("boom", raises=True), item("fine"))),
            ),
            NYPL=institution(
                bib(".b1", holdings("h1", item(".i1"), item(".i2"))),
                without_holdings_ids=True,
            ),
        )
    )
    return system


def transfer(
    scsb: Scsb, *, items: JsonValue = None, holdings: JsonValue = None, institution: str | None = "PUL"
) -> Reply:
    body = {"institution": institution, "itemTransfers": items, "holdingTransfers": holdings}
    return scsb.handle(scsb_call({name: value for name, value in body.items() if value is not None}))


def move_item(source: JsonValue, destination: JsonValue) -> JsonObject:
    return {"source": source, "destination": destination}


def messages(reply: Reply) -> list[JsonValue]:
    body = content(reply)
    answers = [body["holdingTransferResponses"], body["itemTransferResponses"]]
    return [at(answer, "message") for answered in answers if isinstance(answered, list) for answer in answered]


A_TO_D = move_item(item_ids("1421", "1621", "a"), item_ids("53624", "59753", "a"))


def test_an_item_moves_and_the_answer_echoes_the_request(scsb: Scsb) -> None:
    reply = transfer(scsb, items=[{**A_TO_D, "barcode": "32101"}])

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert content(reply) == {
        "message": "Success",
        "holdingTransferResponses": [],
        "itemTransferResponses": [{"message": "Successfully relinked", "itemTransferRequest": A_TO_D}],
    }
    bibs = scsb.institution("PUL").bibs
    assert "a" not in bibs["1421"].holdings["1621"].items
    assert "a" in bibs["53624"].holdings["59753"].items


def test_holdings_move_with_their_items_and_the_echo_has_another_name(scsb: Scsb) -> None:
    entry: JsonObject = {"source": holdings_ids("1421", "1622"), "destination": holdings_ids("53624", "1622")}

    reply = transfer(scsb, holdings=[entry])

    assert content(reply) == {
        "message": "Success",
        "holdingTransferResponses": [{"message": "Successfully relinked", "holdingsTransferRequest": entry}],
        "itemTransferResponses": [],
    }
    assert list(scsb.institution("PUL").bibs["53624"].holdings["1622"].items) == ["c"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": "sandbox-scsb-key"},
        {"api-key": "sandbox-scsb-key"},
        {"Authorization": "sandbox-scsb-key"},
        {"api_key": "wrong"},
    ],
)
def test_only_the_header_with_an_underscore_lets_in(scsb: Scsb, headers: dict[str, str]) -> None:
    call = scsb_call({"institution": "PUL"}, headers={**headers, "Content-Type": "application/json"})

    reply = scsb.handle(call)

    assert (reply.status, reply.content_type, reply.body) == (401, "text/plain", b"Authentication Failed\n")


@pytest.mark.parametrize("body", [b"{", b'{"itemTransfers": 1}', b"[]", b'{"institution": {}}'])
def test_a_body_that_is_no_request_is_400(scsb: Scsb, body: bytes) -> None:
    assert scsb.handle(scsb_call(body)).status == 400


@pytest.mark.parametrize(
    ("code", "message"), [("", "Institution is empty"), ("  ", "Institution is empty"), ("XX", "Unknow institution")]
)
def test_an_institution_that_is_none_leaves_both_arrays_null(scsb: Scsb, code: str, message: str) -> None:
    reply = transfer(scsb, items=[A_TO_D], institution=code)

    assert reply.status == 200
    assert content(reply) == {"message": message, "holdingTransferResponses": None, "itemTransferResponses": None}


def test_a_request_without_entries_has_no_message(scsb: Scsb) -> None:
    assert content(transfer(scsb)) == {
        "message": None,
        "holdingTransferResponses": [],
        "itemTransferResponses": [],
    }


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        (None, item_ids("53624", "59753", "a"), "Source is empty"),
        (item_ids("1421", "1621", "a"), None, "Destination is empty"),
        (
            item_ids("no", "no", "a"),
            item_ids("53624", "59753", "A"),
            "Source and Destination item ids are not matching",
        ),
        (item_ids(" ", "", "a"), item_ids("1", "2", "a"), "Source owning institution bib id is empty"),
        (item_ids("1421", None, "a"), item_ids("1", "2", "a"), "Source owning institution holdings id is empty"),
        (item_ids("1421", "1621", ""), item_ids("1", "2", ""), "Source owning institution item id is empty"),
        (item_ids("404", "1621", "a"), item_ids("1", "2", "a"), "Source bib does not exist"),
        (item_ids("1421", "59753", "a"), item_ids("1", "2", "a"), "Source holdings is not under source bib"),
        (item_ids("1421", "1621", "c"), item_ids("1", "2", "c"), "Source item is not under source holding"),
        (item_ids("gone", "gone-h", "x"), item_ids("1", "2", "x"), "Source item is a deaccessioned item"),
        (
            item_ids("1421", "1621", "a"),
            item_ids("53624", "", "a"),
            "Destination owning institution holdings id is empty",
        ),
        (
            item_ids("1421", "1621", "a"),
            item_ids("53624", "1622", "a"),
            "Destination holdings is linked with another bib and not under destination bib",
        ),
        (
            item_ids("1421", "1621", "a"),
            item_ids("new-bib", "59753", "a"),
            "Destination holdings is linked with another bib and not under destination bib",
        ),
        (
            item_ids("1421", "1621", "a"),
            item_ids("gone", "gone-h", "a"),
            "Destination holding is a deaccessioned holding",
        ),
    ],
)
def test_an_item_transfer_is_refused_in_scsbs_own_words(
    scsb: Scsb, source: JsonValue, destination: JsonValue, message: str
) -> None:
    before = scsb.snapshot()

    reply = transfer(scsb, items=[move_item(source, destination)])

    assert reply.status == 200
    assert (content(reply)["message"], messages(reply)) == ("Failed", [message])
    assert scsb.snapshot() == before


@pytest.mark.parametrize(
    ("source", "destination", "message"),
    [
        (None, holdings_ids("53624", "1622"), "Source is empty"),
        (holdings_ids("1421", "1622"), None, "Destination is empty"),
        (
            holdings_ids("404", "1622"),
            holdings_ids("53624", "59753"),
            "Source and Destination holdings ids are not matching",
        ),
        (holdings_ids("", "1622"), holdings_ids("1", "1622"), "Source owning institution bib id is empty"),
        (holdings_ids("1421", ""), holdings_ids("1", ""), "Source owning institution holdings id is empty"),
        (holdings_ids("404", "1622"), holdings_ids("1", "1622"), "Source bib does not exist"),
        (holdings_ids("53624", "1622"), holdings_ids("1", "1622"), "Source holdings is not under source bib"),
        (holdings_ids("gone", "gone-h"), holdings_ids("1", "gone-h"), "Source Holding is a deaccessioned holding"),
        (holdings_ids("1421", "1622"), holdings_ids("", "1622"), "Destination owning institution bib id is empty"),
        (holdings_ids("1421", "1622"), holdings_ids("gone", "1622"), "Destination Bib is a deaccessioned bib"),
    ],
)
def test_a_holdings_transfer_is_refused_in_scsbs_own_words(
    scsb: Scsb, source: JsonValue, destination: JsonValue, message: str
) -> None:
    before = scsb.snapshot()

    reply = transfer(scsb, holdings=[{"source": source, "destination": destination}])

    assert (content(reply)["message"], messages(reply)) == ("Failed", [message])
    assert scsb.snapshot() == before


def test_entries_are_independent_and_a_mixture_is_partially_success(scsb: Scsb) -> None:
    bad = move_item(item_ids("404", "1", "z"), item_ids("1", "2", "z"))

    reply = transfer(scsb, items=[bad, A_TO_D])

    assert content(reply)["message"] == "Partially Success"
    assert messages(reply) == ["Source bib does not exist", "Successfully relinked"]


def test_an_entry_that_fails_with_an_exception_is_counted_as_a_success(scsb: Scsb) -> None:
    before = scsb.snapshot()
    boom = move_item(item_ids("broken", "broken-h", "boom"), item_ids("53624", "59753", "boom"))

    reply = transfer(scsb, items=[boom])

    assert (content(reply)["message"], messages(reply)) == ("Success", ["Relinked Failed"])
    assert scsb.snapshot() == before


def test_a_blank_destination_bib_of_an_item_slips_through_validation_and_fails_while_relinking(scsb: Scsb) -> None:
    blank = move_item(item_ids("1421", "1621", "a"), item_ids("", "59753", "a"))

    reply = transfer(scsb, items=[blank])

    assert (content(reply)["message"], messages(reply)) == ("Success", ["Relinked Failed"])


def test_repeating_an_applied_item_transfer_is_refused(scsb: Scsb) -> None:
    transfer(scsb, items=[A_TO_D])

    reply = transfer(scsb, items=[A_TO_D])

    assert (content(reply)["message"], messages(reply)) == ("Failed", ["Source item is not under source holding"])


def test_repeating_an_applied_holdings_transfer_is_refused(scsb: Scsb) -> None:
    entry: JsonObject = {"source": holdings_ids("1421", "1622"), "destination": holdings_ids("53624", "1622")}
    transfer(scsb, holdings=[entry])

    assert messages(transfer(scsb, holdings=[entry])) == ["Source holdings is not under source bib"]


def test_destinations_that_do_not_exist_are_created_as_dummy_records(scsb: Scsb) -> None:
    reply = transfer(scsb, items=[move_item(item_ids("1421", "1621", "a"), item_ids("typo", "typo-h", "a"))])

    assert messages(reply) == ["Successfully relinked"]
    made = scsb.institution("PUL").bibs["typo"]
    assert (made.dummy, made.holdings["typo-h"].dummy, made.deleted) == (True, True, False)


def test_an_id_of_another_institution_is_unknown_as_source_and_made_as_destination(scsb: Scsb) -> None:
    unknown = transfer(scsb, items=[move_item(item_ids(".b1", "h1", ".i1"), item_ids("1421", "1621", ".i1"))])
    made = transfer(scsb, items=[move_item(item_ids("1421", "1621", "a"), item_ids(".b1", "h9", "a"))])

    assert messages(unknown) == ["Source bib does not exist"]
    assert messages(made) == ["Successfully relinked"]
    assert scsb.institution("PUL").bibs[".b1"].dummy


def test_parents_that_were_emptied_are_deaccessioned_and_moving_back_does_not_work(scsb: Scsb) -> None:
    there = [move_item(item_ids("1421", "1621", name), item_ids("53624", "59753", name)) for name in ("a", "b")]
    back = move_item(item_ids("53624", "59753", "a"), item_ids("1421", "1621", "a"))
    transfer(scsb, items=[*there])

    emptied = scsb.institution("PUL").bibs["1421"]
    assert (emptied.holdings["1621"].deleted, emptied.deleted) == (True, False)
    assert messages(transfer(scsb, items=[back])) == ["Destination holding is a deaccessioned holding"]


def test_a_bib_without_live_holdings_is_deaccessioned(scsb: Scsb) -> None:
    transfer(scsb, holdings=[{"source": holdings_ids("53624", "59753"), "destination": holdings_ids("1421", "59753")}])

    assert scsb.institution("PUL").bibs["53624"].deleted


def test_an_item_may_go_to_a_deaccessioned_bib_under_new_holdings_and_revives_it(scsb: Scsb) -> None:
    reply = transfer(scsb, items=[move_item(item_ids("1421", "1621", "a"), item_ids("gone", "new-h", "a"))])

    assert messages(reply) == ["Successfully relinked"]
    assert not scsb.institution("PUL").bibs["gone"].deleted


def test_holdings_are_transferred_before_items_whatever_their_order_in_the_request(scsb: Scsb) -> None:
    holdings_entry: JsonObject = {"source": holdings_ids("1421", "1622"), "destination": holdings_ids("53624", "1622")}
    item_entry = move_item(item_ids("53624", "1622", "c"), item_ids("53624", "59753", "c"))

    reply = transfer(scsb, items=[item_entry], holdings=[holdings_entry])

    assert messages(reply) == ["Successfully relinked", "Successfully relinked"]


def test_an_institution_without_holdings_ids_may_leave_the_destination_blank_for_a_new_bib_only(scsb: Scsb) -> None:
    new = move_item(item_ids(".b1", "h1", ".i1"), item_ids(".b2", "", ".i1"))
    known = move_item(item_ids(".b1", "h1", ".i2"), item_ids(".b2", "", ".i2"))

    assert messages(transfer(scsb, items=[new], institution="NYPL")) == ["Successfully relinked"]
    assert messages(transfer(scsb, items=[known], institution="NYPL")) == [
        "Destination owning institution holdings id is empty"
    ]


def test_a_null_entry_is_503_and_the_holdings_before_it_stay_transferred(scsb: Scsb) -> None:
    holdings_entry: JsonObject = {"source": holdings_ids("1421", "1622"), "destination": holdings_ids("53624", "1622")}

    reply = transfer(scsb, items=[A_TO_D, None], holdings=[holdings_entry])

    assert (reply.status, reply.body) == (503, b"Internal error occurred during transfer")
    bibs = scsb.institution("PUL").bibs
    assert "1622" in bibs["53624"].holdings
    assert "a" in bibs["1421"].holdings["1621"].items


def test_the_ledger_is_told_the_bibs_of_both_sides(scsb: Scsb) -> None:
    holdings_entry = {"source": holdings_ids("1421", "1"), "destination": holdings_ids("9", "1")}
    call = scsb_call({"institution": "PUL", "itemTransfers": [A_TO_D], "holdingTransfers": [holdings_entry]})

    assert scsb.entities(call) == ("PUL/1421", "PUL/9", "PUL/53624")
    assert scsb.entities(scsb_call(b"nonsense")) == ()


def test_a_snapshot_loaded_into_another_system_is_the_same_state(scsb: Scsb) -> None:
    transfer(scsb, items=[A_TO_D])
    other = Scsb()

    other.load(scsb.snapshot())

    assert other.snapshot() == scsb.snapshot()


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"bibs": {"1": {"holding": {}}}}, "institutions.PUL.bibs.1.holding"),
        ({"bibs": {"1": {"deleted": "yes"}}}, "institutions.PUL.bibs.1.deleted"),
        ({"bibs": {"1": {"holdings": {"2": {"items": []}}}}}, "institutions.PUL.bibs.1.holdings.2.items"),
    ],
)
def test_bad_seed_data_names_the_field(entry: JsonValue, field: str) -> None:
    with pytest.raises(ValueError, match=r".+") as refusal:
        Scsb().load({"institutions": {"PUL": entry}})

    assert str(refusal.value).startswith(f"{field}:")
