"""Kafka's security on a real broker: what is taken, what is refused in which words, and what an ending token does."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from service.domain.checks import Standing
from service.domain.record import Partition
from service.engine.ports import Outgoing, SourceUnavailable, StoreUnavailable
from service.kafka.checks import check_kafka
from service.kafka.publisher import publish_all
from service.kafka.reader import read_all
from service.kafka.source import KafkaSource
from service.kafka.stores import TransactionalStores
from service.kafka.topic_admin import ensure_topics, examine_topics
from service.kafka.topics import CHANGES, RESULTS, TOPICS
from service.settings import KafkaSettings
from tests.support.secured_broker import (
    KEY_PASSWORD,
    LIMITED,
    LIMITED_PASSWORD,
    MUTUAL,
    PASSWORD,
    RENEWED,
    RENEWED_SECONDS,
    SASL,
    SASL_TLS,
    TLS,
    USER,
    SecuredBroker,
    secured_broker,
)

pytestmark = [
    pytest.mark.broker,
    pytest.mark.xdist_group("kafka-security"),
    pytest.mark.filterwarnings("ignore:unclosed <StreamWriter:ResourceWarning"),  # see the fixture below
]

PREFIX = "secured."
LOGIN = {"sasl_username": USER, "sasl_password": PASSWORD}


@pytest.fixture(autouse=True)
def _connections_that_were_refused() -> Iterator[None]:
    """aiokafka leaves them to the garbage collector, which complains; it shall do so here, and not in another test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    with secured_broker(tmp_path_factory.mktemp("secured")) as broker:
        asyncio.run(ensure_topics(broker.settings(None), PREFIX))
        yield broker


def ways(secured: SecuredBroker) -> dict[str, KafkaSettings]:
    """Every way that the settings offer, as it should be."""
    own = {"ssl_certfile": secured.certificates.client, "ssl_keyfile": secured.certificates.client_key}
    over_tls = {"security_protocol": "SASL_SSL", **secured.trusted}
    scram = {f"sasl_{n}": {**LOGIN, "sasl_mechanism": f"SCRAM-SHA-{n}"} for n in (256, 512)}
    return {
        "SSL": secured.settings(TLS, security_protocol="SSL", **secured.trusted),
        "SSL with a certificate of one's own": secured.settings(
            MUTUAL, security_protocol="SSL", **secured.trusted, **own, ssl_key_password=KEY_PASSWORD
        ),
        "SASL_SSL PLAIN": secured.settings(SASL_TLS, **over_tls, **LOGIN, sasl_mechanism="PLAIN"),
        "SASL_SSL SCRAM-SHA-256": secured.settings(SASL_TLS, **over_tls, **scram["sasl_256"]),
        "SASL_SSL SCRAM-SHA-512": secured.settings(SASL_TLS, **over_tls, **scram["sasl_512"]),
        "SASL_SSL OAUTHBEARER": secured.settings(SASL_TLS, **over_tls, **secured.oauth_client),
        "SASL_PLAINTEXT SCRAM-SHA-512": secured.settings(SASL, security_protocol="SASL_PLAINTEXT", **scram["sasl_512"]),
        "SASL_PLAINTEXT OAUTHBEARER": secured.settings(
            SASL, security_protocol="SASL_PLAINTEXT", **secured.oauth_client
        ),
    }


class Listening:
    """Holds on to what the group has given us."""

    def __init__(self) -> None:
        self.given: asyncio.Future[Mapping[Partition, int]] = asyncio.get_running_loop().create_future()

    def expelled(self) -> None: ...

    async def revoking(self) -> None:
        """Nothing is under way."""

    async def assigned(self, epochs: Mapping[Partition, int]) -> None:
        if epochs and not self.given.done():
            self.given.set_result(epochs)


async def relay_one(settings: KafkaSettings) -> None:
    """What a worker does: an event published, consumed by a member of the group, and answered in a transaction."""
    topic = PREFIX + CHANGES
    name = settings.group_id
    [sent] = await publish_all(settings, PREFIX, [Outgoing(CHANGES, name.encode(), b"{}")])
    stores = TransactionalStores(settings, PREFIX)
    source, listening = KafkaSource(settings, [topic], stores, lambda *_: None), Listening()
    await source.start(listening)
    try:
        async with asyncio.timeout(30):
            await asyncio.gather(source.fetch(0.1), listening.given)
            partition = Partition(topic, sent.partition)
            claim = await source.claim(partition)
            source.seek(partition, sent.offset)
            while not (found := [r for r in await source.fetch(1.0) if r.key == name.encode()]):
                continue
            await claim.store.commit([Outgoing(RESULTS, found[0].key, b"done")], sent.offset + 1, "")
            await claim.store.close()
    finally:
        await source.stop()
    assert name.encode() in [record.key for record in await read_all(settings, PREFIX, [RESULTS])]


WAYS = [
    "SSL",
    "SSL with a certificate of one's own",
    "SASL_SSL PLAIN",
    "SASL_SSL SCRAM-SHA-256",
    "SASL_SSL SCRAM-SHA-512",
    "SASL_SSL OAUTHBEARER",
    "SASL_PLAINTEXT SCRAM-SHA-512",
    "SASL_PLAINTEXT OAUTHBEARER",
]


@pytest.mark.parametrize("way", WAYS)
async def test_events_are_published_consumed_and_answered_in_a_transaction(secured: SecuredBroker, way: str) -> None:
    settings = ways(secured)[way].model_copy(update={"group_id": f"group of {way}"})

    await relay_one(settings)


def refusals(secured: SecuredBroker) -> dict[str, tuple[KafkaSettings, str, str]]:
    """Settings that are wrong in one thing, with what is said, and of which setting."""
    certificates, trusted = secured.certificates, secured.trusted
    foreign = {"ssl_certfile": certificates.foreign_client, "ssl_keyfile": certificates.foreign_key}
    over_tls: dict[str, Any] = {"security_protocol": "SASL_SSL", **trusted}
    wrong = {"sasl_username": USER, "sasl_password": "wrong-secret"}
    oauth = secured.oauth_client
    return {
        "wrong password, PLAIN": (
            secured.settings(SASL_TLS, **over_tls, **wrong, sasl_mechanism="PLAIN"),
            "Invalid username or password",
            "RELAY_KAFKA__SASL_PASSWORD",
        ),
        "wrong password, SCRAM": (
            secured.settings(SASL_TLS, **over_tls, **wrong, sasl_mechanism="SCRAM-SHA-512"),
            "invalid credentials with SASL mechanism SCRAM-SHA-512",
            "RELAY_KAFKA__SASL_PASSWORD",
        ),
        "unknown user, SCRAM": (
            secured.settings(
                SASL_TLS, **over_tls, sasl_username="x", sasl_password="y", sasl_mechanism="SCRAM-SHA-256"
            ),
            "invalid credentials with SASL mechanism SCRAM-SHA-256",
            "RELAY_KAFKA__SASL_USERNAME",
        ),
        "untrusted broker": (
            secured.settings(TLS, security_protocol="SSL", ssl_cafile=certificates.unknown_ca),
            "the broker's certificate is not trusted: ",
            "RELAY_KAFKA__SSL_CAFILE",
        ),
        "no certificate of one's own": (
            secured.settings(MUTUAL, security_protocol="SSL", **trusted),
            "TLS failed: ",
            "RELAY_KAFKA__SSL_CERTFILE",
        ),
        "certificate of an unknown authority": (
            secured.settings(MUTUAL, security_protocol="SSL", **trusted, **foreign),
            "TLS failed: ",
            "RELAY_KAFKA__SSL_CERTFILE",
        ),
        "plain text where TLS is spoken": (
            secured.settings(TLS),
            "the connection was closed before an answer came",
            "RELAY_KAFKA__SECURITY_PROTOCOL is PLAINTEXT",
        ),
        "TLS where plain text is spoken": (
            secured.settings(None, security_protocol="SSL", **trusted),
            "the connection was closed before an answer came",
            "RELAY_KAFKA__SECURITY_PROTOCOL is SSL",
        ),
        "SASL where there is none": (
            secured.settings(None, security_protocol="SASL_PLAINTEXT", **LOGIN, sasl_mechanism="PLAIN"),
            "this listener takes no SASL",
            "RELAY_KAFKA__SECURITY_PROTOCOL is SASL_PLAINTEXT",
        ),
        "no SASL where it is wanted": (
            secured.settings(SASL),
            "the connection was closed before an answer came",
            "RELAY_KAFKA__SECURITY_PROTOCOL is PLAINTEXT",
        ),
        "wrong client secret": (
            secured.settings(SASL_TLS, **over_tls, **{**oauth, "sasl_oauth_client_secret": "wrong-secret"}),
            f"no token from {secured.oauth.token_url}: HTTP 401 invalid_client",
            "RELAY_KAFKA__SASL_OAUTH_TOKEN_URL, …_CLIENT_ID, …_CLIENT_SECRET",
        ),
        "no token endpoint": (
            secured.settings(SASL_TLS, **over_tls, **{**oauth, "sasl_oauth_token_url": "http://127.0.0.1:1/token"}),
            "no token from http://127.0.0.1:1/token: Cannot connect",
            "RELAY_KAFKA__SASL_OAUTH_TOKEN_URL",
        ),
    }


REFUSALS = [
    "wrong password, PLAIN",
    "wrong password, SCRAM",
    "unknown user, SCRAM",
    "untrusted broker",
    "no certificate of one's own",
    "certificate of an unknown authority",
    "plain text where TLS is spoken",
    "TLS where plain text is spoken",
    "SASL where there is none",
    "no SASL where it is wanted",
    "wrong client secret",
    "no token endpoint",
]


@pytest.mark.parametrize("what", REFUSALS)
async def test_what_is_wrong_is_told_with_the_name_of_the_setting(secured: SecuredBroker, what: str) -> None:
    settings, said, setting = refusals(secured)[what]

    with pytest.raises(SourceUnavailable) as raised:
        await examine_topics(settings, PREFIX, create=False)

    told = str(raised.value)
    assert said in told
    assert setting in told
    assert "wrong-secret" not in told


@pytest.mark.parametrize(
    "claims", [{"exp": 1}, {"aud": "somebody else"}, {"iss": "https://other.example"}], ids=["expired", "aud", "iss"]
)
async def test_a_token_that_the_broker_refuses_is_told_as_refused(
    secured: SecuredBroker, claims: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secured.oauth, "claims", claims)
    scope = f"scope {claims}"  # settings of their own, so that no token of another test serves
    settings = secured.settings(
        SASL, security_protocol="SASL_PLAINTEXT", **secured.oauth_client, sasl_oauth_scope=scope
    )

    with pytest.raises(SourceUnavailable) as raised:
        await examine_topics(settings, PREFIX, create=False)

    assert "authentication failed: " in str(raised.value)
    assert "invalid_token" in str(raised.value)
    assert "RELAY_KAFKA__SASL_OAUTH_TOKEN_URL" in str(raised.value)
    assert secured.oauth.requests[-1]["scope"] == [scope]


async def test_work_goes_on_when_tokens_end_and_connections_with_them(
    secured: SecuredBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secured.oauth, "life_seconds", RENEWED_SECONDS)
    settings = secured.settings(
        RENEWED,
        security_protocol="SASL_PLAINTEXT",
        **secured.oauth_client,
        sasl_oauth_scope="short",
        group_id="short-lived",
    )
    stores = TransactionalStores(settings, PREFIX)
    source = KafkaSource(settings, [PREFIX + CHANGES], stores, lambda *_: None)
    listening = Listening()
    await source.start(listening)
    await asyncio.gather(source.fetch(0.1), listening.given)
    claim = await source.claim(Partition(PREFIX + CHANGES, 0))
    until, commits = time.monotonic() + 2.5 * RENEWED_SECONDS, 0

    while time.monotonic() < until:
        with suppress(StoreUnavailable):  # to be repeated, as the commit loop does
            await claim.store.commit([Outgoing(RESULTS, b"short-lived", str(commits).encode())], 0, "")
            commits += 1
        await source.fetch(0.2)

    await claim.store.close()
    await source.stop()
    reading = ways(secured)["SASL_PLAINTEXT SCRAM-SHA-512"]
    stored = [record.value for record in await read_all(reading, PREFIX, [RESULTS]) if record.key == b"short-lived"]
    assert stored == [str(n).encode() for n in range(commits)]
    tokens = [form for form in secured.oauth.requests if form.get("scope") == ["short"]]
    assert len(tokens) >= 3


async def test_what_an_acl_denies_is_told_with_the_acl_that_is_missing(secured: SecuredBroker) -> None:
    settings = secured.settings(
        SASL,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_username=LIMITED,
        sasl_password=LIMITED_PASSWORD,
    )

    hidden = await look(settings)
    await asyncio.to_thread(secured.let_describe_topics, LIMITED)
    seen = await look(settings)

    assert hidden["broker"] == (Standing.OK, None)
    for spec in TOPICS:
        assert hidden[f"topic {PREFIX}{spec.name}"][0] is Standing.FAULT
        assert seen[f"topic {PREFIX}{spec.name}"] == (Standing.OK, None)
    for found in (hidden, seen):
        assert found["transactions"] == (
            Standing.FAULT,
            "an ACL that allows Write and Describe on transactional ids that begin with holdings-relay.",
        )
        assert found["group holdings-relay"] == (
            Standing.FAULT,
            "an ACL that allows Read and Describe on group holdings-relay",
        )
        assert found[f"read {PREFIX}{CHANGES}"] == (
            Standing.FAULT,
            f"an ACL that allows Read and Describe on topic {PREFIX}{CHANGES}",
        )
        assert found[f"write {PREFIX}{RESULTS}"] == (
            Standing.FAULT,
            f"an ACL that allows Write and Describe on topic {PREFIX}{RESULTS}",
        )


async def look(settings: KafkaSettings) -> dict[str, tuple[Standing, str | None]]:
    """How each thing stands, and the remedy, by its subject; the broker's without its address."""
    checks = await check_kafka(settings, PREFIX, transactions=True, reads=[CHANGES], writes=[RESULTS], seconds=10.0)
    return {
        "broker" if check.subject.startswith("broker") else check.subject: (check.standing, check.remedy)
        for check in checks
    }
