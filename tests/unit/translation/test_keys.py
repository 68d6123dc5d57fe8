"""Two ways to name one entity give one key."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.domain.operations import EntityKey
from service.translation.keys import (
    bib_key,
    holdings_key,
    holdings_source_key,
    instance_key,
    instance_uuid_key,
    item_key,
    match_key,
    resource_key,
    shared_key,
)

Named = Callable[[str, str], EntityKey]
NAMED: tuple[Named, ...] = (instance_key, holdings_key, item_key, instance_uuid_key, holdings_source_key, match_key)


@pytest.mark.parametrize("key", NAMED)
def test_case_does_not_tell_apart_what_storage_takes_for_one(key: Named) -> None:
    assert key("diku", "Ab-1") == key("diku", "aB-1")


@pytest.mark.parametrize("key", [instance_key, holdings_key, item_key, holdings_source_key, match_key])
def test_nor_do_accents(key: Named) -> None:
    assert key("diku", "séries") == key("diku", "series")


@pytest.mark.parametrize("key", [*NAMED, resource_key])
def test_tenants_are_apart(key: Named) -> None:
    assert key("diku", "1-2-3") != key("other", "1-2-3")


def test_kinds_are_apart() -> None:
    assert len({key("diku", "1") for key in (*NAMED, resource_key)}) == len(NAMED) + 1


def test_leading_zeros_do_not_tell_resources_apart() -> None:
    assert resource_key("diku", "022-00-0007") == resource_key("diku", "22-0-7") == ("eholdings", "diku", "22-0-7")


def test_scsb_ids_are_compared_byte_for_byte() -> None:
    assert len({bib_key("NYPL", bib) for bib in (".b1", "b1", ".B1", ".b01", " .b1")}) == 5
    assert bib_key("NYPL", ".b1") != bib_key("PUL", ".b1")


def test_a_shared_key_names_institution_and_identifier() -> None:
    assert shared_key("diku", "inst", "7") == ("inventory", "diku", "shared", "inst", "7")
    assert shared_key("diku", "a", "b-c") != shared_key("diku", "a-b", "c")


def test_an_oai_identifier_and_the_local_one_in_it_are_one_key() -> None:
    assert shared_key("diku", "inst", "oai:library.example:ls7") == shared_key("diku", "inst", "ls7")
