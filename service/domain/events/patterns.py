"""The patterns that texts in events must match, and what a fault says of a text that does not."""

from __future__ import annotations

from typing import Final

NON_BLANK: Final = r"\S"
PATH_SEGMENT: Final = r"[^.\s]"
"""A segment of nothing but dots would lead elsewhere in a path, however it is encoded."""
HRID: Final = r"^[^\"\\*?^]*[^\s\"\\*?^][^\"\\*?^]*$"
"""mod-inventory-update looks records up by a query made of the HRID: wildcards would find, and delete, others."""
RESOURCE_ID: Final = r"^[0-9]+-[0-9]+-[0-9]+$"
PACKAGE_ID: Final = r"^[0-9]+-[0-9]+$"
TITLE_ID: Final = r"^[0-9]+$"
URL: Final = r"^https?://[^\s/]\S*$"
UUID: Final = r"^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-[1-5][a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$"
"""mod-kb-ebsco-java demands exactly this of an access type's id: versions 1 to 5 only."""

WORDS: Final = {
    NON_BLANK: "must not be blank",
    PATH_SEGMENT: "must not be blank, nor consist of dots",
    HRID: 'must not be blank, nor contain any of " \\ * ? ^, with which FOLIO would look up other records',
    RESOURCE_ID: "must be three numbers joined by hyphens, like 22-1887786-1440285",
    PACKAGE_ID: "must be two numbers joined by a hyphen, like 123355-2845510",
    TITLE_ID: "must consist of digits",
    URL: "must be an address without spaces that starts with http:// or https://",
    UUID: "must be a UUID of version 1 to 5",
}
