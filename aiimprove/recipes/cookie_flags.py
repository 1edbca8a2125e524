"""Flags of a cookie, where the app sets it by name: Starlette, Flask and Django spell them alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import libcst as cst

from aiimprove.finding import Finding
from aiimprove.recipes import Declined, Draft, Elsewhere, Patch, Unsure, written
from aiimprove.recipes.clients import NO_TEST, new_test
from aiimprove.recipes.django_settings import is_project
from aiimprove.recipes.django_tests import new_case
from aiimprove.recipes.sources import Source, argument, literal, python_sources, reparsed, service_of
from aiimprove.settings import Config, Service

_WRITTEN = {"HttpOnly": ("httponly", "True"), "SameSite": ("samesite", '"lax"')}
_PAGES = (".js", ".mjs", ".ts", ".tsx", ".jsx", ".html", ".jinja", ".jinja2", ".vue", ".svelte")
_FEWEST = 5
"""Positional arguments from here on may be the flags themselves."""


class CookieFlags:
    """Adds `httponly=True` and `samesite="lax"`, where they are missing, to the one call of `set_cookie` with this
    name. Links from other sites still find their visitors logged in; forms and frames of other sites do not."""

    name = "cookie_flags"
    causes = ("unsafe-cookie",)

    def write(self, finding: Finding, tree: Path, config: Config) -> Draft | Declined:
        return written(_plan, finding, tree, config)


def _plan(finding: Finding, tree: Path, config: Config) -> Patch:
    service, name = service_of(finding, config), str(finding.details["cookie"])
    missing = [str(flag) for flag in finding.details["missing"]]
    sources = python_sources(tree, service)
    source, call = _the_call(sources, name)
    if "HttpOnly" in missing:
        _refuse_readers(tree, name)
    changed = _with_flags(source, call, missing)
    test = _test(tree, service, finding, _held(call, missing), sources)
    return Patch(f"The cookie {name} is set with {' and '.join(missing)}.{'' if test else NO_TEST}",
                 {changed.path: changed.text} | test)


def _the_call(sources: Sequence[Source], name: str) -> tuple[Source, cst.Call]:
    found = [(source, call) for source in sources for call in _calls(source)]
    named = [row for row in found if literal(argument(row[1], "key", 0)) == name]
    if not named and all(literal(argument(call, "key", 0)) is not None for _, call in found):
        raise Elsewhere(f"no call of set_cookie names {name}")
    if len(named) != 1:
        raise Unsure(f"{len(named) or 'no'} calls of set_cookie name {name}")
    return named[0]


def _calls(source: Source) -> list[cst.Call]:
    found: list[cst.Call] = []

    class Calls(cst.CSTVisitor):
        def visit_Call(self, node: cst.Call) -> None:
            if isinstance(node.func, cst.Attribute) and node.func.attr.value == "set_cookie":
                found.append(node)

    source.module.visit(Calls())
    return found


def _with_flags(source: Source, call: cst.Call, missing: Sequence[str]) -> Source:
    """The file with the flags at the end of the call. Raises Unsure where the call says something about them."""
    if any(each.star for each in call.args) or sum(each.keyword is None for each in call.args) >= _FEWEST:
        raise Unsure(f"{source.path} may give the flags of the cookie in another way already")
    for flag in missing:
        if argument(call, _WRITTEN[flag][0]) is not None:
            raise Unsure(f"{source.path} says {_WRITTEN[flag][0]} already, and not what is asked for")
    at, lines = source.lines(call.args[-1].value).end, source.text.splitlines(keepends=True)
    added = "".join(f", {keyword}={value}" for keyword, value in (_WRITTEN[flag] for flag in missing))
    lines[at.line - 1] = lines[at.line - 1][:at.column] + added + lines[at.line - 1][at.column:]
    return reparsed(source, "".join(lines))


def _refuse_readers(tree: Path, name: str) -> None:
    """A script of the app's own that reads the cookie could not do so any more."""
    for path in sorted(tree.rglob("*")):
        if path.suffix in _PAGES and path.is_file() and "node_modules" not in path.parts:
            text = path.read_text("utf-8", "replace")
            if re.search(rf"\b{re.escape(name)}\b", text) and re.search(r"document\.cookie|cookies?\.get", text, re.I):
                raise Unsure(f"{path.relative_to(tree)} may read the cookie {name}")


def _held(call: cst.Call, missing: Sequence[str]) -> dict[str, str]:
    """Attributes that the cookie must have, with their values: the new ones, and those plain ones beside them."""
    age, path = argument(call, "max_age"), literal(argument(call, "path"))
    held = {"max-age": age.value} if isinstance(age, cst.Integer) else {}
    new = {"HttpOnly": ("httponly", ""), "SameSite": ("samesite", "lax")}
    return held | ({"path": path} if path else {}) | dict(new[flag] for flag in missing)


def _test(tree: Path, service: Service, finding: Finding, held: dict[str, str],
          sources: Sequence[Source]) -> dict[str, str]:
    """Only for a cookie that comes with a plain GET: what another request must bring is not known."""
    path, name = finding.details["path"], str(finding.details["cookie"])
    file = "cookie_" + re.sub(r"\W", "_", name.lower())
    if finding.details["method"] != "GET":
        return {}
    if is_project(sources):
        return new_case(tree, service, file, [f'cookie = self.client.get("{path}").cookies["{name}"]', *(
            f'self.assertEqual(str(cookie["{key}"]), "{value or True}")' for key, value in held.items())])
    flask = any(re.search(r"^\s*(?:from|import) flask\b", source.text, re.MULTILINE) for source in sources)
    return new_test(tree, service, file, lambda client: [
        f'cookie = {client.name}.get("{path}").headers["Set-Cookie"]', f'assert "{name}=" in cookie',
        'attributes = {part.strip().lower() for part in cookie.split(";")}',
        *(f'assert "{key}{"=" if value else ""}{value.lower()}" in attributes' for key, value in held.items())],
        asgi=not flask)
