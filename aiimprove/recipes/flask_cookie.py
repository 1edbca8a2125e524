"""The cookie in which Flask keeps a login, kept from requests that other sites start."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.apps import FLASK, after_made, made_in, refuse
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config


class FlaskCookie:
    """Sets its SameSite to Lax by Flask's own setting, right after `Flask(...)`, so that settings which are read later
    may still say otherwise. It is HttpOnly unless somebody has switched that off."""

    name = "flask_cookie"
    causes = ("unsafe-cookie",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    sources = python_sources(tree, service)
    made = made_in(sources, service, FLASK)
    if finding.details["cookie"] != "session":
        raise Elsewhere("this is not the cookie that Flask sets itself")
    refuse(sources, ("SESSION_COOKIE", "SESSION_INTERFACE", "flask_session", "from_object"),
           "the app says something about the cookie already, or reads settings that might")
    if finding.details["missing"] != ["SameSite"]:
        raise Unsure("somebody has switched off that the cookie is HttpOnly")
    changed = after_made(made, [f'{made.name}.config["SESSION_COOKIE_SAMESITE"] = "Lax"'], made.source)
    test = {} if finding.details["method"] != "GET" else new_test(tree, service, "session_cookie", lambda client: [
        f'cookie = {client.name}.get("{finding.details["path"]}").headers["Set-Cookie"]',
        'assert cookie.startswith("session=")', 'assert "SameSite=Lax" in cookie'], asgi=False)
    return Patch(f"The session cookie is not sent with what other sites start, but for plain links."
                 f"{'' if test else NO_TEST}", {changed.path: changed.text} | test)
