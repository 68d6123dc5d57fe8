"""What S3 answers to a presigned link: the file or a stretch of it, and refusals in XML.

Owns the headers and words of S3. It must not know exports: it is handed a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final
from xml.sax.saxutils import escape

from service.sandbox.content import Content, Stretch
from service.sandbox.exchange import Call, Reply
from service.sandbox.holdingsiq.links import Validity
from service.sandbox.ledger import SECRET_HEADERS

_RANGE: Final = re.compile(r"bytes=(?:(\d+)-(\d*)|-(\d+))")
_REQUEST_ID: Final = "4442587FB7D0A2F9"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as S3 keeps it. `etag` is quoted; `modified` is epoch seconds."""

    content: Content
    etag: str
    modified: float
    ignores_ranges: bool = False


def double_authentication(call: Call) -> Reply | None:
    """The refusal of a request that carries credentials beside its signed parameters; None when it has none.

    S3 itself refuses `Authorization` alone. The sandbox takes every secret header, so that a key that has leaked to
    the host of the downloads is seen.
    """
    if not any(name.lower() in SECRET_HEADERS for name, _ in call.headers):
        return None
    message = (
        "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter"
        " or the Authorization header should be specified"
    )
    return xml_refusal(400, "InvalidArgument", message, ArgumentName="Authorization", ArgumentValue="***")


def expired(validity: Validity, now: float) -> Reply:
    """The refusal of a link whose time is over."""
    return xml_refusal(
        403,
        "AccessDenied",
        "Request has expired",
        **{"X-Amz-Expires": f"{validity.seconds:g}", "Expires": _iso(validity.until), "ServerTime": _iso(now)},
    )


def expired_token() -> Reply:
    """The same, in the words for a link whose token has ended before its `X-Amz-Expires`."""
    return xml_refusal(400, "ExpiredToken", "The provided token has expired.")


def forged() -> Reply:
    """The refusal of a link that was changed, or used with another method than GET."""
    message = "The request signature we calculated does not match the signature you provided."
    return xml_refusal(403, "SignatureDoesNotMatch", message)


def unsigned() -> Reply:
    """The refusal of a path without signature."""
    return xml_refusal(403, "AccessDenied", "Access Denied")


def gone(path: str) -> Reply:
    """The refusal of a link to a file that was deleted."""
    return xml_refusal(404, "NoSuchKey", "The specified key does not exist.", Key=path.lstrip("/"))


def xml_refusal(status: int, code: str, message: str, **details: str) -> Reply:
    """An error of S3."""
    members = {"Code": code, "Message": message, **details, "RequestId": _REQUEST_ID, "HostId": "sandbox"}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in members.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'
    return Reply(status, body.encode(), "application/xml", (("x-amz-request-id", _REQUEST_ID),))


def deliver(file: StoredFile, call: Call) -> Reply:
    """200 with the file, 206 with a stretch of it, 412 when `If-Match` names another, 416 for a range beyond its end.

    A range beside an `If-Range` that names another file, several ranges, and what is no range get the whole file.
    """
    wanted = call.header("if-match")
    if wanted is not None and wanted not in ("*", file.etag):
        message = "At least one of the pre-conditions you specified did not hold"
        return xml_refusal(412, "PreconditionFailed", message, Condition="If-Match")
    headers = (
        *(() if file.ignores_ranges else (("Accept-Ranges", "bytes"),)),
        ("ETag", file.etag),
        ("Last-Modified", format_datetime(datetime.fromtimestamp(file.modified, UTC), usegmt=True)),
        *_disposition(call.query),
    )
    size = file.content.size
    found = None if file.ignores_ranges else _RANGE.fullmatch(call.header("range") or "")
    if found is None or call.header("if-range") not in (None, file.etag):
        return Reply(200, content_type="text/csv", headers=headers, content=file.content)
    start, stop = _bounds(found, size)
    if start >= stop:
        reply = xml_refusal(416, "InvalidRange", "The requested range is not satisfiable", ActualObjectSize=str(size))
        return Reply(416, reply.body, reply.content_type, (*reply.headers, ("Content-Range", f"bytes */{size}")))
    place = ("Content-Range", f"bytes {start}-{stop - 1}/{size}")
    return Reply(206, content_type="text/csv", headers=(*headers, place), content=Stretch(file.content, start, stop))


def _bounds(found: re.Match[str], size: int) -> tuple[int, int]:
    first, last, suffix = found.groups()
    if suffix is not None:
        return max(0, size - int(suffix)), size
    return int(first), min(size, int(last) + 1) if last else size


def _disposition(query: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    value = query.get("response-content-disposition")
    return () if value is None else (("Content-Disposition", value),)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
