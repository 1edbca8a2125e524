"""Plain pages: a folder with an index.html and nothing that builds or serves it."""

from __future__ import annotations

from aiimprove.recognition.seen import Seen, Service
from aiimprove.recognition.sources import Sources

_FOLDERS = ("", "public", "site", "www", "dist", "docs", "html", "src")


def recognise(at: Sources, name: str) -> Service | None:
    """Served by Python's own server of files."""
    inner = next((each for each in _FOLDERS if at.has(f"{each}/index.html" if each else "index.html")), None)
    if inner is None:
        return None
    pages = tuple("/" + path.removeprefix(f"{inner}/" if inner else "") for path in at.ending(".html")
                  if path.startswith(inner) and path.count("/") <= 1 and " " not in path)
    words = ["python3", "-m", "http.server", "{port}", "--bind", "127.0.0.1", "--directory", inner or "."]
    start = Seen(words, f"{at.where(f'{inner}/index.html' if inner else 'index.html')}; Python's own server of files")
    return Service(name, at.prefix.rstrip("/") or ".", "static", {"start": start}, health=("/",), pages=pages,
                   front=True)
