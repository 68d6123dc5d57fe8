"""Which settings Kafka's security protocols and SASL mechanisms need. Pure; names are those of the settings' fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

TLS_PROTOCOLS: Final = ("SSL", "SASL_SSL")
SASL_PROTOCOLS: Final = ("SASL_PLAINTEXT", "SASL_SSL")
OAUTH: Final = "OAUTHBEARER"
SASL_NEEDS: Final = {
    **dict.fromkeys(("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), ("sasl_username", "sasl_password")),
    OAUTH: ("sasl_oauth_token_url", "sasl_oauth_client_id", "sasl_oauth_client_secret"),
}


def missing_in(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names that are needed beside others of `given` and are not there, each with why."""
    protocol, mechanism = given.get("security_protocol"), given.get("sasl_mechanism")
    if protocol in SASL_PROTOCOLS:
        if not mechanism:
            yield "sasl_mechanism", f"is needed with {protocol}"
        elif mechanism in SASL_NEEDS:
            for name in SASL_NEEDS[mechanism]:
                if not given.get(name):
                    yield name, f"is needed with {mechanism}"
    for one, other in (("ssl_certfile", "ssl_keyfile"), ("ssl_keyfile", "ssl_certfile")):
        if given.get(one) and not given.get(other):
            yield other, f"is needed with {one.upper()}"
