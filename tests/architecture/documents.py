"""The documents as tests look at them: which there are, where they lead, and what they name. Judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_FOREIGN = re.compile(r"[a-z][a-z0-9+.-]*:")


@dataclass(frozen=True)
class Document:
    """One page in Markdown."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCED.sub("", self.text)

    @property
    def spans(self) -> list[str]:
        """What stands between backticks, outside of fenced blocks."""
        return [span.strip("`") for span in _CODE.findall(self.prose)]

    @property
    def code(self) -> list[str]:
        """Spans, and the lines of fenced blocks."""
        return [*self.spans, *(line for block in _FENCED.findall(self.text) for line in block.splitlines()[1:-1])]

    @property
    def links(self) -> list[str]:
        """Targets within the repository, as they are written."""
        targets: list[str] = _LINK.findall(_CODE.sub("", self.prose))
        return [target for target in targets if not _FOREIGN.match(target)]

    @property
    def anchors(self) -> set[str]:
        """By which its headings can be linked to, as GitHub makes them."""
        made: list[str] = []
        for heading in _HEADING.findall(self.prose):
            slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
            made.append(f"{slug}-{made.count(slug)}" if slug in made else slug)
        return set(made)

    def leads_to(self, link: str) -> tuple[Path, str]:
        """The file and the anchor of a link."""
        name, _, anchor = link.partition("#")
        return (self.path.parent / name).resolve() if name else self.path, anchor


def documents() -> list[Document]:
    """Every page that people read."""
    return [Document(path) for where in ("*.md", "docs/**/*.md", "helm/**/*.md") for path in sorted(ROOT.glob(where))]


def broken_links(pages: list[Document]) -> Iterator[str]:
    """Links to files that are not there, or to headings that no page has."""
    for page in pages:
        for link in page.links:
            path, anchor = page.leads_to(link)
            if not path.exists():
                yield f"{page.path.name}: {link}: there is no such file"
            elif anchor and anchor not in Document(path).anchors:
                yield f"{page.path.name}: {link}: there is no such heading"


def reached_from(start: Document) -> set[Path]:
    """Every page that links lead to, `start` among them."""
    reached: set[Path] = set()
    ahead = [start.path]
    while ahead:
        path = ahead.pop()
        if path in reached or path.suffix != ".md" or not path.exists():
            continue
        reached.add(path)
        page = Document(path)
        ahead += [page.leads_to(link)[0] for link in page.links]
    return reached
