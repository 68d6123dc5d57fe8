"""The events of a run: fixed by their seed, of all kinds, and truly what they say they are."""

from __future__ import annotations

from collections import defaultdict

from service.domain.codes import Code
from service.domain.operations import Plan
from service.domain.outcomes import Rejection
from service.domain.record import Partition, Record
from service.routes import interpret
from tests.chaos.events import INDEX_HEADER, Event, Fate, index_in, traceparent_of
from tests.chaos.workload import Workload

ENTITIES = 30


def made(count: int = 1000, seed: int = 5, *, calm: bool = False) -> list[Event]:
    workload = Workload(ENTITIES, seed, calm=calm)
    return [workload.next() for _ in range(count)]


def interpreted(event: Event) -> Plan | Rejection:
    sent = event.outgoing
    record = Record(Partition(sent.topic, 0), event.index, sent.key, sent.value, sent.headers, 1, 0.0)
    return interpret(record, default_tenant="diku", max_bytes=1_000_000)


def test_a_seed_gives_the_same_events_again_and_another_seed_others() -> None:
    assert made() == made()
    assert made() != made(seed=6)


def test_every_fate_and_every_code_is_met() -> None:
    events = made()

    assert {event.fate for event in events} == set(Fate)
    assert {event.code for event in events} == {
        None,
        Code.REFUSED,
        Code.INVALID_DATA,
        Code.UNKNOWN_TYPE,
        Code.UNREADABLE,
    }
    assert any(event.again for event in events)
    assert any(len(event.leaves) == 2 for event in events)
    assert any({"transfer-item", "transfer-holdings"} == {move.operation for move in event.moves} for event in events)


def test_a_calm_workload_asks_for_nothing_that_is_refused() -> None:
    assert {event.fate for event in made(calm=True)} == {Fate.DONE}


def test_exactly_what_should_be_rejected_before_any_call_is_rejected() -> None:
    for event in made():
        found = interpreted(event)

        assert isinstance(found, Rejection) == (event.fate is Fate.REJECTED), event
        assert (found.code if isinstance(found, Rejection) else None) == (
            event.code if event.fate is Fate.REJECTED else None
        )
        assert found.event.id == event.id


def test_the_events_of_an_entity_are_numbered_and_lie_in_one_partition() -> None:
    """They are sent under one key, to one topic."""
    numbers: dict[str, list[int]] = defaultdict(list)
    where: dict[str, set[tuple[str, bytes | None]]] = defaultdict(set)
    for event in made():
        for entity, number in event.entities.items():
            numbers[entity].append(number)
            where[entity].add((event.outgoing.topic, event.outgoing.key))

    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())
    assert all(len(places) == 1 for places in where.values())


def test_entities_that_the_relay_keeps_apart_are_told_apart_here_and_the_others_are_not() -> None:
    """Two events share an entity here exactly when the relay would queue one behind the other."""
    plans = [(event, found) for event in made(300) if isinstance(found := interpreted(event), Plan)]
    for number, (event, found) in enumerate(plans):
        for other, other_found in plans[number + 1 :]:
            shares = bool(event.entities.keys() & other.entities.keys())
            assert shares == bool(found.writes & other_found.writes), (event, other)


def test_what_an_event_leaves_behind_is_not_there_before_it_unless_it_repeats_another() -> None:
    stands: dict[str, str] = {}
    for event in made():
        for entity, value in event.leaves.items():
            assert (stands.get(entity) == value) == event.again, event
        stands |= event.leaves


def test_what_moves_is_where_it_is_taken_from() -> None:
    workload = Workload(ENTITIES, 5)
    places = dict(workload.first_places())
    for event in (workload.next() for _ in range(1000)):
        for move in event.moves:
            assert (places.get((move.operation, move.moved)) == move.source) != move.refused, event
            if not move.refused:
                places[move.operation, move.moved] = move.destination


def test_a_record_tells_its_index_in_a_header_and_an_event_in_its_trace() -> None:
    events = made(20)

    assert [int(dict(event.outgoing.headers)[INDEX_HEADER]) for event in events] == list(range(20))  # type: ignore[arg-type]
    assert [index_in(traceparent_of(event.index)) for event in events] == list(range(20))
    assert index_in(None) is None
