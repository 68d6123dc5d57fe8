"""How FOLIO's storage modules compare text and recognise UUIDs; shared by the simulations on top of them."""

from __future__ import annotations

import re
import unicodedata
import uuid
from typing import Final

UUID_PATTERN: Final = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}$"
"""The pattern as error messages quote it."""

UUID: Final = re.compile(UUID_PATTERN.replace("$", r"\Z"))


def fold(text: str) -> str:
    """The form in which unique names and HRIDs are compared, `lower(f_unaccent(text))`: lower case, without accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).lower()


def new_id() -> str:
    """The id of a record that was sent without one."""
    return str(uuid.uuid4())
