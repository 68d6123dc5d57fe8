"""The form in which FOLIO's storage compares unique names and HRIDs. Owns no table of names."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
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
    return "".join(map(_folded, text))


@lru_cache(maxsize=1 << 16)
def _folded(letter: str) -> str:
    """A letter without its accents and case; nothing for an accent.

    Letter by letter, because normalising a whole text sorts each run of accents, in time quadratic in its length. The
    order of accents does not matter here: they all go.
    """
    decomposed = unicodedata.normalize("NFKD", letter)
    bare = "".join(part for part in decomposed if not unicodedata.combining(part))
    return bare.casefold().translate(_LETTERS_WITHOUT_DECOMPOSITION)
