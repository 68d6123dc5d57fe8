"""The sample events of the demonstration. Every title, name and number in them is made up."""

from __future__ import annotations

from typing import Final

from service.demo.sample import JsonObject, Sample, Story, interleaved
from service.demo.samples import (
    consortium,
    exports,
    journals,
    monographs,
    packages,
    recap,
    records,
    refused,
    serials,
    sources,
    tenants,
    troubles,
)
from service.demo.samples.eresources import ACCESS_TYPES, seeded
from service.demo.samples.telling import DEFAULT_TENANT
from service.sandbox.exchange import JsonValue

_CHAPTERS = (exports, troubles, journals, packages, monographs, serials, sources, consortium, recap, tenants, refused)

CREDENTIALS: Final = {
    DEFAULT_TENANT: {"USERNAME": "relay", "PASSWORD": "relay-password"},
    tenants.HILLSIDE_COLLEGE: {"USERNAME": "relay", "PASSWORD": "college-password"},
    consortium.CONSORTIUM: {"TOKEN": "token-of-the-consortium"},
}
"""What the relay is given for each tenant, by the last word of the setting. All made up, for the sandbox alone."""

SANDBOX_SEED: Final[JsonObject] = {
    "login": {
        "tenants": {
            DEFAULT_TENANT: {"users": {"relay": {"password": "relay-password"}}},
            tenants.HILLSIDE_COLLEGE: {"users": {"relay": {"password": "college-password"}}},
            consortium.CONSORTIUM: {
                "users": {"relay": {"password": "never-used"}},
                "tokens": {"token-of-the-consortium": "relay"},
            },
            tenants.GHOST: {"users": {"somebody": {"password": "not-known-to-the-relay"}}},
        }
    }
}
"""The tenants of the demonstration, as the sandbox's `login` takes them."""


def all_stories() -> list[Story]:
    """Every story, those first that take long."""
    return [story for chapter in _CHAPTERS for story in chapter.stories()]


def all_samples() -> list[Sample]:
    """Every sample in the order in which it is published."""
    return interleaved(all_stories())


def seeds() -> list[JsonObject]:
    """What the sandbox holds before the first event: states to be loaded one after the other."""
    types: dict[str, JsonValue] = {**ACCESS_TYPES}
    basis: list[JsonObject] = [SANDBOX_SEED, seeded(accessTypes=types)]
    for tenant in CREDENTIALS:
        # A tenant that is named has the sources that FOLIO ships.
        basis.append({"holdings-sources": {"tenants": {tenant: {}}}})
        if tenant != consortium.CONSORTIUM:
            basis.append(records.locations(records.STACKS, records.READING_ROOM, records.OFFSITE, tenant=tenant))
    return basis + [seed for story in all_stories() for seed in story.seeds]
