"""Security headers of a Django project: its own middleware for them, and the settings that say which."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST
from aiimprove.recipes.django_settings import Middleware, middleware, refuse_said
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.security_headers import wanted
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

SECURITY = "django.middleware.security.SecurityMiddleware"
FRAMES = "django.middleware.clickjacking.XFrameOptionsMiddleware"
_SETTINGS = {"X-Content-Type-Options": ("SECURE_CONTENT_TYPE_NOSNIFF", "True"),
             "X-Frame-Options": ("X_FRAME_OPTIONS", '"SAMEORIGIN"'),
             "Referrer-Policy": ("SECURE_REFERRER_POLICY", '"strict-origin-when-cross-origin"')}
_WAKES = ("SECURE_SSL", "SECURE_HSTS", "SECURE_REDIRECT", "SECURE_CROSS_ORIGIN")
"""Settings that do nothing until SecurityMiddleware is there."""


class DjangoHeaders:
    """Puts SecurityMiddleware first and XFrameOptionsMiddleware last into MIDDLEWARE, where they are missing, and sets
    what they send. Views that are exempt from the one about frames stay so; Cross-Origin-Opener-Policy, which
    SecurityMiddleware would send besides, stays off."""

    name = "django_headers"
    causes = ("missing-security-headers",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    made, missing = middleware(sources), wanted(finding)
    refuse_said(sources, [_SETTINGS[header][0] for header in missing])
    first, last = _needed(made, missing)
    below = [f"{_SETTINGS[header][0]} = {_SETTINGS[header][1]}" for header in missing]
    if first:
        refuse_said(sources, _WAKES)
        below += ["SECURE_CROSS_ORIGIN_OPENER_POLICY = None"]
    changed = made.longer(first, last, below)
    test = new_case(tree, service, "security_headers", [
        f'answer = self.client.get("{finding.details["path"]}")',
        *(f'self.assertEqual(answer.headers["{header}"], "{value}")' for header, value in missing.items())])
    return Patch(f"Every answer carries {', '.join(missing)}, unless the app sets it itself.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)


def _needed(made: Middleware, missing: dict[str, str]) -> tuple[list[str], list[str]]:
    """What comes first and what comes last in the list. Raises Unsure when what should send a header is there."""
    frames, others = "X-Frame-Options" in missing, [each for each in missing if each != "X-Frame-Options"]
    for name, asked in ((SECURITY, others), (FRAMES, frames)):
        if asked and name in made.names:
            raise Unsure(f"{name.rpartition('.')[2]} is among the middleware, and yet the answers lack its headers")
    return [SECURITY] if others else [], [FRAMES] if frames else []
