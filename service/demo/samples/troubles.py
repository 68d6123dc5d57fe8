"""Stories of systems that stumble: slow, failing and then back, silent after the deed, or down for good."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from service.demo.sample import Story
from service.demo.samples.eresources import add, deselect, seeded, title, update, years
from service.demo.samples.packages import LOCAL_JOURNALS, known_title
from service.demo.samples.recap import COLUMBIA, held, item_move
from service.demo.samples.records import delete, holdings, instance, item, storage_trouble, stored, upsert
from service.demo.samples.sources import make
from service.demo.samples.telling import Telling
from service.domain.codes import Code
from service.sandbox.faults import Fault
from service.sandbox.scsb import seeds as scsb

_BUSY: Final = "The server is busy, try again later"


def stories() -> list[Story]:
    """One story for each kind of trouble."""
    return [
        _resource(
            "94-9001-9400101", "Journal of Slow Answers", Fault("slow", delay_seconds=1.5, times=2), retried=False
        ),
        _resource("94-9001-9400102", "Review of Intermittent Faults", _unavailable(times=2)),
        _resource(
            "94-9001-9400103",
            "Quarterly of Patience",
            Fault("429 with Retry-After", status=429, headers=(("Retry-After", "1"),), times=1),
        ),
        _resource("94-9001-9400104", "Letters Lost in the Post", _lost(method="PUT")),
        _resource("94-9001-9400105", "Annals of Broken Lines", Fault("cut off", method="PUT", drop="before", times=1)),
        _resource(
            "94-9001-9400106",
            "Bulletin of Garbled Messages",
            Fault("garbled", method="GET", truncate_bytes=40, times=1),
        ),
        _resource(
            "94-9001-9400107", "Studies in Gateway Errors", Fault("502", status=502, body="Bad Gateway", times=2)
        ),
        _down_for_good(),
        _deselection_whose_answer_is_lost(),
        _addition_whose_answer_is_lost(),
        *(_record_set(number) for number in range(3)),
        _storage_conflict(),
        _deletion_whose_answer_is_lost(),
        _source_whose_answer_is_lost(),
        _transfer(9901, "A transfer fails inside SCSB, then goes through", _unavailable(times=1)),
        _transfer(9902, "A transfer is carried out, and the answer is lost", _lost()),
        _broken_record(),
    ]


def _resource(resource_id: str, name: str, fault: Fault, *, retried: bool = True) -> Story:
    telling = Telling(resource_id, source="/ils/serials", traced=True)
    telling.seed(seeded(title(resource_id, name, customCoverages=[years("1970", "1979")], tags=["trouble"])))
    telling.disturb(replace(fault, system="eholdings", path_contains=resource_id))
    telling.changed(
        f"{name}: {fault.name}",
        retried=retried,
        eholdings=update(resource_id, customCoverages=[years("1970", "1979"), years("2020")]),
    )
    telling.changed("What waited behind it goes on", eholdings=update(resource_id, userDefinedField1="after trouble"))
    return telling.end()


def _down_for_good() -> Story:
    resource_id = "94-9001-9400108"
    telling = Telling(resource_id, source="/ils/serials")
    telling.seed(seeded(title(resource_id, "The Unreachable Quarterly", coverageStatement="1999 to date")))
    telling.disturb(_unavailable(system="eholdings", path_contains=resource_id))
    telling.changed(
        "A resource that cannot be had: the attempts run out",
        Code.UNAVAILABLE,
        retried=True,
        eholdings=update(resource_id, coverageStatement="1999 to 2024"),
    )
    return telling.end()


def _deselection_whose_answer_is_lost() -> Story:
    resource_id = "94-9001-9400109"
    telling = Telling(resource_id, source="/ils/serials")
    telling.seed(seeded(title(resource_id, "Notes and Unheard Queries", coverageStatement="Complete")))
    telling.disturb(_lost(system="eholdings", method="PUT", path_contains=resource_id))
    telling.changed("A deselection whose answer is lost", retried=True, eholdings=deselect(resource_id))
    return telling.end()


def _addition_whose_answer_is_lost() -> Story:
    title_id = "94001100"
    telling = Telling(f"{LOCAL_JOURNALS}-{title_id}", source="/ils/serials")
    telling.seed(known_title(title_id, "Miscellany of the Night Train"))
    telling.disturb(_lost(system="eholdings", method="POST", body_contains=title_id))
    telling.changed(
        "An addition whose answer is lost",
        retried=True,
        eholdings=add(LOCAL_JOURNALS, title_id, url="https://night-train.example/", tags=["local"]),
    )
    return telling.end()


def _record_set(number: int) -> Story:
    hrid = f"tr{9500 + number:08d}"
    telling = Telling(hrid, source="/ils/catalogue", traced=True)
    record = upsert(
        instance(hrid, f"Trials and Errors, part {number + 1}"),
        holdings(f"{hrid}-h", item(f"{hrid}-i", f"7770{9500 + number}")),
    )
    fault = (
        _unavailable(times=2, system="inventory", body_contains=hrid),
        _lost(system="inventory", body_contains=hrid),
        Fault("slow", system="inventory", body_contains=hrid, delay_seconds=1.5, times=1),
    )[number]
    telling.disturb(fault)
    telling.changed(f"A record set meets trouble: {fault.name}", retried=number < 2, inventory=record)
    telling.changed("It is deleted afterwards", inventory=delete(hrid))
    return telling.end()


def _storage_conflict() -> Story:
    hrid = "tr00009510"
    telling = Telling(hrid, source="/ils/catalogue")
    telling.seed(
        stored(upsert(instance(hrid, "Two Hands on One Record"), holdings(f"{hrid}-h"))),
        storage_trouble(hrid, "update", 409),
    )
    telling.changed(
        "Somebody else changed the record at the same moment",
        retried=True,
        inventory=upsert(instance(hrid, "Two Hands on One Record, revised"), holdings(f"{hrid}-h")),
    )
    return telling.end()


def _deletion_whose_answer_is_lost() -> Story:
    hrid = "tr00009511"
    telling = Telling(hrid, source="/ils/catalogue")
    telling.seed(stored(upsert(instance(hrid, "A Book That Is Gone"), holdings(f"{hrid}-h"))))
    telling.disturb(_lost(system="inventory", method="DELETE", body_contains=hrid))
    telling.changed("A deletion whose answer is lost", retried=True, inventory=delete(hrid))
    return telling.end()


def _source_whose_answer_is_lost() -> Story:
    name = "Register of the night shift"
    telling = Telling("source-night", source="/ils/settings")
    telling.disturb(_lost(system="holdings-sources", method="POST", body_contains=name))
    telling.changed("A new source, and the answer is lost", retried=True, holdingsSource=make(name))
    return telling.end()


def _transfer(number: int, name: str, fault: Fault) -> Story:
    telling = Telling(f"CUL-{number}", source="/ils/offsite", traced=True)
    before, after = f"{number}1", f"{number}2"
    telling.seed(
        held(
            COLUMBIA,
            scsb.bib(before, scsb.holdings(f"{before}h", scsb.item(f"{before}a"))),
            scsb.bib(after, scsb.holdings(f"{after}h", scsb.item(f"{after}a"))),
        )
    )
    telling.disturb(replace(fault, system="scsb", body_contains=f"{before}a"))
    telling.transfer(
        name,
        institution=COLUMBIA,
        retried=True,
        items=[item_move((before, f"{before}h"), (after, f"{after}h"), f"{before}a")],
    )
    return telling.end()


def _broken_record() -> Story:
    telling = Telling("CUL-9903", source="/ils/offsite")
    telling.seed(
        held(
            COLUMBIA,
            scsb.bib("99031", scsb.holdings("99031h", scsb.item("99031a", raises=True))),
            scsb.bib("99032", scsb.holdings("99032h", scsb.item("99032a"))),
        )
    )
    telling.transfer(
        "SCSB trips over one of its records, and never says whether the item has moved",
        Code.OUTCOME_UNKNOWN,
        institution=COLUMBIA,
        retried=True,
        items=[item_move(("99031", "99031h"), ("99032", "99032h"), "99031a")],
    )
    return telling.end()


def _unavailable(
    times: int | None = None,
    system: str | None = None,
    path_contains: str | None = None,
    body_contains: str | None = None,
) -> Fault:
    return Fault(
        "503", system, path_contains=path_contains, body_contains=body_contains, times=times, status=503, body=_BUSY
    )


def _lost(
    system: str | None = None,
    method: str | None = None,
    path_contains: str | None = None,
    body_contains: str | None = None,
) -> Fault:
    return Fault("answer lost", system, method, path_contains, body_contains, times=1, drop="after")
