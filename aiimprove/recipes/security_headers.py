"""Security headers on every answer that does not set them itself, by a middleware that leaves streams alone."""

from __future__ import annotations

from pathlib import Path

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Patch, Unsure, written
from aiimprove.recipes.apps import free_name, made_in, with_middleware
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.imports import with_name
from aiimprove.recipes.sources import python_sources, service_of
from aiimprove.settings import Config, Service

VALUES = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "SAMEORIGIN",
          "Referrer-Policy": "strict-origin-when-cross-origin"}
_NAME = "SecurityHeaders"


class SecurityHeaders:
    """Adds a small ASGI middleware to the file where the app is made."""

    name = "security_headers"
    causes = ("missing-security-headers",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service = service_of(finding, config)
    missing = wanted(finding)
    made = made_in(python_sources(tree, service), service)
    name, constant = free_name(made.source, _NAME), free_name(made.source, "SECURITY_HEADERS")
    source, headers = with_name(made.source, "starlette.datastructures", "MutableHeaders")
    types = {}
    for each in ("ASGIApp", "Message", "Receive", "Scope", "Send"):
        source, types[each] = with_name(source, "starlette.types", each)
    changed = with_middleware(made, f"{name}, headers={constant}", source,
                              [*_constant(constant, missing), "", "", *_middleware(name, headers, types)])
    test = new_test(tree, service, "security_headers", lambda client: [
        f'answer = {client.name}.get("{_path(service, finding, client.bare)}")',
        *(f'assert answer.headers["{header}"] == "{value}"' for header, value in missing.items())])
    return Patch(f"Every answer carries {', '.join(missing)}, unless the app sets it itself; but for the answer of the "
                 f"framework to an error that nobody handles.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)


def _path(service: Service, finding: Finding, bare: bool) -> str:
    """An address that answers in the app's tests; where nobody put a database behind it, its own description."""
    return service.openapi or service.health if bare else str(finding.details["path"])


def wanted(finding: Finding) -> dict[str, str]:
    """The missing headers with their values. Raises Unsure for one without a value that is right everywhere."""
    names = [str(name) for name in finding.details.get("missing", ())]
    unknown = [name for name in names if name not in VALUES]
    if unknown or not names:
        raise Unsure(f"no value is known that is right for {', '.join(unknown) or 'no header'}")
    return {name: VALUES[name] for name in names}


def _constant(name: str, missing: dict[str, str]) -> list[str]:
    return [f"{name} = {{", *(f'    "{name}": "{value}",' for name, value in missing.items()), "}"]


def _middleware(name: str, headers: str, types: dict[str, str]) -> list[str]:
    return f'''class {name}:
    """Adds headers to every answer that does not set them itself."""

    def __init__(self, app: {types["ASGIApp"]}, headers: dict[str, str]) -> None:
        self.app = app
        self.headers = headers

    async def __call__(self, scope: {types["Scope"]}, receive: {types["Receive"]}, send: {types["Send"]}) -> None:
        async def send_with_headers(message: {types["Message"]}) -> None:
            if message["type"] == "http.response.start":
                message.setdefault("headers", [])
                headers = {headers}(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)'''.splitlines()
