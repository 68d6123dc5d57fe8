"""Presigned links: made for a file, and judged when one comes back.

Owns the parameters of a link and its signature. It must not know what is behind it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias
from urllib.parse import quote, urlencode

BUCKET: Final = "/s3/cdn.hhm.ebsco.com"
"""Where the files are, below the system's base and outside `/rm`; the real ones are on another host."""

Verdict: TypeAlias = Literal["good", "unsigned", "forged", "expired"]

_SECRET: Final = b"sandbox"
_WEEK_SECONDS: Final = 604_800
_MICRO: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Validity:
    """When a link was made and how long it is good, in epoch seconds and seconds."""

    issued: float
    seconds: float

    @property
    def until(self) -> float:
        """The second at which it is over."""
        return self.issued + self.seconds

    def token(self) -> str:
        """The validity as a security token, to the microsecond; the other parameters know seconds alone."""
        text = f"{round(self.issued * _MICRO)}/{round(self.seconds * _MICRO)}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def presign(base_url: str, path: str, file_name: str, validity: Validity) -> str:
    """A link to a path below the base. `X-Amz-Expires` says a week, whatever the truth, as the published sample does
    beside a text that promises thirty minutes: the token that it carries ends earlier.
    """
    date = datetime.fromtimestamp(validity.issued, UTC).strftime("%Y%m%dT%H%M%SZ")
    parameters = {
        "response-content-disposition": f'attachment; filename="{file_name}.csv";',
        "X-Amz-Security-Token": validity.token(),
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Date": date,
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Expires": str(_WEEK_SECONDS),
        "X-Amz-Credential": f"SANDBOX/{date[:8]}/us-east-1/s3/aws4_request",
    }
    parameters["X-Amz-Signature"] = _signature(path, parameters)
    return f"{base_url}{quote(path)}?{urlencode(parameters, quote_via=quote)}"


def judge(path: str, query: Mapping[str, str], now: float) -> Verdict:
    """Whether a link may be used; any change of path or parameters forges it."""
    signature = query.get("X-Amz-Signature")
    if signature is None:
        return "unsigned"
    signed = {name: value for name, value in query.items() if name != "X-Amz-Signature"}
    if not hmac.compare_digest(signature.encode(), _signature(path, signed).encode()):
        return "forged"
    return "good" if now < validity_of(query).until else "expired"


def validity_of(query: Mapping[str, str]) -> Validity:
    """The validity of a link whose signature is right."""
    token = query["X-Amz-Security-Token"]
    issued, seconds = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split("/")
    return Validity(int(issued) / _MICRO, int(seconds) / _MICRO)


def _signature(path: str, parameters: Mapping[str, str]) -> str:
    text = "\n".join([path, *(f"{name}={parameters[name]}" for name in sorted(parameters))])
    return hmac.new(_SECRET, text.encode(), hashlib.sha256).hexdigest()
