"""Every link in the documents leads somewhere, and every document can be found from the README."""

from __future__ import annotations

from pathlib import Path

from tests.architecture.documents import ROOT, Document, broken_links, documents, reached_from


def test_every_link_leads_to_a_file_and_a_heading_that_are_there() -> None:
    assert list(broken_links(documents())) == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached = reached_from(Document(ROOT / "README.md"))

    assert [str(page) for page in documents() if page.path not in reached] == []


# The check itself


def test_a_missing_file_and_a_missing_heading_are_found(tmp_path: Path) -> None:
    there = tmp_path / "there.md"
    there.write_text("# A heading, `with` code\n\n## Twice\n## Twice\n", "utf-8")
    page = tmp_path / "page.md"
    page.write_text(
        "# Own\n[a](gone.md) [b](there.md#no-such) [c](there.md#a-heading-with-code) [d](there.md#twice-1)\n"
        "[e](#own) [f](#other)\n"
        "[g](https://example.org/gone.md) `[h](in-code.md)`\n```\n[i](in-a-block.md)\n```\n",
        "utf-8",
    )

    assert list(broken_links([Document(page)])) == [
        "page.md: gone.md: there is no such file",
        "page.md: there.md#no-such: there is no such heading",
        "page.md: #other: there is no such heading",
    ]


def test_a_page_that_nothing_leads_to_is_not_reached(tmp_path: Path) -> None:
    for name, text in {
        "start.md": "[on](next.md#x)",
        "next.md": "[back](start.md)",
        "island.md": "[out](start.md)",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")

    assert {path.name for path in reached_from(Document(tmp_path / "start.md"))} == {"start.md", "next.md"}
