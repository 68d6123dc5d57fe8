"""`holdings-relay dead-letters` as users type it, on a real broker."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import ProducerFenced

from service.domain.codes import Code
from service.domain.record import Partition
from service.engine.ports import Outgoing
from service.kafka.publisher import publish_all
from service.kafka.resending import Resender, Resent, TakenOver
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import CHANGES, DEAD_LETTERS
from service.sandbox.faults import Fault
from service.sandbox.holdingsiq import CsvFile, Plan, customer, holdingsiq_state
from service.settings import KafkaSettings
from tests.builders.letters import event, stored_letter
from tests.integration.test_commands import settings_for
from tests.integration.test_delivery import move_item, two_items_in_one_bib
from tests.support.command_line import Ended, invoke
from tests.support.relay import by_event, export_requested, relay, transfer_requested
from tests.support.relay_process import RelayProcess
from tests.support.topic_reading import TopicReader


async def letters(kafka: str, prefix: str, *words: str, standard_input: bytes = b"") -> Ended:
    return await invoke("dead-letters", *words, settings=settings_for(kafka, prefix), standard_input=standard_input)


async def store(kafka: str, prefix: str, records: Sequence[Outgoing]) -> list[str]:
    """Their positions, as the commands call them."""
    settings = KafkaSettings(bootstrap_servers=kafka)
    await ensure_topics(settings, prefix)
    return [f"{one.partition}:{one.offset}" for one in await publish_all(settings, prefix, records)]


def lettered(event_id: str, key: str, code: Code = Code.REFUSED) -> Outgoing:
    stored = stored_letter(key=key.encode(), value=event(event_id), code=code, message=f"words on {event_id}")
    return Outgoing(DEAD_LETTERS, stored.key, stored.value, stored.headers)


async def test_the_letters_are_listed_counted_and_shown(kafka: str, topic_prefix: str) -> None:
    records = [lettered(f"e{number}", f"k{number}") for number in range(30)]
    records += [lettered("gone", "k1", Code.UNAVAILABLE), lettered("e3", "k9"), Outgoing(DEAD_LETTERS, b"k", b"?")]
    places = await store(kafka, topic_prefix, records)

    table = await letters(kafka, topic_prefix, "list")
    lines = await letters(kafka, topic_prefix, "list", "--format", "json", "--entity", "k1")
    one = await letters(kafka, topic_prefix, "show", places[30])
    by_event = await letters(kafka, topic_prefix, "show", "gone")
    several = await letters(kafka, topic_prefix, "show", "e3")
    nowhere = await letters(kafka, topic_prefix, "show", "1:99")

    assert table.code == lines.code == one.code == by_event.code == 0, (table, lines, one, by_event)
    assert "32 dead letters: 31 refused, 1 unavailable" in table.printed
    assert "1 other records in the topic are no dead letters" in table.printed
    for place, number in zip(places, range(30), strict=False):
        [row] = [row for row in table.printed.splitlines() if f" e{number} " in row and row.split()[0] == place]
        assert row.rstrip().endswith(f"words on e{number}")
    found = [orjson.loads(line) for line in lines.printed.splitlines() if line.startswith("{")]
    assert [(told["event"]["id"], told["code"]) for told in found] == [("e1", "refused"), ("gone", "unavailable")]
    assert one.printed == by_event.printed
    assert "Replay when it is back." in one.printed
    assert (several.code, nowhere.code) == (1, 1)
    assert "2 dead letters are of events with the id e3" in several.printed
    assert places[3] in several.printed
    assert places[31] in several.printed
    assert "there is no dead letter at 1:99; partition 1 holds" in nowhere.printed


async def test_what_is_wrong_is_said_by_name(kafka: str, topic_prefix: str) -> None:
    bad = await letters(kafka, topic_prefix, "list", "--code", "nonsense")
    missing = await letters(kafka, topic_prefix, "list")

    assert (bad.code, missing.code) == (2, 4)
    assert "'nonsense' is none of unreadable, unknown-type" in bad.printed.replace("\n", " ")
    assert f"there is no topic {topic_prefix}holdings.dead-letters" in missing.printed


@pytest.mark.parametrize("words", [("list",), ("show", "0:0")])
async def test_kafka_that_cannot_be_had_is_named(words: tuple[str, ...]) -> None:
    ended = await letters("127.0.0.1:1", "p.", *words)

    assert ended.code == 4
    assert "127.0.0.1:1" in ended.printed


def of_changes(prefix: str, number: int, partition: int, offset: int, value: bytes | None = None) -> Outgoing:
    """A letter of a record of the input topic; letters lie under keys of their own, as failures come in any order."""
    stored = stored_letter(
        origin=Partition(prefix + CHANGES, partition),
        origin_offset=offset,
        key=b"k%d" % number,
        value=value or event(f"e{number}"),
        headers=(("content-type", b"application/cloudevents+json"), ("x", b"\x00\xff")),
    )
    return Outgoing(DEAD_LETTERS, stored.key, stored.value, stored.headers)


async def inputs(kafka: str, prefix: str) -> list[ConsumerRecord]:
    """What is committed in the input topic, in the order of each partition."""
    async with TopicReader(kafka, prefix + CHANGES) as reader:
        await reader.read_to_end()
        return sorted(reader.records, key=lambda record: (record.partition, record.offset))


async def test_letters_are_replayed_to_where_they_came_from_in_order_and_once(kafka: str, topic_prefix: str) -> None:
    records = [of_changes(topic_prefix, number, number % 2, 100 - number) for number in range(6)]
    places = await store(kafka, topic_prefix, [*records, of_changes("other.", 9, 0, 0)])

    shown = await letters(kafka, topic_prefix, "replay", "--code", "refused", "--dry-run")
    declined = await letters(kafka, topic_prefix, "replay", "--all", standard_input=b"n\n")
    assert await inputs(kafka, topic_prefix) == []
    sent = await letters(kafka, topic_prefix, "replay", *places[:6], "--yes")
    again = await letters(kafka, topic_prefix, "replay", "--topic", CHANGES, "--yes")
    came = await inputs(kafka, topic_prefix)
    without_transactions = settings_for(kafka, topic_prefix) | {"RELAY_DELIVERY": "at_least_once"}
    words = ("dead-letters", "replay", places[0], "--yes")
    forced = await invoke(*words, "--force", settings=without_transactions)

    assert (shown.code, declined.code) == (1, 1), "one letter is of another relay"
    assert f"6 refused to {topic_prefix}holdings.changes" in shown.printed
    assert "other.holdings.changes, which is no input topic" in shown.printed
    assert "Nothing was sent" in declined.printed
    assert (sent.code, again.code, forced.code) == (0, 0, 0), (sent, again, forced)
    assert "6 were sent." in sent.printed
    assert "There is nothing to replay.\n6 have been replayed already" in again.printed
    expected = [records[number] for number in (4, 2, 0, 5, 3, 1)]
    assert [(one.partition, one.key, one.value) for one in came] == [
        (place // 3, record.key, record.value) for place, record in enumerate(expected)
    ]
    for one, record in zip(came, expected, strict=True):
        letter = topic_prefix + DEAD_LETTERS + "/" + places[records.index(record)].replace(":", "/")
        assert list(one.headers) == [*record.headers[:2], ("relay-replay-of", letter.encode())]
    assert len(await inputs(kafka, topic_prefix)) == 7


async def test_a_replay_that_is_killed_is_run_again_and_sends_the_rest_only(kafka: str, topic_prefix: str) -> None:
    count = 30
    await store(kafka, topic_prefix, [of_changes(topic_prefix, n, n % 3, n) for n in range(count)])
    words = ("-m", "service", "dead-letters", "replay", "--all", "--yes", "--rate", "10/s")
    process = RelayProcess(settings_for(kafka, topic_prefix), command=words)
    try:
        await process.start()
        async with TopicReader(kafka, topic_prefix + CHANGES) as reader:
            await reader.read_until(lambda reader: len(reader.records) >= 5, 60)
        process.kill()
        await process.ended()
        assert "were sent" not in process.log, "it was killed before its end"
    finally:
        await process.close()

    again = await letters(kafka, topic_prefix, "replay", "--all", "--yes")

    assert again.code == 0, again.printed
    came = await inputs(kafka, topic_prefix)
    assert [one.key for one in came] == [b"k%d" % n for p in range(3) for n in range(p, count, 3)]


async def test_whoever_begins_later_ends_what_another_replay_has_left_open(kafka: str, topic_prefix: str) -> None:
    [place] = await store(kafka, topic_prefix, [of_changes(topic_prefix, 1, 0, 5)])
    died = AIOKafkaProducer(bootstrap_servers=kafka, transactional_id=f"{topic_prefix}group.dead-letters-replay")
    await died.start()
    try:
        await died.begin_transaction()
        await died.send_and_wait(topic_prefix + CHANGES, b"stored, not committed", partition=0)

        ended = await letters(kafka, topic_prefix, "replay", place, "--yes")

        assert ended.code == 0, ended.printed
        with pytest.raises(ProducerFenced):
            await died.commit_transaction()
    finally:
        await died.stop()
    assert [one.key for one in await inputs(kafka, topic_prefix)] == [b"k1"]


async def test_of_two_replays_at_a_time_the_first_sends_nothing_more(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka, group_id=topic_prefix + "group")
    await ensure_topics(settings, topic_prefix)
    record = Resent(Partition(topic_prefix + CHANGES, 0), None, None, (("x", b"1"),), 1_700_000_000_000)
    async with Resender(settings, transactional=True) as first:
        await first.send([record])
        async with Resender(settings, transactional=True) as second:
            with pytest.raises(TakenOver):
                await first.send([record])
            await second.send([record])

    came = await inputs(kafka, topic_prefix)
    assert [(one.key, one.value, one.headers, one.timestamp) for one in came] == [
        (None, None, (("x", b"1"),), 1_700_000_000_000)
    ] * 2


async def test_what_was_applied_before_it_failed_is_found_applied_by_its_replay(kafka: str) -> None:
    plan = customer(plan=Plan(file=CsvFile(rows=5)))
    async with relay(kafka) as running:
        running.sandbox.load({"scsb": two_items_in_one_bib(), "holdingsiq": holdingsiq_state(apidemo=plan)})
        for system, path in (("scsb", "transfer"), ("holdingsiq", "/exports")):
            running.sandbox.faults.add(
                Fault(
                    f"{system} loses its answer",
                    system=system,
                    method="POST",
                    path_contains=path,
                    drop="after",
                    times=1,
                )
            )
        worker = await running.start_worker(RELAY_RETRY__MAX_ATTEMPTS="1")
        await running.send(
            transfer_requested("t1", "b1", move_item("i1")),
            export_requested("x1", "apidemo", {"custId": "apidemo", "type": "KBART2"}),
        )
        failed = await running.results_of(2)

        ended = await invoke("dead-letters", "replay", "--code", "outcome-unknown", "--yes", settings=running.settings)
        results = (await running.results_of(4))[2:]

        assert {result["code"] for result in failed} == {"outcome-unknown"}
        assert ended.code == 0, ended.printed
        assert {event_id: result["outcome"] for event_id, result in by_event(results).items()} == {
            "t1": "succeeded",
            "x1": "succeeded",
        }
        assert "applied by an earlier attempt" in by_event(results)["t1"]["operations"][0]["message"]
        assert sum(e.method == "POST" and "/exports" in e.path for e in running.sandbox.ledger.entries()) == 1
        assert await running.stop() == [0], worker.log
        await running.dead_letters.read_to_end()
        assert len(running.dead_letters.records) == 2, "those of the first attempts"
