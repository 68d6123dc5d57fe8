"""Writes docs/settings.md from the settings' own model: `make docs`. A test compares the two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from service.settings import Settings
from service.settings_sources import PREFIX

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

INTRODUCTION = """# Settings

Environment variables, over an optional YAML file that `RELAY_CONFIG` names (the same names in lower case, one level
for each `__`). Any of them may be given as a file that holds the value, by its name with `_FILE` behind it; meant for
secrets. Every setting is validated at start, and all faults are reported at once. `make docs` writes this page.

A system without a URL is not configured: events that need it become dead letters with `system-not-configured`.

| name | default | takes | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    return INTRODUCTION + "".join(f"{row}\n" for row in _rows(Settings, PREFIX))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        full = prefix + name.upper()
        nested = _model(field.annotation)
        if nested is None:
            yield f"| `{full}` | {_default(field)} | {_takes(field)} | {field.description or ''} |"
        elif isinstance(field.annotation, type):
            yield from _rows(nested, full + "__")
        else:
            yield from _rows(nested, f"{full}__<{name.removesuffix('s')}>__")


def _model(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _default(field: FieldInfo) -> str:
    default = field.get_default()
    if default is None or default is PydanticUndefined:
        return "–"
    return "empty" if default == "" else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _takes(field: FieldInfo) -> str:
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    words = [f"`{word}`" for kind in kinds for word in (get_args(kind) or [kind]) if isinstance(word, str)]
    if words:
        return ", ".join(words)
    kind = kinds[0]
    if kind is SecretStr:
        return "secret"
    named = {
        "AnyHttpUrl": "URL",
        "Path": "path",
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "`true` or `false`",
    }
    return named[kind.__name__] + "".join(_bound(bound) for bound in field.metadata)


def _bound(bound: Any) -> str:
    match bound:
        case Gt():
            return f" over {bound.gt}"
        case Ge():
            return f" from {bound.ge}"
        case Le():
            return f" to {bound.le}"
        case _:
            return ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
