"""Answers that are nearly a system's: any status, any header, and a body that is nearly right or not at all."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import httpx
from hypothesis import strategies as st

from tests.fuzz.hostile import ODD_TEXTS, as_bytes, raw_bytes, spoilt
from tests.fuzz.mutations import mutated

_RESOURCE: Final = {
    "data": {
        "id": "22-1-2",
        "type": "resources",
        "attributes": {
            "name": "A journal",
            "isSelected": True,
            "coverageStatement": "old",
            "url": "https://a.example",
            "isTitleCustom": False,
            "customCoverages": [{"beginCoverage": "2003-01-01", "endCoverage": "2004-01-01"}],
            "customEmbargoPeriod": {"embargoUnit": "Months", "embargoValue": 6},
            "visibilityData": {"isHidden": False, "reason": ""},
            "proxy": {"id": "<n>", "inherited": True},
            "tags": {"tagList": ["law"]},
            "userDefinedField1": "x",
        },
        "relationships": {
            "accessType": {"data": {"type": "accessTypes", "id": "2f6c1b0e-9d57-4a3c-8e21-7b40d5c9aa13"}}
        },
    },
    "jsonapi": {"version": "1.0"},
}
_JSON_API_ERROR: Final = {
    "errors": [{"title": "Resource not found", "detail": "already there"}],
    "jsonapi": {"version": "1"},
}
_RMB_ERROR: Final = {
    "errors": [{"message": "value already exists", "type": "1", "parameters": [{"key": "name", "value": "Mine"}]}],
    "total_records": 1,
}
_METRICS: Final = {
    entity: {verb: {"COMPLETED": 1, "FAILED": 0, "SKIPPED": 0, "PENDING": 0} for verb in ("CREATE", "UPDATE", "DELETE")}
    for entity in ("INSTANCE", "HOLDINGS_RECORD", "ITEM", "INSTANCE_RELATIONSHIP")
}
_REPORT: Final = {
    "category": "STORAGE",
    "message": {"errors": [{"message": "does not exist in holdings_records_source"}]},
    "statusCode": 422,
    "shortMessage": "One or more errors",
    "entityType": "ITEM",
    "entity": {"hrid": "it1"},
    "details": {},
}
_SCSB_PLACE: Final = {
    "owningInstitutionBibId": "1",
    "owningInstitutionHoldingsId": "h1",
    "owningInstitutionItemId": "i1",
}
_SCSB_REQUEST: Final = {
    "source": _SCSB_PLACE,
    "destination": {**_SCSB_PLACE, "owningInstitutionBibId": "2", "owningInstitutionHoldingsId": "h2"},
}

_EXPORT: Final = {
    "id": "x1",
    "custId": "c1",
    "type": "KBART2",
    "status": "QUEUED",
    "created": "2023-06-01T19:31:40.241315Z",
    "format": "CSV",
    "size": 120,
    "customerHoldingsCounts": {"totalResourceCount": "2", "uniqueResourceCount": "2"},
}
FILES: Final = (
    b"publication_title,title_id,package_id,vendor_id,access_type\nA,1,2,3,P\nB,4,5,6,F\n",
    b'\xef\xbb\xbfKBID \tTitle\tPackageID\tVendorID\n1\t"a ""quoted""\ntitle"\t2\t3\n',
    b'title_id;package_id;vendor_id\n1;2\n1;2;3;4\n"never closed',
    b"\xff\xfea\x00,\x00b\x00",
    b"a,a,,\n1,2,3,4\n",
    b"",
)

BODIES: Final[dict[str, tuple[Any, ...]]] = {
    "eholdings": (_RESOURCE, _RESOURCE, _JSON_API_ERROR),
    "inventory": (
        {"metrics": _METRICS},
        {"metrics": _METRICS, "errors": [_REPORT]},
        {"metrics": {"INSTANCE": {"DELETE": {"SKIPPED": 1}}}},
        _RMB_ERROR,
        {"holdingsRecordsSources": [{"id": "s1", "name": "Mine", "source": "local"}], "totalRecords": 1},
    ),
    "holdings-sources": (
        {"holdingsRecordsSources": [{"id": "s1", "name": "Mine", "source": "local"}], "totalRecords": 1},
        {"holdingsRecordsSources": [], "totalRecords": 0},
        {"id": "s1", "name": "Mine", "source": "folio"},
        _RMB_ERROR,
    ),
    "scsb": (
        {
            "message": "Success",
            "holdingTransferResponses": None,
            "itemTransferResponses": [{"message": "Successfully relinked", "itemTransferRequest": _SCSB_REQUEST}],
        },
        {"message": "Unknow institution", "holdingTransferResponses": None, "itemTransferResponses": None},
        {
            "message": "Failed",
            "holdingTransferResponses": [],
            "itemTransferResponses": [{"message": "Relinked Failed"}],
        },
    ),
    "holdingsiq": (
        _EXPORT | {"status": "COMPLETED", "links": [{"href": "http://files/f?X-Amz-Signature=s", "rel": "download"}]},
        _EXPORT,
        [_EXPORT, _EXPORT | {"id": "x2"}],
        {"errors": [{"code": 1006, "message": "no", "subcode": 0}]},
        {"Errors": [{"Code": 1001, "Message": "not found", "SubCode": 0}]},
        {"message": "Limit Exceeded"},
    ),
    "login": ({"accessTokenExpiration": "2030-01-01T00:00:00Z", "refreshTokenExpiration": "x"}, _RMB_ERROR),
}

STATUSES: Final = (
    *(200,) * 20,
    *(422,) * 4,
    201,
    202,
    204,
    206,
    207,
    301,
    304,
    400,
    401,
    403,
    404,
    408,
    409,
    413,
    422,
    425,
    429,
    500,
    502,
    503,
    504,
    0,
    100,
    199,
    299,
    418,
    599,
    600,
    999,
)
RETRY_AFTERS: Final = (
    "",
    " ",
    "0",
    "7",
    "-1",
    "1.5",
    "1e9",
    "9" * 400,
    "NaN",
    "inf",
    "Wed, 21 Oct 2015 07:28:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Fri, 31 Dec 99999 23:59:59 GMT",
    "Wed, 21 Oct 2030 25:61:61 GMT",
    "soon",
    "٣",
    "1, 2",
    "Wed, 21 Oct 2030 07:28:00 +9999",
    "Wed, 21 Oct 2030 07:28:00 -2400",
    "1 Jan 1 00:00",
    ";" * 5000,
    "(" * 500,
    '"' * 99,
    "Wed,",
)
COOKIES: Final = (
    "folioAccessToken=t1; Max-Age=600; Path=/; Secure; HttpOnly",
    "folioAccessToken=",
    "folioAccessToken",
    ";;;=;",
    "folioAccessToken=t1; Max-Age=" + "9" * 400,
    "folioAccessToken=t1; Max-Age=-5",
    "folioAccessToken=t1; max-age=0",
    "folioAccessToken=t\xe9",
    "folioAccessToken=a b",
    "folioAccessToken=a\x00b",
    "folioAccessToken=a\x7f",
    "other=1",
    "folioAccessToken=" + "x" * 20_000,
    "folioAccessToken=t1; Max-Age=٣",
    " folioAccessToken = t1",
)
CONTENT_TYPES: Final = (
    "application/json",
    "application/vnd.api+json",
    "text/html",
    "text/plain; charset=utf-16",
    "charset=",
    "\xff",
    "",
    "a/b" * 5000,
)
ENCODINGS: Final = ("gzip", "deflate", "br", "zstd", "gzip, gzip", "identity", "\xff", "", "x-gzip")
ERRORS: Final = (
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("late"),
    httpx.ReadTimeout("late"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("closed"),
    httpx.DecodingError("bad"),
    httpx.UnsupportedProtocol("what"),
    httpx.PoolTimeout("full"),
)


def _gzipped(body: bytes) -> bytes:
    return gzip.compress(body, mtime=0)


_COMPRESSIONS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": _gzipped,
    "x-gzip": _gzipped,
    "deflate": zlib.compress,
}


@dataclass(frozen=True, slots=True)
class NearAnswer:
    """What a call comes to: an error of the transport, or an answer as its bytes."""

    error: Exception | None = None
    status: int = 200
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    def __call__(self) -> httpx.Response:
        """Anew for every call; raises where there is no answer."""
        if self.error is not None:
            raise self.error
        return httpx.Response(self.status, headers=list(self.headers), stream=httpx.ByteStream(self.body))


_HEADERS: Final = st.one_of(
    st.tuples(st.just("Retry-After"), st.sampled_from(RETRY_AFTERS)),
    st.tuples(st.just("Set-Cookie"), st.sampled_from(COOKIES)),
    st.tuples(st.just("Content-Type"), st.sampled_from(CONTENT_TYPES)),
    st.tuples(
        st.sampled_from(("Location", "X-Odd", "Content-Length", "Transfer-Encoding", "")), st.sampled_from(ODD_TEXTS)
    ),
)


@st.composite
def near_answers(draw: st.DrawFn, system: str) -> NearAnswer:
    """One answer of a system, more often plausible than not."""
    if draw(st.integers(0, 15)) == 15:
        return NearAnswer(draw(st.sampled_from(ERRORS)))
    near = spoilt(mutated(BODIES[system], 2).map(as_bytes), 10)
    body = draw(raw_bytes if draw(st.integers(0, 7)) == 7 else near)
    if system == "holdingsiq" and draw(st.integers(0, 2)) == 2:
        body = draw(spoilt(st.sampled_from(FILES), 10))
    headers = draw(st.lists(_HEADERS, max_size=2))
    if system == "login":
        headers.append(("Set-Cookie", draw(st.sampled_from(COOKIES))))
    if draw(st.integers(0, 7)) == 7:
        encoding = draw(st.sampled_from(ENCODINGS))
        headers.append(("Content-Encoding", encoding))
        if draw(st.booleans()):
            body = _COMPRESSIONS.get(encoding, bytes)(body)
    status = draw(st.sampled_from(STATUSES))
    return NearAnswer(None, status, tuple((name.encode(), text.encode("utf-8")) for name, text in headers), body)


def scripts(system: str) -> st.SearchStrategy[tuple[NearAnswer, ...]]:
    """The answers to the calls of one attempt, in their order; the last is given to all further ones."""
    return st.lists(near_answers(system), min_size=1, max_size=1 if system == "login" else 3).map(tuple)
