"""Reads a page that `sightline report` has written."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sightline.cli.main import main

Record = dict[str, Any]


class Reader(HTMLParser):
    """A page's text, its elements and the data of its script."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.words: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._inside = ""
        self.data: Record = {}
        self.feed(page.read_text("utf-8"))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script" and data.startswith("{"):
            self.data = json.loads(data)
        elif self._inside not in ("script", "style"):
            self.words.append(data)


def report(folder: Path, *more: str) -> Reader:
    assert main(["report", str(folder), "--any-image", *more]) == 0
    return Reader(folder / "report.html")
