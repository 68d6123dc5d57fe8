"""The map of the architecture has every room, its layers are those that are kept, and every named file is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.architecture.documents import ROOT, Document, documents

ARCHITECTURE = Document(ROOT / "ARCHITECTURE.md")
CONTRIBUTING = Document(ROOT / "CONTRIBUTING.md")
SUFFIXES = r"py|md|txt|toml|mod|sum|yaml|json"
TREES = ("service", "tests", "docs", "scripts", "bench", "helm", "tools", "requirements")


def rooms(folder: Path) -> set[str]:
    """What the map has to show of a folder, as the map writes it: packages, and modules beside them."""
    return {
        f"{path.name}/" if path.is_dir() else path.name
        for path in folder.iterdir()
        if not path.name.startswith((".", "_", "conftest")) and (path.is_dir() or path.suffix == ".py")
    }


def test_the_map_has_every_room_of_service_and_tests() -> None:
    [drawn, *_] = re.findall(r"^## The map\n```\n(.*?)^```", ARCHITECTURE.text, re.MULTILINE | re.DOTALL)
    service, _, tests = drawn.partition("\ntests/\n")

    for folder, part in (("service", service), ("tests", tests)):
        assert sorted(room for room in rooms(ROOT / folder) if not re.search(rf"(?<![\w/]){room}", part)) == []


def test_the_layers_of_the_page_are_those_that_are_kept() -> None:
    kept = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0]["layers"]
    written = re.search(r"^(`entry`[^.]*)\.", ARCHITECTURE.text, re.MULTILINE)

    assert written
    told = " ".join(re.sub(r"`", "", written[1]).split()).split(" > ")
    assert told == [re.sub(r"[()]", "", layer) for layer in kept]


def test_every_target_of_make_is_explained_to_whoever_contributes() -> None:
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert [target for target in targets if f"make {target}" not in CONTRIBUTING.text] == []


def test_every_file_that_the_documents_name_is_there() -> None:
    files = {path.relative_to(ROOT).as_posix() for top in TREES for path in (ROOT / top).rglob("*") if path.is_file()}
    files |= {path.name for path in ROOT.iterdir()}

    missing = [
        f"{page}: {span}"
        for page in documents()
        for span in page.spans
        if re.fullmatch(rf"(?:[\w.-]+/)*[\w-]+\.(?:{SUFFIXES})", span)
        and not any(f"/{file}".endswith(f"/{span}") for file in files)
    ]

    assert sorted(missing) == []
