"""The form in which FOLIO's storage compares unique names and HRIDs. Owns no table of names."""

from __future__ import annotations

import unicodedata
from typing import Final

_LETTERS_WITHOUT_DECOMPOSITION: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n", "ŧ": "t"}
)


def fold(text: str) -> str:
    """What two texts have in common when they name one thing: no case, no accents.

    mod-inventory-storage: unique indexes are on `lower(f_unaccent(...))`. This folds at least as much, so texts that
    storage takes for one are always equal here; a rare pair that storage tells apart may be equal as well.
    """
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return bare.casefold().translate(_LETTERS_WITHOUT_DECOMPOSITION)
