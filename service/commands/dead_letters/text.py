"""Foreign bytes and words made fit to be looked at: nothing of them can steer a terminal. Pure."""

from __future__ import annotations

import orjson

SHORT_CHARACTERS = 200
_LINE_BYTES = 16


def visible(text: str, *, lines: bool = False) -> str:
    """`text` with everything that does not print written as an escape; `lines` keeps ends of lines."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or (lines and one == "\n") else one.encode("unicode_escape").decode() for one in text
    )


def short(text: str, characters: int = SHORT_CHARACTERS) -> str:
    """On one line, cut where it is longer."""
    shown = visible(text[: characters + 1])
    return shown if len(text) <= characters else shown[: characters - 1] + "…"


def text_of(content: bytes) -> str:
    """UTF-8 as it is, anything else in hexadecimal digits."""
    try:
        return visible(content.decode())
    except UnicodeDecodeError:
        return f"0x{content.hex()}"


def pretty(content: bytes) -> str:
    """JSON indented, other text as it is, anything else as bytes in hexadecimal digits beside what prints of them."""
    try:
        return visible(orjson.dumps(orjson.loads(content), option=orjson.OPT_INDENT_2).decode(), lines=True)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        pass  # it is none
    try:
        return visible(content.decode(), lines=True)
    except UnicodeDecodeError:
        return "\n".join(
            f"{start:08x}  {part.hex(' '):<{_LINE_BYTES * 3}} {_ascii(part)}"
            for start in range(0, len(content), _LINE_BYTES)
            for part in (content[start : start + _LINE_BYTES],)
        )


def bounded(text: str, characters: int) -> tuple[str, int]:
    """The beginning of `text`, and how many characters are left out."""
    return text[:characters], max(0, len(text) - characters)


def _ascii(part: bytes) -> str:
    return "".join(chr(one) if 32 <= one < 127 else "." for one in part)
