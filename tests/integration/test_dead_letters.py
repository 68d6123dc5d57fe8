"""`holdings-relay dead-letters` as users type it, on a real broker."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from service.domain.codes import Code
from service.engine.ports import Outgoing
from service.kafka.publisher import publish_all
from service.kafka.topic_admin import ensure_topics
from service.kafka.topics import DEAD_LETTERS
from service.settings import KafkaSettings
from tests.builders.letters import event, stored_letter
from tests.integration.test_commands import settings_for
from tests.support.command_line import Ended, invoke


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
