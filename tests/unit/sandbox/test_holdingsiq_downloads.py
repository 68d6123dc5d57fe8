"""Downloads of exports over HTTP: the link, ranges, refusals in S3's words, and what may go wrong on the way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlsplit
from xml.etree import ElementTree

import aiohttp
import pytest

from service.sandbox.exchange import Call, JsonValue
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, GeneratedRows, HoldingsIq, Plan, customer, export, holdingsiq_state
from service.sandbox.server import Sandbox
from tests.builders.sandbox import at, holdingsiq_call
from tests.builders.sandbox_http import HOLDINGSIQ_HEADERS

FILE = CsvFile(rows=2000, awkward=2, broken={1500: "many"})
BODY = b"".join(GeneratedRows("KBART2", FILE).pieces())
LITERAL = 'publication_title,title_id\r\n"Größe, und\n""Form""",1\r\n'.encode()


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def system(clock: Clock) -> HoldingsIq:
    found = HoldingsIq(clock=clock)
    found.load(
        holdingsiq_state(
            api=customer(
                export("large", plan=Plan(after_polls=0, file=FILE)),
                export("literal", plan=Plan(after_polls=0, file=CsvFile(content=LITERAL))),
                export("empty", plan=Plan(after_polls=0, file=CsvFile(content=b""))),
                export("header only", plan=Plan(after_polls=0, file=CsvFile(rows=0))),
                export("rangeless", plan=Plan(after_polls=0, file=FILE, ignores_ranges=True)),
            )
        )
    )
    return found


@pytest.fixture
async def served(system: HoldingsIq) -> AsyncIterator[Sandbox]:
    async with Sandbox([system]) as running:
        yield running


async def record_of(http: aiohttp.ClientSession, served: Sandbox, export_id: str) -> JsonValue:
    url = f"{served.holdingsiq_url}/rm/rmaccounts/api/exports/{export_id}"
    async with http.get(url, headers=HOLDINGSIQ_HEADERS) as response:
        record: JsonValue = await response.json()
        return record


async def link_to(http: aiohttp.ClientSession, served: Sandbox, export_id: str = "large") -> str:
    return str(at(await record_of(http, served, export_id), "links", 0, "href"))


async def download(
    http: aiohttp.ClientSession, link: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, Mapping[str, str], bytes]:
    async with http.request(method, link, headers=headers) as response:
        return response.status, response.headers, await response.read()


def error(body: bytes, member: str = "Code") -> str | None:
    return ElementTree.fromstring(body.decode().partition("\n")[2]).findtext(member)  # noqa: S314 the sandbox's own


async def test_a_link_lies_outside_the_api_and_looks_presigned(served: Sandbox, http: aiohttp.ClientSession) -> None:
    link = urlsplit(await link_to(http, served))

    assert f"{link.scheme}://{link.netloc}" == served.url
    assert link.path == "/holdingsiq/s3/cdn.hhm.ebsco.com/api/large/apiExport_kbart2_csv"
    assert [parameter.partition("=")[0] for parameter in link.query.split("&")] == [
        "response-content-disposition", "X-Amz-Security-Token", "X-Amz-Algorithm", "X-Amz-Date",
        "X-Amz-SignedHeaders", "X-Amz-Expires", "X-Amz-Credential", "X-Amz-Signature",
    ]  # fmt: skip
    assert "X-Amz-Expires=604800" in link.query


async def test_the_whole_file_comes_with_length_and_tag(served: Sandbox, http: aiohttp.ClientSession) -> None:
    record = await record_of(http, served, "large")

    status, headers, body = await download(http, str(at(record, "links", 0, "href")))

    assert (status, body == BODY) == (200, True)
    assert at(record, "size") == len(BODY) == int(headers["Content-Length"])
    assert headers["ETag"].startswith('"')
    assert (headers["Content-Type"], headers["Accept-Ranges"]) == ("text/csv", "bytes")
    assert headers["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert headers["Content-Disposition"] == 'attachment; filename="apiExport_kbart2_csv.csv";'


@pytest.mark.parametrize(
    ("export_id", "expected"),
    [
        ("literal", LITERAL),
        ("empty", b""),
        ("header only", b"".join(GeneratedRows("KBART2", CsvFile(rows=0)).pieces())),
    ],
)
async def test_a_file_may_be_given_empty_or_without_rows(
    served: Sandbox, http: aiohttp.ClientSession, export_id: str, expected: bytes
) -> None:
    status, headers, body = await download(http, await link_to(http, served, export_id))

    assert (status, body, headers["Content-Length"]) == (200, expected, str(len(expected)))


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-", 0, len(BODY)),
        ("bytes=300001-", 300_001, len(BODY)),
        ("bytes=5-9", 5, 10),
        ("bytes=600000-99999999", 600_000, len(BODY)),
        ("bytes=-7", len(BODY) - 7, len(BODY)),
        ("bytes=-99999999", 0, len(BODY)),
    ],
)
async def test_a_range_is_answered_with_206_and_its_place(
    served: Sandbox, http: aiohttp.ClientSession, wanted: str, start: int, stop: int
) -> None:
    link = await link_to(http, served)
    _, whole, _ = await download(http, link)

    status, headers, body = await download(http, link, {"Range": wanted})

    assert (status, body == BODY[start:stop]) == (206, True)
    assert headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(BODY)}"
    assert (headers["Content-Length"], headers["ETag"]) == (str(stop - start), whole["ETag"])


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "rows=0-1", "bytes=-", "bytes=x-"])
async def test_what_is_no_single_range_gets_the_whole_file(
    served: Sandbox, http: aiohttp.ClientSession, wanted: str
) -> None:
    status, _, body = await download(http, await link_to(http, served), {"Range": wanted})

    assert (status, len(body)) == (200, len(BODY))


@pytest.mark.parametrize(("export_id", "start"), [("large", len(BODY)), ("empty", 0)])
async def test_a_range_beyond_the_end_is_416(
    served: Sandbox, http: aiohttp.ClientSession, export_id: str, start: int
) -> None:
    link = await link_to(http, served, export_id)

    status, headers, body = await download(http, link, {"Range": f"bytes={start}-"})

    assert (status, error(body), headers["Content-Range"]) == (416, "InvalidRange", f"bytes */{start}")


async def test_a_server_may_ignore_ranges(served: Sandbox, http: aiohttp.ClientSession) -> None:
    link = await link_to(http, served, "rangeless")

    status, headers, body = await download(http, link, {"Range": "bytes=5-"})

    assert (status, len(body)) == (200, len(BODY))
    assert "Accept-Ranges" not in headers


async def test_conditions_on_the_tag_are_kept(served: Sandbox, http: aiohttp.ClientSession) -> None:
    link = await link_to(http, served)
    tag = (await download(http, link))[1]["ETag"]

    found = [
        (await download(http, link, {"Range": "bytes=5-", **condition}))[0]
        for condition in ({"If-Match": tag}, {"If-Match": '"x"'}, {"If-Range": tag}, {"If-Range": '"x"'})
    ]

    assert found == [206, 412, 206, 200]


@pytest.mark.parametrize("name", ["x-api-key", "X-Api-Key", "api_key", "Authorization", "X-Okapi-Token"])
async def test_a_download_that_carries_a_secret_is_refused_and_seen_in_the_ledger(
    served: Sandbox, http: aiohttp.ClientSession, name: str
) -> None:
    link = await link_to(http, served)

    status, headers, body = await download(http, link, {name: "sandbox-holdingsiq-key"})

    assert (status, headers["Content-Type"], error(body)) == (400, "application/xml", "InvalidArgument")
    entry = served.ledger.entries(after=1)[0]
    assert (entry.status, entry.applied, entry.call.header(name)) == (400, False, "***")


async def test_the_ledger_has_the_path_of_a_download_without_what_signs_it(
    served: Sandbox, http: aiohttp.ClientSession
) -> None:
    link = await link_to(http, served)
    await download(http, link, {"Range": "bytes=3-"})

    entry = served.ledger.entries(after=1)[0]
    assert (entry.system, entry.method, entry.status, entry.applied) == ("holdingsiq", "GET", 206, True)
    assert (entry.path, entry.entities) == ("/s3/cdn.hhm.ebsco.com/api/large/apiExport_kbart2_csv", ("large",))
    assert (entry.call.header("x-api-key"), entry.call.header("range")) == (None, "bytes=3-")
    for name in ("X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Credential"):
        assert entry.call.query[name] == "***"


async def test_a_download_is_no_call_of_the_quota(
    served: Sandbox, http: aiohttp.ClientSession, system: HoldingsIq
) -> None:
    link = await link_to(http, served)
    before = system.customer("api").quota.used

    await download(http, link)

    assert system.customer("api").quota.used == before


async def test_an_expired_link_is_403_and_a_fresh_one_is_had_by_reading_the_record(
    served: Sandbox, http: aiohttp.ClientSession, clock: Clock
) -> None:
    link = await link_to(http, served)
    clock.now += 1799.9
    assert (await download(http, link))[0] == 200
    clock.now += 0.2

    status, headers, body = await download(http, link)

    assert (status, headers["Content-Type"]) == (403, "application/xml")
    assert [error(body, member) for member in ("Code", "Message", "X-Amz-Expires", "Expires")] == [
        "AccessDenied", "Request has expired", "1800", "2023-11-14T22:43:20Z",
    ]  # fmt: skip
    fresh = await link_to(http, served)
    assert fresh != link
    assert (await download(http, fresh))[0] == 200


async def test_links_live_as_long_as_is_told_and_keep_their_time(
    served: Sandbox, http: aiohttp.ClientSession, clock: Clock, system: HoldingsIq
) -> None:
    long_lived = await link_to(http, served)
    system.load({"linkSeconds": 0.25, "expiredLinks": "ExpiredToken"})
    short_lived = await link_to(http, served)
    assert (await download(http, short_lived))[0] == 200
    clock.now += 0.25

    status, _, body = await download(http, short_lived)

    assert (status, error(body)) == (400, "ExpiredToken")
    assert (await download(http, long_lived))[0] == 200


async def test_all_links_can_be_ended_at_once(
    served: Sandbox, http: aiohttp.ClientSession, clock: Clock, system: HoldingsIq
) -> None:
    link = await link_to(http, served)
    clock.now += 1
    system.expire_links()

    assert (await download(http, link))[0] == 403
    assert (await download(http, await link_to(http, served)))[0] == 200


async def test_a_link_that_was_changed_or_has_no_signature_is_403(served: Sandbox, http: aiohttp.ClientSession) -> None:
    link = await link_to(http, served)

    for changed, code in (
        (link.replace("/large/", "/literal/"), "SignatureDoesNotMatch"),
        (link.replace("604800", "604801"), "SignatureDoesNotMatch"),
        (link.replace("X-Amz-Signature=", "X-Amz-Signature=f"), "SignatureDoesNotMatch"),
        (link.partition("?")[0], "AccessDenied"),
    ):
        status, _, body = await download(http, changed)
        assert (status, error(body)) == (403, code)
    assert (await download(http, link, method="DELETE"))[0] == 403


async def test_the_file_of_a_deleted_export_is_gone(
    served: Sandbox, http: aiohttp.ClientSession, system: HoldingsIq
) -> None:
    link = await link_to(http, served)
    system.handle(holdingsiq_call("DELETE", "/api/exports/large"))

    status, _, body = await download(http, link)

    assert (status, error(body)) == (404, "NoSuchKey")


async def test_a_download_that_breaks_off_is_carried_on_where_it_ended(
    served: Sandbox, http: aiohttp.ClientSession
) -> None:
    link = await link_to(http, served)
    served.faults.add(Fault(system="holdingsiq", path_contains="/s3/", cut_after_bytes=300_000, times=1))

    arrived = bytearray()
    async with http.get(link) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await _take_all(response.content, arrived)
    _, _, rest = await download(http, link, {"Range": f"bytes={len(arrived)}-"})

    assert len(arrived) == 300_000
    assert bytes(arrived) + rest == BODY


async def test_creating_reading_listing_and_downloading_fail_apart_from_each_other(
    served: Sandbox, http: aiohttp.ClientSession
) -> None:
    link = await link_to(http, served)
    exports = f"{served.holdingsiq_url}/rm/rmaccounts/api/exports"
    calls = [("POST", exports), ("GET", exports), ("GET", f"{exports}/large"), ("GET", link)]
    found: dict[str, list[int]] = {}
    for fault in (
        Fault(name="create", method="POST", status=500, times=1),
        Fault(name="list", method="GET", path_ends_with="/exports", status=500, times=1),
        Fault(name="read", method="GET", path_contains="/exports/", status=500, times=1),
        Fault(name="download", path_contains="/s3/", status=500, times=1),
    ):
        served.faults.add(fault)
        found[str(fault.name)] = []
        for method, url in calls:
            headers = None if url == link else HOLDINGSIQ_HEADERS
            async with http.request(method, url, headers=headers, data=b"{}" if method == "POST" else None) as response:
                found[str(fault.name)].append(response.status)

    assert found == {
        "create": [500, 200, 200, 200],
        "list": [400, 500, 200, 200],
        "read": [400, 200, 500, 200],
        "download": [400, 200, 200, 500],
    }


async def test_a_creation_whose_answer_is_lost_is_found_in_the_list(
    served: Sandbox, http: aiohttp.ClientSession
) -> None:
    served.faults.add(Fault(system="holdingsiq", method="POST", drop="after", times=1))
    url = f"{served.holdingsiq_url}/rm/rmaccounts/new/exports"

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await http.post(url, json={"type": "COST", "format": "csv"}, headers=HOLDINGSIQ_HEADERS)

    async with http.get(url, headers=HOLDINGSIQ_HEADERS) as response:
        assert [record["type"] for record in await response.json()] == ["COST"]


def test_a_link_is_below_the_address_that_the_client_used(system: HoldingsIq) -> None:
    call = holdingsiq_call("GET", "/api/exports/literal")
    reached = Call(call.method, call.path, {}, call.headers, base_url="http://sandbox.internal:9130/holdingsiq")

    assert b'"href":"http://sandbox.internal:9130/holdingsiq/s3/' in system.handle(reached).body


async def _take_all(content: aiohttp.StreamReader, into: bytearray) -> None:
    async for piece in content.iter_any():
        into.extend(piece)
