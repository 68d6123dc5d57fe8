"""What `holdings-relay check` asks of Kafka: brokers, transactions, topics, the group, and what we may do there.

Each check returns values and raises nothing but cancellation; none changes anything, save that asking for transactions
registers a transactional id of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    TransactionalIdAuthorizationFailed,
    for_code,
)

from service.domain.checks import Check, fault, ok, skipped, warning
from service.engine.ports import SourceUnavailable
from service.kafka.access import check_access
from service.kafka.connection import connection_arguments, words
from service.kafka.diagnosis import Spoken, Unreachable, speak
from service.kafka.stores import ensure_transactions
from service.kafka.topic_admin import examine_topics
from service.kafka.topics import TopicState
from service.settings import KafkaSettings

_AREA: Final = "kafka"
_RETRY_SECONDS: Final = 0.2
_REQUESTS: Final = {"Produce": 0, "Fetch": 1, "InitProducerId": 22, "TxnOffsetCommit": 28}
_NOT_THERE: Final = ("Dead", "Empty")


async def check_kafka(
    settings: KafkaSettings,
    prefix: str,
    *,
    transactions: bool,
    reads: Sequence[str],
    writes: Sequence[str],
    seconds: float,
) -> list[Check]:
    """Everything, within about twice `seconds`: first the brokers, then the rest side by side. `reads` and `writes` are
    topics without the prefix."""
    brokers = await check_brokers(settings)
    if not any(check.standing == "ok" for check in brokers):
        return [
            *brokers,
            *(skipped(_AREA, name, "no broker can be had") for name in ("topics", "group", "permissions")),
        ]

    def access() -> Awaitable[list[Check]]:
        return check_access(settings, [prefix + name for name in reads], [prefix + name for name in writes])

    found = await asyncio.gather(
        _bounded("transactions", seconds, lambda: check_transactions(settings, wanted=transactions)),
        _bounded("topics", seconds, lambda: check_topics(settings, prefix)),
        _bounded("group", seconds, lambda: check_group(settings)),
        _bounded("permissions", seconds, access),
    )
    return [*brokers, *(check for checks in found for check in checks)]


async def check_brokers(settings: KafkaSettings) -> list[Check]:
    """One check for each bootstrap server. One that is away while another answers is a warning."""
    answers = await speak(settings)
    away = warning if any(isinstance(answer, Spoken) for answer in answers) else fault
    checks: list[Check] = []
    for answer in answers:
        subject = f"broker {answer.server}"
        match answer:
            case Spoken(versions=versions):
                told = [f"{name} {versions[n][0]}–{versions[n][1]}" for name, n in _REQUESTS.items() if n in versions]
                checks.append(ok(_AREA, subject, f"answers; versions: {', '.join(told)}"))
            case Unreachable():
                checks.append(away(_AREA, subject, answer.message, answer.remedy))
    return checks


async def check_transactions(settings: KafkaSettings, *, wanted: bool) -> list[Check]:
    """Whether a transactional producer can be had, where one is `wanted`."""
    if not wanted:
        return [skipped(_AREA, "transactions", "at_least_once needs none")]
    try:
        await ensure_transactions(settings)
    except SourceUnavailable as error:
        if isinstance(error.__cause__, TransactionalIdAuthorizationFailed):
            remedy = f"an ACL that allows Write and Describe on transactional ids that begin with {settings.group_id}."
        else:
            remedy = "brokers with transactions, or RELAY_DELIVERY=at_least_once"
        return [fault(_AREA, "transactions", str(error), remedy)]
    return [ok(_AREA, "transactions", "a transactional producer can be had")]


async def check_topics(settings: KafkaSettings, prefix: str) -> list[Check]:
    """One check for each topic of the contract. Raises `SourceUnavailable`."""
    return [_check_of(state) for state in await examine_topics(settings, prefix, create=False)]


def _check_of(state: TopicState) -> Check:
    subject = f"topic {state.name}"
    if state.missing:
        return fault(
            _AREA,
            subject,
            "is missing, or hidden from us",
            "`holdings-relay topics` creates it; where it exists, an ACL that allows Describe",
        )
    if state.differences:
        return warning(
            _AREA, subject, "; ".join(map(str, state.differences)), "change the topic, or leave it knowingly"
        )
    if state.config_unread:
        return warning(
            _AREA, subject, "has its partitions; its settings cannot be read", "an ACL that allows DescribeConfigs"
        )
    return ok(_AREA, subject, "as it should be")


async def check_group(settings: KafkaSettings) -> list[Check]:
    """Whether the group can be joined, and who is in it. Raises `KafkaError`."""
    subject = f"group {settings.group_id}"
    admin = AIOKafkaAdminClient(**connection_arguments(settings))
    try:
        await admin.start()
        [answer] = await admin.describe_consumer_groups([settings.group_id])
    except GroupAuthorizationFailedError:
        return [_group_denied(settings)]
    finally:
        await admin.close()
    [(code, _, state, kind, _, members, *_)] = answer.groups
    if code == GroupAuthorizationFailedError.errno:
        return [_group_denied(settings)]
    if code:
        raise for_code(code)(settings.group_id)
    if kind not in ("", "consumer"):
        return [fault(_AREA, subject, f"belongs to members of the kind {kind}", "another RELAY_KAFKA__GROUP_ID")]
    told = "nobody is in it now" if state in _NOT_THERE else f"{len(members)} members, {state}"
    return [ok(_AREA, subject, told)]


def _group_denied(settings: KafkaSettings) -> Check:
    remedy = f"an ACL that allows Read and Describe on group {settings.group_id}"
    return fault(_AREA, f"group {settings.group_id}", "not permitted", remedy)


async def _bounded(subject: str, seconds: float, checks: Callable[[], Awaitable[list[Check]]]) -> list[Check]:
    """The checks, or one that says why there are none. What passes by itself, such as a coordinator that is just being
    chosen, is asked again until the time is up."""
    told = "no answer"
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return await checks()
                except KafkaError as error:
                    if not error.retriable:
                        raise
                    told = words(error)
                await asyncio.sleep(_RETRY_SECONDS)
    except TimeoutError:
        return [fault(_AREA, subject, f"no answer within {seconds:g} s: {told}", "look at the brokers' logs")]
    except (KafkaError, SourceUnavailable) as error:
        return [fault(_AREA, subject, words(error), "look at the brokers' logs and ACLs")]
