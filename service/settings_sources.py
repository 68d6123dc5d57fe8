"""Where settings come from: the environment, where a setting may be given as a file, over an optional YAML file."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    YamlConfigSettingsSource,
)

PREFIX = "RELAY_"
CONFIG = "RELAY_CONFIG"
FILE_SUFFIX = "_file"
LIKENESS = 0.8
"""Of two names, from which on one is taken for the other misspelt; as in `difflib`."""


class EnvironmentWithFiles(EnvSettingsSource):
    """The environment, with each `…_FILE` replaced by what the file holds, less the line break at its end. A file that
    cannot be read leaves its setting unset and is told in `faults`."""

    faults: list[str]

    def _load_env_vars(self) -> Mapping[str, str | None]:
        self.faults = []
        variables = dict(super()._load_env_vars())
        for name, path in list(variables.items()):
            if not (name.startswith(PREFIX.lower()) and name.endswith(FILE_SUFFIX) and path):
                continue
            del variables[name]
            plain = name.removesuffix(FILE_SUFFIX)
            if plain in variables:
                self.faults.append(f"{name.upper()}: {plain.upper()} is given as well; give one of them")
                continue
            try:
                variables[plain] = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                why = getattr(error, "strerror", None) or "not UTF-8"
                self.faults.append(f"{name.upper()}: cannot be read: {why}")
        return variables


class NotAMapping(Exception):
    """The YAML file holds something else."""


class Yaml(YamlConfigSettingsSource):
    """The file, which must hold a mapping or nothing."""

    def _read_file(self, path: Path | Traversable) -> dict[str, Any]:
        settings = super()._read_file(path)
        if not isinstance(settings, dict):
            raise NotAMapping
        return settings


def sources(settings_cls: type[BaseSettings]) -> list[PydanticBaseSettingsSource]:
    """The environment, over the file where there is one."""
    found: list[PydanticBaseSettingsSource] = [EnvironmentWithFiles(settings_cls)]
    if path := os.environ.get(CONFIG):
        found.append(Yaml(settings_cls, yaml_file=Path(path)))
    return found


def unread_variables(names: Collection[str]) -> list[str]:
    """Variables of the environment that look like settings and are none, each with the nearest of `names`, which are
    all settings by their full names, where one is near. What is wrong below a known section is a fault, and not told
    here."""
    sections = {name.partition("__")[0] for name in names}
    unread = []
    for variable in sorted(os.environ):
        section = variable.partition("__")[0].removesuffix(FILE_SUFFIX.upper())
        if variable.startswith(PREFIX) and variable != CONFIG and section not in sections:
            near = get_close_matches(variable, names, n=1, cutoff=LIKENESS)
            unread.append(f"{variable} is no setting" + (f"; is {near[0]} meant?" if near else ""))
    return unread
