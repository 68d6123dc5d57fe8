"""What an event asks for, as steps that a system can carry out. Pure values made by translation, read by systems.

A step is what a system carries out in one go; it answers for one or more things asked for. Only a transfer has several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from service.domain.jsonvalue import JsonObject, JsonValue

EntityKey: TypeAlias = tuple[str, ...]
"""Names one entity that an event touches, e.g. ("inventory", tenant, "holdings", hrid). Equal keys are the same
entity."""


class Asked(NamedTuple):
    """One thing asked for: one entry of `operations` in the result."""

    system: str | None
    operation: str | None
    target: str | None


@dataclass(frozen=True, slots=True)
class UpdateResource:
    """Patch an eholdings resource. `attributes` is the validated patch: absent leaves, None clears; coverages newest
    first."""

    tenant: str
    resource_id: str
    attributes: Mapping[str, JsonValue]
    tags: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class DeselectResource:
    tenant: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class AddResource:
    """Associate a title with a custom package, then patch as `UpdateResource` does."""

    tenant: str
    package_id: str
    title_id: str
    url: str | None
    attributes: Mapping[str, JsonValue]
    tags: tuple[str, ...] | None

    @property
    def resource_id(self) -> str:
        return f"{self.package_id}-{self.title_id}"


@dataclass(frozen=True, slots=True)
class RemoveResource:
    tenant: str
    resource_id: str


@dataclass(frozen=True, slots=True)
class UpsertRecordSet:
    """Upsert one inventory record set by HRID. `record_set` is the body to send, but for holdings' `sourceName`,
    which the system replaces by `sourceId`."""

    tenant: str
    hrid: str
    record_set: JsonObject
    source_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeleteRecordSet:
    tenant: str
    hrid: str
    processing: JsonObject | None


@dataclass(frozen=True, slots=True)
class UpsertSharedRecordSet:
    """Upsert into the shared index. `body` is complete but for holdings' `sourceName`."""

    tenant: str
    target: str
    body: JsonObject
    source_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeleteSharedRecordSet:
    tenant: str
    target: str
    body: JsonObject


@dataclass(frozen=True, slots=True)
class UpsertHoldingsSource:
    tenant: str
    name: str
    source: str


@dataclass(frozen=True, slots=True)
class DeleteHoldingsSource:
    tenant: str
    name: str


@dataclass(frozen=True, slots=True)
class TransferEntry:
    """One holdings record or item that moves. `source` and `destination` carry SCSB's own field names."""

    asked: Asked
    source: Mapping[str, str]
    destination: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Transfer:
    """Moves of one institution. SCSB handles all holdings first, then all items, each in the order given."""

    institution: str
    holdings: tuple[TransferEntry, ...]
    items: tuple[TransferEntry, ...]

    @property
    def entries(self) -> tuple[TransferEntry, ...]:
        return self.holdings + self.items


@dataclass(frozen=True, slots=True)
class ExportHoldings:
    """All holdings of a customer, one row after the other. `kind` and `format` say which export to ask for;
    `export_id` names one that exists, from the start or since it was asked for.

    The last two fields are the adapter's, carried from one attempt to the next: how often it has looked, and since when
    by its own clock.
    """

    cust_id: str
    kind: str | None
    format: str
    export_id: str | None
    polls: int = 0
    waiting_since: float | None = None

    @property
    def target(self) -> str:
        return self.export_id or f"{self.cust_id}/{self.kind}"


EholdingsStep: TypeAlias = UpdateResource | DeselectResource | AddResource | RemoveResource
InventoryStep: TypeAlias = UpsertRecordSet | DeleteRecordSet | UpsertSharedRecordSet | DeleteSharedRecordSet
HoldingsSourceStep: TypeAlias = UpsertHoldingsSource | DeleteHoldingsSource
Step: TypeAlias = EholdingsStep | InventoryStep | HoldingsSourceStep | Transfer | ExportHoldings


_EHOLDINGS_OPERATIONS: Final[Mapping[type[EholdingsStep], str]] = {
    UpdateResource: "update",
    DeselectResource: "deselect",
    AddResource: "add",
    RemoveResource: "remove",
}


def asked_of(step: Step) -> tuple[Asked, ...]:
    """The things that a step answers for, in the order of its findings."""
    match step:
        case UpdateResource() | DeselectResource() | AddResource() | RemoveResource():
            return (Asked("eholdings", _EHOLDINGS_OPERATIONS[type(step)], step.resource_id),)
        case UpsertRecordSet():
            return (Asked("inventory", "upsert", step.hrid),)
        case DeleteRecordSet():
            return (Asked("inventory", "delete", step.hrid),)
        case UpsertSharedRecordSet():
            return (Asked("inventory", "upsert-shared", step.target),)
        case DeleteSharedRecordSet():
            return (Asked("inventory", "delete-shared", step.target),)
        case UpsertHoldingsSource():
            return (Asked("holdings-sources", "upsert", step.name),)
        case DeleteHoldingsSource():
            return (Asked("holdings-sources", "delete", step.name),)
        case Transfer():
            return tuple(entry.asked for entry in step.entries)
        case ExportHoldings():
            return (Asked("holdingsiq", "export", step.target),)


def tenant_of(step: Step) -> str | None:
    """Whose credentials or quota the step needs: a FOLIO tenant, or a customer of HoldingsIQ; None where the system
    knows no such thing."""
    match step:
        case Transfer():
            return None
        case ExportHoldings():
            return step.cust_id
        case _:
            return step.tenant


_SYSTEMS: Final[Mapping[type[Step], str]] = {
    UpdateResource: "eholdings",
    DeselectResource: "eholdings",
    AddResource: "eholdings",
    RemoveResource: "eholdings",
    UpsertRecordSet: "inventory",
    DeleteRecordSet: "inventory",
    UpsertSharedRecordSet: "inventory",
    DeleteSharedRecordSet: "inventory",
    UpsertHoldingsSource: "holdings-sources",
    DeleteHoldingsSource: "holdings-sources",
    Transfer: "scsb",
    ExportHoldings: "holdingsiq",
}


def system_of(step: Step) -> str:
    """The system that carries the step out: `eholdings`, `inventory`, `holdings-sources`, `scsb` or `holdingsiq`."""
    return _SYSTEMS[type(step)]


class EventIdentity(NamedTuple):
    """`id` and `source` identify an event; all three are None where the record could not be read."""

    id: str | None = None
    source: str | None = None
    type: str | None = None


class Plan(NamedTuple):
    """An event that may be carried out: its steps in order, and the entities that it writes and reads."""

    event: EventIdentity
    tenant: str | None
    traceparent: str | None
    steps: tuple[Step, ...]
    writes: frozenset[EntityKey]
    reads: frozenset[EntityKey] = frozenset()

    def without_steps(self) -> Plan:
        """For when they have been carried out: what they carry may be much."""
        return Plan(self.event, self.tenant, self.traceparent, (), self.writes, self.reads)
