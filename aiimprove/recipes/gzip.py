"""Compression of text answers by the framework's own middleware."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.apps import made_in, refuse, with_middleware
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.imports import called, with_name
from aiimprove.recipes.sources import Source, python_sources, service_of
from aiimprove.settings import Config

MINIMUM_SIZE = 1000
_COMPRESSES = ("GZipMiddleware", "BrotliMiddleware", "CompressMiddleware", "ZstdMiddleware", "starlette_compress",
               "brotli_asgi")
_PARTS = re.compile(r"\b(FileResponse|StaticFiles|StreamingResponse|EventSourceResponse|content-range|accept-ranges)\b",
                    re.IGNORECASE)


class Gzip:
    """Adds GZipMiddleware where the app is made, unless something compresses already."""

    name = "gzip"
    causes = ("no-compression",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    refuse(sources, _COMPRESSES, "something compresses answers already")
    _refuse_parts(sources, finding)
    made = made_in(sources, service)
    module = "fastapi.middleware.gzip" if called(made.source, "fastapi", "FastAPI") else "starlette.middleware.gzip"
    source, name = with_name(made.source, module, "GZipMiddleware")
    changed = with_middleware(made, f"{name}, minimum_size={MINIMUM_SIZE}", source)
    test = new_test(tree, service, "answers_are_compressed", lambda client: _test(service.openapi, client.name),
                    ("from starlette.responses import PlainTextResponse",
                     "from starlette.testclient import TestClient as Bare"))
    return Patch(f"Text answers of {MINIMUM_SIZE} bytes and more are sent with gzip to visitors who accept it."
                 + ("" if test else NO_TEST),
                 {changed.path: changed.text} | test)


def _refuse_parts(sources: Sequence[Source], finding: Finding) -> None:
    """An app that sends files or streams is only safe where the framework leaves partial answers and media alone."""
    if finding.details.get("spares_parts") is True:
        return
    for source in sources:
        if match := _PARTS.search(source.text):
            raise Unsure(f"{source.path} sends files or streams ({match[0]}), and it is not known that the installed "
                         "framework leaves partial answers uncompressed")


def _test(openapi: str, client: str) -> list[str]:
    """What is compressed, and from which size on: the middleware, as it was added, around answers of known sizes."""
    size = [f"added = [each for each in {client}.app.user_middleware if each.cls.__name__ == \"GZipMiddleware\"]",
            "kind, *_, options = added[0]",
            f"for size, encoding in (({MINIMUM_SIZE - 1}, None), ({MINIMUM_SIZE}, \"gzip\")):",
            "    around = Bare(kind(PlainTextResponse(\"x\" * size), **options))",
            "    sized = around.get(\"/\", headers={\"Accept-Encoding\": \"gzip\"})",
            "    assert sized.headers.get(\"Content-Encoding\") == encoding"]
    if not openapi:
        return size
    return [f'packed = {client}.get("{openapi}", headers={{"Accept-Encoding": "gzip"}})',
            f'plain = {client}.get("{openapi}", headers={{"Accept-Encoding": "identity"}})',
            'assert packed.headers["Content-Encoding"] == "gzip"',
            'assert "Content-Encoding" not in plain.headers',
            "assert packed.content == plain.content", *size]
