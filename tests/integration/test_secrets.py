"""No secret is told anywhere: a whole run at the level of debugging, with systems that repeat what was sent to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import pytest

from service.kafka.topics import DEAD_LETTERS, EXPORT_ROWS, METRICS, RESULTS
from service.sandbox.accounts import Accounts, Session
from service.sandbox.eholdings.seeds import eholdings_state, resource
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan, customer, holdingsiq_state
from tests.builders.sandbox import item_ids
from tests.integration.test_health import free_port, until_status
from tests.support.collector import Collector
from tests.support.relay import RunningRelay, changed, export_requested, relay, transfer_requested
from tests.support.topic_reading import TopicReader

STATIC_TOKEN = "static-token-of-the-other-tenant"
UNUSED_SASL_PASSWORD = "sasl-password-of-this-worker"
HEADER_SECRET = "bearer-of-the-sender"
TRANSFER = {
    "institution": "PUL",
    "itemTransfers": [{"source": item_ids("b1", "h1", "i1"), "destination": item_ids("b2", "h2", "i1")}],
}


class Overheard:
    """Every token that the sandbox's login has handed out."""

    def __init__(self, accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tokens: list[str] = []
        self._log_in = accounts.log_in
        monkeypatch.setattr(accounts, "log_in", self)

    def __call__(self, tenant: str, username: str, password: str) -> Session | None:
        session = self._log_in(tenant, username, password)
        if session is not None:
            self.tokens += [session.access_token, session.refresh_token]
        return session


def update(resource_id: str) -> dict[str, Any]:
    attributes = {"coverageStatement": "since 1998"}
    return {"eholdings": {"action": "update", "resourceId": resource_id, "attributes": attributes}}


def repeating(secret: str, status: int, **conditions: Any) -> Fault:
    """An answer that repeats a secret in three ways."""
    words = f"{secret} is refused; x-okapi-token: {secret}; https://user:{secret}@host/"
    return Fault(
        f"{secret} {status}",
        status=status,
        body={"errors": [{"title": words, "message": words}]},
        times=1,
        **conditions,
    )


async def load(running: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> Overheard:
    accounts: Accounts = running.sandbox.systems["login"].accounts  # type: ignore[attr-defined]
    accounts.add_user("other", "svc", "password-of-svc")
    accounts.add_static_token(STATIC_TOKEN, "other", "svc")
    plan = Plan(after_polls=0, file=CsvFile(rows=20, broken={7: "few"}))
    running.sandbox.load(
        {"eholdings": eholdings_state(resource("22-1-2")), "holdingsiq": holdingsiq_state(apidemo=customer(plan=plan))}
    )
    faults = running.sandbox.faults
    faults.add(repeating("relay-password", 503, path_contains="/authn"))
    faults.add(repeating(STATIC_TOKEN, 500, system="eholdings", tenant="other"))
    faults.add(repeating(STATIC_TOKEN, 422, system="eholdings", tenant="other"))
    faults.add(repeating("sandbox-scsb-key", 400, system="scsb"))
    faults.add(repeating("sandbox-holdingsiq-key", 503, system="holdingsiq", method="GET"))
    faults.add(Fault("link", system="holdingsiq", path_contains="/s3/", status=503, times=1, body="no such file"))
    return Overheard(accounts, monkeypatch)


def told_by(readers: Sequence[TopicReader]) -> bytes:
    """Everything that was published, keys and headers too."""
    return b"\n".join(
        b" ".join([record.key or b"", record.value or b"", *(f"{n}: {v!r}".encode() for n, v in record.headers)])
        for reader in readers
        for record in reader.records
    )


async def test_no_secret_reaches_the_log_a_topic_the_metrics_health_or_traces(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relay(kafka) as running, Collector() as collector:
        topics = [running.prefix + name for name in (RESULTS, DEAD_LETTERS, EXPORT_ROWS, METRICS)]
        async with TopicReader(kafka, *topics) as told:
            overheard = await load(running, monkeypatch)
            port = free_port()
            worker = await running.start_worker(
                **collector.settings,
                RELAY_LOG__LEVEL="debug",
                RELAY_HTTP__HOST="127.0.0.1",
                RELAY_HTTP__PORT=str(port),
                RELAY_KAFKA__SASL_PASSWORD=UNUSED_SASL_PASSWORD,
                RELAY_FOLIO__TENANTS__other__TOKEN=STATIC_TOKEN,
                RELAY_METRICS__INTERVAL_SECONDS="1",
                RELAY_RETRY__INITIAL_SECONDS="0.05",
            )
            with_secret = changed("e3", "k", {"eholdings": {"action": "unknown"}})
            headers = (*with_secret.headers, ("authorization", HEADER_SECRET.encode()), ("x-kept", b"kept"))
            await running.send(
                changed("e1", "k", update("22-1-2"), tenant="diku"),
                changed("e2", "k", update("22-1-2"), tenant="other"),
                with_secret._replace(headers=headers),
                transfer_requested("e4", "k", TRANSFER),
                export_requested("e5", "apidemo", {"custId": "apidemo", "type": "KBART2"}),
            )
            results = await running.results_of(5, seconds=60)
            scraped = [await until_status(port, path, 200) for path in ("/metrics", "/readyz", "/livez")]
            assert await running.stop() == [0]
            await told.read_to_end()
            everything = b"\n".join(
                [worker.log.encode(), told_by([told]), *(text.encode() for text in scraped), *collector.bodies]
            )

    secrets = {
        "relay-password",
        "password-of-svc",
        "sandbox-scsb-key",
        "sandbox-holdingsiq-key",
        "X-Amz-Signature",
        "/s3/",
        STATIC_TOKEN,
        UNUSED_SASL_PASSWORD,
        HEADER_SECRET,
        *overheard.tokens,
    }
    assert overheard.tokens, "nobody has logged in"
    assert [armed.name for armed in running.sandbox.faults.armed() if not armed.spent] == [], "a fault was not met"
    assert [r["outcome"] for r in results].count("succeeded") == 2
    for there in (
        b"call.retry_scheduled",
        b"record.dead_lettered",
        b"record.settled",
        b"[hidden]",
        b"x-kept",
        b"holdingsiq export-download",
    ):
        assert there in everything, "the search looks at nothing"
    assert [secret for secret in secrets if secret.encode() in everything or quote(secret).encode() in everything] == []
