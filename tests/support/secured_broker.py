"""A real broker with a listener for every way of security, and the certificates and users for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives import serialization

from service.sandbox.broker import LocalBroker, Security
from service.sandbox.kafka_distribution import fetch_distribution
from service.settings import KafkaSettings
from tests.support.oauth_server import AUDIENCE, CLIENT_ID, CLIENT_SECRET, ISSUER, OAuthServer

USER, PASSWORD = "relay", "relay-password"
LIMITED, LIMITED_PASSWORD = "limited", "limited-password"
KEY_PASSWORD = "key-password"
RENEWED_SECONDS = 5
"""Connections on the listener RENEWED end when their token does, or after this."""

TLS, MUTUAL, SASL_TLS, SASL, RENEWED = "TLS", "MUTUAL", "SASLTLS", "SASL", "RENEWED"
_MECHANISMS = "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER"


class Certificates:
    """An authority with a broker's and a client's certificate, and an authority that nobody knows."""

    def __init__(self, folder: Path) -> None:
        authority, stranger = trustme.CA(), trustme.CA()
        self.ca = _write(folder / "ca.pem", authority.cert_pem.bytes())
        self.unknown_ca = _write(folder / "unknown-ca.pem", stranger.cert_pem.bytes())
        server, client = authority.issue_cert("127.0.0.1"), authority.issue_cert("relay.example", common_name=USER)
        self.server = _write(folder / "server.pem", _key(server) + _chain(server))
        self.client = _write(folder / "client.pem", _chain(client))
        self.client_key = _write(folder / "client.key", _key(client, KEY_PASSWORD))
        self.client_key_in_clear = _write(folder / "client-in-clear.key", _key(client))
        foreign = stranger.issue_cert("relay.example")
        self.foreign_client = _write(folder / "foreign.pem", _chain(foreign))
        self.foreign_key = _write(folder / "foreign.key", _key(foreign))


@dataclass(frozen=True, slots=True)
class SecuredBroker:
    """What tests hold on to."""

    broker: LocalBroker
    certificates: Certificates
    oauth: OAuthServer

    def settings(self, listener: str | None, **settings: Any) -> KafkaSettings:
        """Settings for one listener; None is the open one."""
        servers = self.broker.bootstrap_servers if listener is None else self.broker.servers_of(listener)
        return KafkaSettings.model_validate({"bootstrap_servers": servers, **settings})

    @property
    def trusted(self) -> dict[str, Any]:
        """The settings that trust the broker."""
        return {"ssl_cafile": self.certificates.ca}

    @property
    def oauth_client(self) -> dict[str, Any]:
        """The settings of the client that the authorisation server knows."""
        return {
            "sasl_mechanism": "OAUTHBEARER",
            "sasl_oauth_token_url": self.oauth.token_url,
            "sasl_oauth_client_id": CLIENT_ID,
            "sasl_oauth_client_secret": CLIENT_SECRET,
        }

    def let_describe_topics(self, user: str) -> None:
        """An ACL by Kafka's own tool: the user may see topics and their settings, and nothing else."""
        distribution = fetch_distribution(lambda _: None)
        command = (
            *(str(distribution.java), "-cp", distribution.class_path, "org.apache.kafka.tools.AclCommand"),
            *("--bootstrap-server", self.broker.bootstrap_servers, "--add", "--allow-principal", f"User:{user}"),
            *("--operation", "Describe", "--operation", "DescribeConfigs", "--topic", "*"),
        )
        asyncio.run(_run(*command))


@contextmanager
def secured_broker(folder: Path) -> Iterator[SecuredBroker]:
    """Blocks while the broker starts."""
    certificates = Certificates(folder)
    with OAuthServer() as oauth:
        security = Security(
            protocols={
                TLS: "SSL",
                MUTUAL: "SSL",
                SASL_TLS: "SASL_SSL",
                SASL: "SASL_PLAINTEXT",
                RENEWED: "SASL_PLAINTEXT",
            },
            scram_users=tuple(
                f"{mechanism}=[name={USER},password={PASSWORD}]" for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            ),
            system_properties={"org.apache.kafka.sasl.oauthbearer.allowed.urls": oauth.keys_url},
        )
        broker = LocalBroker(properties=_properties(certificates, oauth), security=security)
        asyncio.run(broker.start())
        try:
            yield SecuredBroker(broker, certificates, oauth)
        finally:
            asyncio.run(broker.stop())


def _properties(certificates: Certificates, oauth: OAuthServer) -> dict[str, str]:
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.ca),
        "listener.name.mutual.ssl.client.auth": "required",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:ANONYMOUS;User:{USER}",
        "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/",
        "sasl.oauthbearer.jwks.endpoint.url": oauth.keys_url,
        "sasl.oauthbearer.expected.audience": AUDIENCE,
        "sasl.oauthbearer.expected.issuer": ISSUER,
    }
    for listener in (SASL_TLS, SASL, RENEWED):
        prefix = f"listener.name.{listener.lower()}"
        security = "org.apache.kafka.common.security"
        users = "".join(f' user_{name}="{word}"' for name, word in ((USER, PASSWORD), (LIMITED, LIMITED_PASSWORD)))
        properties |= {
            f"{prefix}.sasl.enabled.mechanisms": _MECHANISMS,
            f"{prefix}.plain.sasl.jaas.config": f"{security}.plain.PlainLoginModule required{users};",
            f"{prefix}.oauthbearer.sasl.jaas.config": f"{security}.oauthbearer.OAuthBearerLoginModule required;",
            f"{prefix}.oauthbearer.sasl.server.callback.handler.class": (
                f"{security}.oauthbearer.OAuthBearerValidatorCallbackHandler"
            ),
        }
        for mechanism in ("scram-sha-256", "scram-sha-512"):
            properties[f"{prefix}.{mechanism}.sasl.jaas.config"] = f"{security}.scram.ScramLoginModule required;"
    properties[f"listener.name.{RENEWED.lower()}.oauthbearer.connections.max.reauth.ms"] = str(RENEWED_SECONDS * 1000)
    return properties


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise AssertionError(printed.decode())


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _chain(certificate: trustme.LeafCert) -> bytes:
    return b"".join(blob.bytes() for blob in certificate.cert_chain_pems)


def _key(certificate: trustme.LeafCert, password: str | None = None) -> bytes:
    """In the one form that both Java and OpenSSL read."""
    key = serialization.load_pem_private_key(certificate.private_key_pem.bytes(), None)
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
