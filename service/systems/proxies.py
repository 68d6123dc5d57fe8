"""Which proxy a call goes through, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY, looked up once per origin."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import httpx


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy's address without credentials, and what its Proxy-Authorization header has to say."""

    url: str
    authorization: str | None = None


def environment_proxy(url: httpx.URL) -> Proxy | None:
    """The proxy that the customary variables name for `url`; None for a direct call.

    Asked by the transport once per origin. A ~/.netrc is not read: nobody configured it here.
    """
    host = url.host if url.port is None else f"{url.host}:{url.port}"
    if proxy_bypass(host):
        return None
    address = getproxies().get(url.scheme)
    return _proxy_of(address) if address else None


def _proxy_of(address: str) -> Proxy:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    netloc = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, netloc, parts.path, "", ""))
    if parts.username is None:
        return Proxy(url)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(url, "Basic " + b64encode(credentials.encode()).decode("ascii"))
