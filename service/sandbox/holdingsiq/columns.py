"""The columns of the four types of export: their names, in their order, and which fact of a title each of them shows.

Owns the names. It must not know what the facts of a title are worth, nor how a row is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Columns = tuple[tuple[str, str], ...]

MISSPELT: Final = "preceeding_publication_title_id"
CORRECT: Final = "preceding_publication_title_id"

_EMPTY: Final = ""

_KBART2: Final[Columns] = (
    ("publication_title", "title"),
    ("print_identifier", "print_identifier"),
    ("online_identifier", "online_identifier"),
    ("date_first_issue_online", "begin"),
    ("num_first_vol_online", "first_volume"),
    ("num_first_issue_online", "first_issue"),
    ("date_last_issue_online", "end"),
    ("num_last_vol_online", "last_volume"),
    ("num_last_issue_online", "last_issue"),
    ("title_url", "url"),
    ("first_author", "author"),
    ("title_id", "title_id"),
    ("embargo_info", "embargo"),
    ("coverage_depth", "coverage_depth"),
    ("notes", "notes"),
    ("publisher_name", "publisher"),
    ("publication_type", "publication_type"),
    ("date_monograph_published_print", _EMPTY),
    ("date_monograph_published_online", "published_online"),
    ("monograph_volume", _EMPTY),
    ("monograph_edition", "edition"),
    ("first_editor", "editor"),
    ("parent_publication_title_id", _EMPTY),
    (MISSPELT, _EMPTY),
    ("access_type", "access_type"),
    ("package_name", "package_name"),
    ("package_id", "package_id"),
    ("vendor_name", "vendor_name"),
    ("vendor_id", "vendor_id"),
    ("resource_type", "resource_type"),
    ("package_content_type", "package_content_type"),
    ("proxied_url", "proxied_url"),
)

_STANDARD: Final[Columns] = (
    ("KBID", "title_id"),
    ("Title", "title"),
    ("AlternateTitle", _EMPTY),
    ("PackageName", "package_name"),
    ("URL", "url"),
    ("ProxiedURL", "proxied_url"),
    ("Publisher", "publisher"),
    ("Edition", "edition"),
    ("Author", "author"),
    ("Editor", "editor"),
    ("Illustrator", _EMPTY),
    ("PrintISSN", "print_issn"),
    ("OnlineISSN", "online_issn"),
    ("PrintISBN", "print_isbn"),
    ("OnlineISBN", "online_isbn"),
    ("DOI", "doi"),
    ("PeerReviewed", "peer_reviewed"),
    ("ManagedCoverageBegin", "begin"),
    ("ManagedCoverageEnd", "end"),
    ("CustomCoverageBegin", _EMPTY),
    ("CustomCoverageEnd", _EMPTY),
    ("CoverageStatement", "notes"),
    ("Embargo", "embargo"),
    ("CustomEmbargo", _EMPTY),
    ("Description", _EMPTY),
    ("Subject", "subject"),
    ("ResourceType", "resource_type"),
    ("PackageContentType", "package_content_type"),
    ("CreateCustom", _EMPTY),
    ("HideOnPublicationFinder", "no"),
    ("Delete", _EMPTY),
    ("OrderedThroughEBSCO", "no"),
    ("IsCustom", "is_custom"),
    ("UserDefinedField1", _EMPTY),
    ("UserDefinedField2", _EMPTY),
    ("UserDefinedField3", _EMPTY),
    ("UserDefinedField4", _EMPTY),
    ("UserDefinedField5", _EMPTY),
    ("PackageType", "package_type"),
    ("AllowEBSCOtoSelectNewTitles", "no"),
    ("PackageID", "package_id"),
    ("VendorName", "vendor_name"),
    ("VendorID", "vendor_id"),
    ("Absorbed", _EMPTY),
    ("Continued", _EMPTY),
    ("Continued in part", _EMPTY),
    ("Merged", _EMPTY),
    ("Split", _EMPTY),
)

# Nothing that is public says which columns these two have. They are this sandbox's own choice.
_COST: Final[Columns] = (
    ("KBID", "title_id"),
    ("Title", "title"),
    ("PackageName", "package_name"),
    ("PackageID", "package_id"),
    ("VendorName", "vendor_name"),
    ("VendorID", "vendor_id"),
    ("ResourceType", "resource_type"),
    ("CostYear", "cost_year"),
    ("Cost", "cost"),
    ("Currency", "currency"),
)
_HOLDINGSEVENT: Final[Columns] = (
    ("event_date", "event_date"),
    ("event_type", "event_type"),
    ("publication_title", "title"),
    ("title_id", "title_id"),
    ("package_name", "package_name"),
    ("package_id", "package_id"),
    ("vendor_name", "vendor_name"),
    ("vendor_id", "vendor_id"),
)

COLUMNS: Final[Mapping[str, Columns]] = MappingProxyType(
    {"KBART2": _KBART2, "STANDARD": _STANDARD, "COST": _COST, "HOLDINGSEVENT": _HOLDINGSEVENT}
)
"""The columns by type of export, each with the fact that it shows; "" is always empty."""
