"""An answer taken apart into facts, each with a path, so that what varies by itself can be told from what changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser

from aiimprove.answer import Answer
from aiimprove.finding import Json

Facts = Mapping[str, Json]
STATUS, NO_ANSWER = "status", 0
_OF_THE_MOMENT = frozenset({"date", "server", "connection", "keep-alive", "transfer-encoding", "content-length", "etag",
                            "last-modified", "expires", "age", "server-timing"})
"""Headers that say when and how, not what; what etag and length are made of is compared itself."""
_PLACE = re.compile(r"\[\d+\]")
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}(?![\w-])")
_BUILT = frozenset({"script", "style", "link"})
"""Elements that a build writes: they name files by their content."""


def facts(answer: Answer | None, assets: Collection[str] = ()) -> Facts:
    """Status, headers and body; of a JSON document every value. `assets`: public paths of files that a build names."""
    if answer is None:
        return {STATUS: NO_ANSWER}
    found: dict[str, Json] = {STATUS: answer.status}
    found |= {f"header {name}": _plain(value, assets) for name, value in answer.headers.items()
              if name not in _OF_THE_MOMENT}
    return found | dict(_body(answer, assets))


def anywhere(path: str) -> str:
    """The path without the places in lists: what varies in one row may vary in all."""
    return _PLACE.sub("[]", path)


def kind(found: Facts, path: str) -> str:
    return type(found[path]).__name__ if path in found else "nothing"


def _body(answer: Answer, assets: Collection[str]) -> Iterator[tuple[str, Json]]:
    document = answer.json()
    if document is not None:
        yield from _values("body", document)
        return
    content, said = answer.body, answer.headers.get("content-type", "")
    text = content.decode("utf-8", "replace")
    if said.startswith("text/html"):
        yield from ((f"text {number}", piece) for number, piece in enumerate(_pieces(text, assets)))
    elif said.startswith("text/"):
        yield from ((f"line {number}", _plain(line, assets)) for number, line in enumerate(text.splitlines()))
    elif content:
        yield "bytes", hashlib.sha256(content).hexdigest()


def _values(path: str, document: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(document, dict):
        yield path, {}
        for name, value in document.items():
            yield from _values(f"{path}.{name}", value)
    elif isinstance(document, list):
        yield f"{path} length", len(document)
        for place, value in enumerate(document):
            yield from _values(f"{path}[{place}]", value)
    else:
        yield path, _ADDRESS.sub("here", document) if isinstance(document, str) else document


def _plain(text: str, assets: Collection[str]) -> str:
    """Without the addresses of the copy, the names of built files, and long tokens such as the id of a build."""
    for public in assets:
        text = re.sub(re.escape(public) + r"[^\s\"'<>)\\]*", "asset", text)
    return _TOKEN.sub("token", _ADDRESS.sub("here", text))


def _pieces(page: str, assets: Collection[str]) -> list[str]:
    reader = _Page(assets)
    reader.feed(page)
    reader.close()
    return reader.pieces


class _Page(HTMLParser):
    """The elements and the text of a page, without what a build writes into it."""

    def __init__(self, assets: Collection[str]) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._assets, self._inside = assets, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag in ("script", "style")
        if tag not in _BUILT:
            said = " ".join(f"{name}={_plain(value or '', self._assets)}" for name, value in sorted(
                attrs, key=lambda each: each[0]) if name != "nonce")
            self.pieces.append(f"<{tag} {said}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._inside:
            self.pieces.append(_plain(" ".join(data.split()), self._assets))
