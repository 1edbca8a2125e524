"""Security headers of a Flask app: one function that runs after every request, registered before any other."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, written
from aiimprove.recipes.apps import FLASK, after_made, free_name, made_in, refuse
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.imports import with_name
from aiimprove.recipes.security_headers import wanted
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config

_NAME, _CONSTANT = "add_security_headers", "SECURITY_HEADERS"
_SENDS = ("flask_talisman", "secure_headers", "flask_seasurf")


class FlaskHeaders:
    """Registers a function with `after_request` right after `Flask(...)`, at the top of a file or in a factory. Flask
    runs what was registered first last, so that a header which the app sets itself stays as it is."""

    name = "flask_headers"
    causes = ("missing-security-headers",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, missing = service_of(finding, config), wanted(finding)
    sources = python_sources(tree, service)
    made = made_in(sources, service, FLASK)
    refuse(sources, _SENDS, "something sends security headers already")
    name, constant = free_name(made.source, _NAME), free_name(made.source, _CONSTANT)
    source, response = with_name(made.source, "flask", "Response")
    changed = after_made(made, [f"{made.name}.after_request({name})"], source, [
        f"{constant} = {{", *(f'    "{header}": "{value}",' for header, value in missing.items()), "}", "", "",
        f"def {name}(response: {response}) -> {response}:",
        '    """Adds headers to every answer that does not set them itself."""',
        f"    for name, value in {constant}.items():",
        "        response.headers.setdefault(name, value)",
        "    return response"])
    test = new_test(tree, service, "security_headers", lambda client: [
        f'answer = {client.name}.get("{service.health if client.bare else finding.details["path"]}")',
        *(f'assert answer.headers["{header}"] == "{value}"' for header, value in missing.items())], asgi=False)
    return Patch(f"Every answer carries {', '.join(missing)}, unless the app sets it itself.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)
