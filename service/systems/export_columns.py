"""The columns of KBART2 and STANDARD: what each is called in a file, what in a published row, and its type. Pure.

HoldingsIQ exports. Names are compared without case, blanks and punctuation. `docs/exports.md` shows these tables, and a
test compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel

TO_PRESENT: Final = "9999-12-31"
"""What a file says where coverage has no end."""


class Kind(Enum):
    """What a cell is read as."""

    TEXT = "text"
    DATE = "date"
    """`YYYY`, `YYYY-MM` or `YYYY-MM-DD`."""
    END = "date, or the present"
    FLAG = "yes or no"


@dataclass(frozen=True, slots=True)
class Column:
    """`names` are those that a file may use, the first of them usual."""

    names: tuple[str, ...]
    field: str
    kind: Kind = Kind.TEXT

    @property
    def present_field(self) -> str:
        """Of an `END`: the field that is true where coverage has no end."""
        return f"{self.field}IsPresent"


def _column(name: str, kind: Kind = Kind.TEXT) -> Column:
    return Column((name,), to_camel(name), kind)


_KBART2: Final = (
    _column("publication_title"),
    _column("print_identifier"),
    _column("online_identifier"),
    _column("date_first_issue_online", Kind.DATE),
    _column("num_first_vol_online"),
    _column("num_first_issue_online"),
    _column("date_last_issue_online", Kind.END),
    _column("num_last_vol_online"),
    _column("num_last_issue_online"),
    _column("title_url"),
    _column("first_author"),
    _column("title_id"),
    _column("embargo_info"),
    _column("coverage_depth"),
    _column("notes"),
    _column("publisher_name"),
    _column("publication_type"),
    _column("date_monograph_published_print", Kind.DATE),
    _column("date_monograph_published_online", Kind.DATE),
    _column("monograph_volume"),
    _column("monograph_edition"),
    _column("first_editor"),
    _column("parent_publication_title_id"),
    Column(
        ("preceeding_publication_title_id", "preceding_publication_title_id"), "precedingPublicationTitleId"
    ),  # the file misspells what the JSON API does not
    _column("access_type"),
    _column("package_name"),
    _column("package_id"),
    _column("vendor_name"),
    _column("vendor_id"),
    _column("resource_type"),
    _column("package_content_type"),
    _column("proxied_url"),
)

_STANDARD: Final = (
    Column(("KBID",), "titleId"),
    Column(("Title",), "title"),
    Column(("AlternateTitle",), "alternateTitle"),
    Column(("PackageName",), "packageName"),
    Column(("URL",), "url"),
    Column(("ProxiedURL",), "proxiedUrl"),
    Column(("Publisher",), "publisher"),
    Column(("Edition",), "edition"),
    Column(("Author",), "author"),
    Column(("Editor",), "editor"),
    Column(("Illustrator",), "illustrator"),
    Column(("PrintISSN",), "printIssn"),
    Column(("OnlineISSN",), "onlineIssn"),
    Column(("PrintISBN",), "printIsbn"),
    Column(("OnlineISBN",), "onlineIsbn"),
    Column(("DOI",), "doi"),
    Column(("PeerReviewed",), "peerReviewed", Kind.FLAG),
    Column(("ManagedCoverageBegin",), "managedCoverageBegin", Kind.DATE),
    Column(("ManagedCoverageEnd",), "managedCoverageEnd", Kind.END),
    Column(("CustomCoverageBegin",), "customCoverageBegin", Kind.DATE),
    Column(("CustomCoverageEnd",), "customCoverageEnd", Kind.END),
    Column(("CoverageStatement",), "coverageStatement"),
    Column(("Embargo",), "embargo"),
    Column(("CustomEmbargo",), "customEmbargo"),
    Column(("Description",), "description"),
    Column(("Subject",), "subject"),
    Column(("ResourceType",), "resourceType"),
    Column(("PackageContentType",), "packageContentType"),
    Column(("CreateCustom",), "createCustom", Kind.FLAG),
    Column(("HideOnPublicationFinder",), "hideOnPublicationFinder", Kind.FLAG),
    Column(("Delete",), "delete", Kind.FLAG),
    Column(("OrderedThroughEBSCO",), "orderedThroughEbsco", Kind.FLAG),
    Column(("IsCustom",), "isCustom", Kind.FLAG),
    *(Column((f"UserDefinedField{number}",), f"userDefinedField{number}") for number in range(1, 6)),
    Column(("PackageType",), "packageType"),
    Column(("AllowEBSCOtoSelectNewTitles",), "allowEbscoToSelectNewTitles", Kind.FLAG),
    Column(("PackageID",), "packageId"),
    Column(("VendorName",), "vendorName"),
    Column(("VendorID",), "vendorId"),
    Column(("Absorbed",), "absorbed"),
    Column(("Continued",), "continued"),
    Column(("Continued in part",), "continuedInPart"),
    Column(("Merged",), "merged"),
    Column(("Split",), "split"),
)

COLUMNS: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType({"KBART2": _KBART2, "STANDARD": _STANDARD})
"""By type of export. Of the other types nobody has published the columns: all go by the names in the header."""

IDS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "vendor": frozenset({"vendorid"}),
        "package": frozenset({"packageid"}),
        "title": frozenset({"titleid", "kbid"}),
    }
)
"""The columns that make up an eholdings resource id, in its order, by their folded names; whatever the type."""

_NOT_OF_A_NAME: Final = re.compile(r"[\W_]+")


def folded(name: str) -> str:
    """A name of a column as names are compared."""
    return _NOT_OF_A_NAME.sub("", name).casefold()


def row_model(export_type: str) -> type[BaseModel]:
    """A model of the `data` of a `holdings.export.row`. For its JSON Schema and for tests: validating each of a million
    rows with it would cost more than all the rest."""
    fields: dict[str, Any] = {
        "exportId": (str, Field(description="The export that the row is of.")),
        "custId": (str, Field(description="The customer, as in the event.")),
        "type": (Literal[export_type] if export_type in COLUMNS else str, ...),
        "row": (int, Field(ge=1, description="Its number among the rows that could be read.")),
        "line": (int, Field(ge=2, description="Where it begins in the file.")),
        "resourceId": (str | None, Field(description="The eholdings resource: vendor, package and title.")),
    }
    for column in COLUMNS.get(export_type, ()):
        fields[column.field] = (bool | None if column.kind is Kind.FLAG else str | None, ...)
        if column.kind is Kind.END:
            fields[column.present_field] = (bool, Field(description="Whether coverage has no end."))
    fields["columns"] = (dict[str, str | None], Field(description="All other columns, by the names in the header."))
    fields["unreadable"] = (dict[str, str], Field(description="Cells that are no date or no yes or no, as they came."))
    name = f"{export_type.title()}Row"
    return create_model(name, __config__=ConfigDict(strict=True, extra="forbid"), **fields)
