"""The simulated /holdings-sources: what mod-inventory-storage answers, call by call."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from service.sandbox.exchange import Call, Reply
from service.sandbox.holdings_sources import FOLIO_SOURCE_ID, MARC_SOURCE_ID, HoldingsSources

UNKNOWN_ID = "11111111-1111-4111-8111-111111111111"
JSON = (("Content-Type", "application/json"),)


def ask(sources: HoldingsSources, method: str, target: str, body: object = None, tenant: str = "diku") -> Reply:
    parts = urlsplit(target)
    content = b"" if body is None else orjson.dumps(body)
    return sources.handle(Call(method, parts.path, dict(parse_qsl(parts.query)), JSON, content, tenant))


def decoded(reply: Reply) -> Any:
    return orjson.loads(reply.body)


def create(sources: HoldingsSources, name: str, **members: object) -> str:
    reply = ask(sources, "POST", "/holdings-sources", {"name": name, **members})
    assert reply.status == 201, reply.body
    return str(decoded(reply)["id"])


def names(reply: Reply) -> list[str]:
    return [source["name"] for source in decoded(reply)["holdingsRecordsSources"]]


@pytest.fixture
def sources() -> HoldingsSources:
    return HoldingsSources()


def test_every_tenant_starts_with_the_two_shipped_sources(sources: HoldingsSources) -> None:
    for tenant in ("diku", "other"):
        listing = decoded(ask(sources, "GET", "/holdings-sources", tenant=tenant))

        assert {(s["id"], s["name"], s["source"]) for s in listing["holdingsRecordsSources"]} == {
            (FOLIO_SOURCE_ID, "FOLIO", "folio"),
            (MARC_SOURCE_ID, "MARC", "folio"),
        }
        assert listing["totalRecords"] == 2


def test_a_source_belongs_to_its_tenant_alone(sources: HoldingsSources) -> None:
    create(sources, "Ours")

    assert names(ask(sources, "GET", "/holdings-sources?query=name==Ours", tenant="other")) == []


def test_the_default_limit_is_ten_and_limit_zero_gives_the_total_alone(sources: HoldingsSources) -> None:
    for number in range(12):
        create(sources, f"Source {number}")

    assert len(names(ask(sources, "GET", "/holdings-sources"))) == 10
    assert decoded(ask(sources, "GET", "/holdings-sources?limit=0")) == {
        "holdingsRecordsSources": [],
        "totalRecords": 14,
    }
    assert len(names(ask(sources, "GET", "/holdings-sources?limit=10&offset=10"))) == 4


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('name=="folio"', ["FOLIO"]),
        ('name=="FOL"', []),
        ('name=="F*"', ["FOLIO"]),
        ("source==local", ["Loca*l", 'Quo"ted']),
        (r'name=="loca\*l"', ["Loca*l"]),
        (r'name=="quo\"ted"', ['Quo"ted']),
        ('source==local and name=="quo*"', ['Quo"ted']),
        ("cql.allRecords=1 sortby name", ["FOLIO", "Loca*l", "MARC", 'Quo"ted']),
    ],
)
def test_sources_are_found_by_cql(sources: HoldingsSources, query: str, expected: list[str]) -> None:
    create(sources, "Loca*l", source="local")
    create(sources, 'Quo"ted', source="local")

    reply = sources.handle(Call("GET", "/holdings-sources", {"query": query}, tenant="diku"))

    assert names(reply) == expected


def test_cql_that_cannot_be_read_is_400_in_text(sources: HoldingsSources) -> None:
    reply = sources.handle(Call("GET", "/holdings-sources", {"query": "name=="}))

    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert reply.body == (
        b"org.folio.cql2pgjson.exception.QueryValidationException: "
        b"org.z3950.zing.cql.CQLParseException: expected index or term, got EOF"
    )


def test_a_limit_that_is_no_number_is_400_in_text(sources: HoldingsSources) -> None:
    assert ask(sources, "GET", "/holdings-sources?limit=many").status == 400
    assert ask(sources, "GET", "/holdings-sources?limit=-1").status == 400


def test_a_created_source_is_read_back_with_id_and_metadata(sources: HoldingsSources) -> None:
    source_id = create(sources, "Ours", source="local")

    stored = decoded(ask(sources, "GET", f"/holdings-sources/{source_id}"))

    assert (stored["name"], stored["source"]) == ("Ours", "local")
    assert set(stored["metadata"]) == {"createdDate", "updatedDate"}


def test_an_id_that_is_sent_is_kept(sources: HoldingsSources) -> None:
    assert create(sources, "Ours", id=UNKNOWN_ID) == UNKNOWN_ID


def test_a_duplicate_name_is_422_on_create_and_400_in_text_on_replace(sources: HoldingsSources) -> None:
    source_id = create(sources, "Ours")
    words = "lower(f_unaccent(jsonb ->> 'name'::text)) value already exists in table holdings_records_source: folio"

    created = ask(sources, "POST", "/holdings-sources", {"name": "Fólio"})
    replaced = ask(sources, "PUT", f"/holdings-sources/{source_id}", {"name": "folio"})

    assert created.status == 422
    assert decoded(created)["errors"][0]["message"] == words
    assert (replaced.status, replaced.content_type, replaced.body.decode()) == (400, "text/plain", words)


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        ({}, 422, b"must not be null"),
        ({"name": "x", "id": "abc"}, 422, b"must match"),
        ({"name": "x", "source": "foo"}, 400, b"HoldingsRecordsSource$Source`, problem: foo"),
    ],
)
def test_a_record_that_does_not_conform_is_refused(
    sources: HoldingsSources, body: object, status: int, part: bytes
) -> None:
    reply = ask(sources, "POST", "/holdings-sources", body)

    assert reply.status == status
    assert part in reply.body


def test_a_body_needs_the_json_content_type_and_may_name_a_charset(sources: HoldingsSources) -> None:
    body = orjson.dumps({"name": "Ours"})

    refused = sources.handle(Call("POST", "/holdings-sources", {}, (("Content-Type", "text/plain"),), body))
    taken = sources.handle(
        Call("POST", "/holdings-sources", {}, (("content-type", "application/json; charset=utf-8"),), body)
    )

    assert refused.body == b'Content-type header must be ["application/json"] but it is "text/plain"'
    assert refused.status == 400
    assert taken.status == 201


def test_a_replace_takes_its_id_from_the_path_and_answers_204_even_for_a_shipped_source(
    sources: HoldingsSources,
) -> None:
    reply = ask(
        sources, "PUT", f"/holdings-sources/{FOLIO_SOURCE_ID}", {"id": UNKNOWN_ID, "name": "FOLIO", "source": "folio"}
    )

    assert (reply.status, reply.body) == (204, b"")
    assert decoded(ask(sources, "GET", f"/holdings-sources/{FOLIO_SOURCE_ID}"))["id"] == FOLIO_SOURCE_ID


def test_unknown_ids_are_404_in_text(sources: HoldingsSources) -> None:
    assert ask(sources, "GET", f"/holdings-sources/{UNKNOWN_ID}").body == b"Not found"
    assert ask(sources, "PUT", f"/holdings-sources/{UNKNOWN_ID}", {"name": "x"}).status == 404
    assert ask(sources, "GET", "/holdings-sources/abc").body.startswith(b"Invalid UUID format of id")


def test_a_source_of_ones_own_is_deleted_once(sources: HoldingsSources) -> None:
    source_id = create(sources, "Ours")

    first = ask(sources, "DELETE", f"/holdings-sources/{source_id}")
    second = ask(sources, "DELETE", f"/holdings-sources/{source_id}")

    assert (first.status, second.status) == (204, 404)
    assert second.body.decode() == f"Entity with id '{source_id}' not found for deletion"


def test_the_observed_version_never_answers_the_deletion_of_an_unknown_source() -> None:
    sources = HoldingsSources(answers_unknown_delete=False)

    reply = ask(sources, "DELETE", f"/holdings-sources/{UNKNOWN_ID}")

    assert (reply.status, reply.body) == (0, b"")


def test_a_shipped_source_is_not_deleted(sources: HoldingsSources) -> None:
    reply = ask(sources, "DELETE", f"/holdings-sources/{MARC_SOURCE_ID}")

    assert (reply.status, reply.body) == (400, b"Holdings Records Sources with source of folio can not be deleted")


def test_a_source_in_use_is_not_deleted(sources: HoldingsSources) -> None:
    source_id = create(sources, "Ours")
    sources.watch_references(lambda tenant, used: (tenant, used) == ("diku", source_id))

    reply = ask(sources, "DELETE", f"/holdings-sources/{source_id}")

    assert reply.status == 400
    assert reply.body.endswith(b"because id is still referenced from table holdings_record.")


def test_a_snapshot_can_be_loaded_into_another_sandbox(sources: HoldingsSources) -> None:
    create(sources, "Ours", source="local")
    state = sources.snapshot()
    other = HoldingsSources()

    other.load(state)

    assert other.snapshot() == state


@pytest.mark.parametrize(
    ("state", "field"),
    [
        ({"tenant": {}}, "tenant"),
        ({"tenants": []}, "tenants"),
        ({"tenants": {"diku": {UNKNOWN_ID: {}}}}, f"tenants.diku.{UNKNOWN_ID}.name"),
        ({"tenants": {"diku": {"abc": {"name": "x"}}}}, "tenants.diku.abc.id"),
        ({"answersUnknownDelete": "no"}, "answersUnknownDelete"),
    ],
)
def test_seed_data_of_another_shape_is_refused_with_the_name_of_the_field(
    sources: HoldingsSources, state: dict[str, Any], field: str
) -> None:
    before = sources.snapshot()

    with pytest.raises(ValueError, match=f"^{field}: expected"):
        sources.load(state)

    assert sources.snapshot() == before


def test_reset_leaves_the_shipped_sources(sources: HoldingsSources) -> None:
    create(sources, "Ours")

    sources.reset()

    assert names(ask(sources, "GET", "/holdings-sources")) == ["FOLIO", "MARC"]


def test_a_call_names_the_source_it_is_about(sources: HoldingsSources) -> None:
    assert sources.entities(Call("DELETE", f"/holdings-sources/{UNKNOWN_ID}")) == (UNKNOWN_ID,)
    assert sources.entities(Call("POST", "/holdings-sources", body=b'{"name":"Ours"}')) == ("Ours",)
    assert sources.entities(Call("GET", "/holdings-sources")) == ()


def test_only_its_own_paths_and_methods_are_served(sources: HoldingsSources) -> None:
    assert sources.serves("GET", "/holdings-sources")
    assert sources.serves("DELETE", f"/holdings-sources/{UNKNOWN_ID}")
    assert not sources.serves("DELETE", "/holdings-sources")
    assert not sources.serves("GET", "/holdings-sources-x")
