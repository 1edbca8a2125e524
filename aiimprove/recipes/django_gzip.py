"""Compression of what a Django project answers, by Django's own middleware."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.apps import refuse
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.django_headers import SECURITY
from aiimprove.recipes.django_settings import Middleware, middleware
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

GZIP = "django.middleware.gzip.GZipMiddleware"
_SENDS_PARTS = ("StreamingHttpResponse", "FileResponse", "text/event-stream", "X-Accel")
_COMPRESSES = ("GZipMiddleware", "gzip_page", "brotli", "compression_middleware", "zstd")


class DjangoGzip:
    """Puts GZipMiddleware in front of whatever reads or writes the answer: first, or right behind SecurityMiddleware
    where that is the first. Answers of less than 200 bytes stay as they are, and those that cannot get smaller."""

    name = "django_gzip"
    causes = ("no-compression",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    made = middleware(sources)
    refuse(sources, _COMPRESSES, "something compresses answers already")
    refuse(sources, _SENDS_PARTS, "the app sends files or streams, which would be compressed too")
    changed = made.longer([GZIP], [], behind=_behind(made))
    test = new_case(tree, service, "answers_are_compressed", [
        'answer = self.client.get("/long", HTTP_ACCEPT_ENCODING="gzip")',
        'self.assertEqual(answer.headers.get("Content-Encoding"), "gzip")',
        'self.assertNotIn("Content-Encoding", self.client.get("/long").headers)'],
        ("from django.http import HttpResponse", "from django.test import TestCase, override_settings",
         "from django.urls import path"),
        ('urlpatterns = [path("long", lambda request: HttpResponse("a" * 1000))]', "", "",
         "@override_settings(ROOT_URLCONF=__name__)"))
    return Patch(f"Text answers are sent with gzip to visitors who accept it.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)


def _behind(made: Middleware) -> int:
    """Behind how many of the others it belongs. Raises Unsure where something else wants to be there too."""
    for name in made.names:
        if name.rpartition(".")[2] in ("UpdateCacheMiddleware", "WhiteNoiseMiddleware", "ConditionalGetMiddleware"):
            raise Unsure(f"its place beside {name.rpartition('.')[2]} is a choice of the project's")
    return 1 if made.names[0] == SECURITY else 0
