"""Stories of further tenants: one with a login of its own, one for which the relay has no credentials."""

from __future__ import annotations

from typing import Final

from service.demo.sample import Story
from service.demo.samples.eresources import seeded, title, update, years
from service.demo.samples.recap import PRINCETON, held, item_move
from service.demo.samples.records import delete, holdings, instance, item, upsert
from service.demo.samples.sources import make
from service.demo.samples.telling import SUCCEEDED, Telling
from service.domain.codes import Code
from service.sandbox.scsb import seeds as scsb

HILLSIDE_COLLEGE: Final = "hillside_college"
"""A tenant whose credentials are a name and a password."""

GHOST: Final = "ghost_college"
"""A tenant without credentials."""


def stories() -> list[Story]:
    """The same ids as other tenants use, and a tenant that cannot be served."""
    return [_college_journal(), _college_book(), _college_source(), _unserved(), _unserved_after_a_transfer()]


def _college_journal() -> Story:
    resource_id = "19-2310-1440285"
    telling = Telling(f"hc-{resource_id}", tenant=HILLSIDE_COLLEGE, source="/college/ils", traced=True)
    telling.seed(seeded(title(resource_id, "Annals of Alpine Botany", tags=["college"]), tenant=HILLSIDE_COLLEGE))
    telling.changed(
        "A college takes the same journal as the university, with other years",
        eholdings=update(resource_id, customCoverages=[years("2012")], userDefinedField1="College fund"),
    )
    telling.changed("It tags it in its own way", binary=True, eholdings=update(resource_id, tags=["college", "botany"]))
    return telling.end()


def _college_book() -> Story:
    hrid = "in00004100"
    telling = Telling(f"hc-{hrid}", tenant=HILLSIDE_COLLEGE, source="/college/ils")
    shelf = holdings("ho00004100-1", item("it00004100-1", "331000410001"))
    telling.changed(
        "A college book under an HRID that the university uses as well",
        inventory=upsert(instance(hrid, "Field Guide to College Lawns"), shelf),
    )
    telling.changed(
        "Its only copy moves to the reading shelf",
        inventory=upsert(
            instance(hrid, "Field Guide to College Lawns"),
            holdings("ho00004100-2", item("it00004100-1", "331000410001"), callNumber="College 7"),
        ),
    )
    return telling.end()


def _college_source() -> Story:
    telling = Telling("hc-source", tenant=HILLSIDE_COLLEGE, source="/college/ils")
    hrid = "in00004190"
    telling.changed(
        "A source of the college, and its first record",
        SUCCEEDED,
        SUCCEEDED,
        holdingsSource=make("College shelf list"),
        inventory=upsert(
            instance(hrid, "Minutes of the Rowing Club"), holdings(f"{hrid}-h", sourceName="College shelf list")
        ),
    )
    return telling.end()


def _unserved() -> Story:
    telling = Telling("ghost", tenant=GHOST, source="/ghost/ils")
    telling.changed(
        "A tenant that nobody has set up",
        Code.TENANT_NOT_CONFIGURED,
        eholdings=update("19-2310-1440285", coverageStatement="Ours too"),
    )
    telling.changed(
        "The same tenant, two systems at once",
        Code.TENANT_NOT_CONFIGURED,
        Code.TENANT_NOT_CONFIGURED,
        binary=True,
        holdingsSource=make("Ghost list"),
        inventory=delete("in00004100"),
    )
    return telling.end()


def _unserved_after_a_transfer() -> Story:
    telling = Telling("ghost-transfer", tenant=GHOST, source="/ghost/ils")
    telling.seed(
        held(
            PRINCETON,
            scsb.bib("96501", scsb.holdings("96501h", scsb.item("96501a"))),
            scsb.bib("96502", scsb.holdings("96502h", scsb.item("96502a"))),
        )
    )
    move = item_move(("96501", "96501h"), ("96502", "96502h"), "96501a")
    telling.transfer(
        "A transfer with inventory that cannot be served: nothing moves",
        Code.NOT_ATTEMPTED,
        Code.TENANT_NOT_CONFIGURED,
        institution=PRINCETON,
        items=[move],
        inventory=[delete("in00009650")],
    )
    telling.transfer("A transfer alone needs no tenant", institution=PRINCETON, items=[move])
    return telling.end()
