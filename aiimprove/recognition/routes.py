"""The addresses of an app that take no parameters, as its code names them: which of them may tell that it lives."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from aiimprove.recognition.sources import Sources

_HEALTH = ("health", "healthz", "healthcheck", "health-check", "health_check", "livez", "live", "alive", "ping",
           "status", "up", "heartbeat", "ready")
_ALWAYS = ("/", "/health", "/healthz", "/api/health", "/docs", "/openapi.json", "/login", "/accounts/login/",
           "/admin/login/", "/index.html", "/robots.txt", "/favicon.ico")
_READS = ("get", "route", "api_route", "view")
_NODE = re.compile(r"\b\w+\.(?:get|use|all)\(\s*['\"`](/[\w/.-]*)['\"`]")
_DJANGO = re.compile(r"\bpath\(\s*['\"]([\w/.-]*)['\"]\s*,")
_REGISTERED = re.compile(r"(?:register_blueprint|include_router)\([^)\n]*prefix\s*=\s*['\"](/[\w/-]+)['\"]")
_MOST = 60


def pages(at: Sources) -> tuple[str, ...]:
    """Every address that a GET without parameters may reach, in the order of the code."""
    plain = list(_decorated(at))
    found = [*plain, *(prefix + path.rstrip("/") for prefix in _registered(at) for path in plain),
             *_django(at), *_node(at)]
    return tuple(dict.fromkeys(path for path in found if not re.search(r"[<{:*]|log-?out|delete", path)))[:_MOST]


def health(known: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses that may tell that a service lives, the likeliest first."""
    named = [path for word in _HEALTH for path in known if path.rstrip("/").rpartition("/")[2] == word]
    return tuple(dict.fromkeys([*named, *_ALWAYS[:1], *known, *_ALWAYS]))


def _registered(at: Sources) -> list[str]:
    """The prefixes that blueprints and routers get where they are put to use; which gets which is tried."""
    return list(dict.fromkeys(match[1] for path in at.ending(".py") for match in _REGISTERED.finditer(at.text(path))))


def _decorated(at: Sources) -> Iterator[str]:
    for _, tree in at.python():
        prefixes = _prefixes(tree)
        for node in ast.walk(tree):
            for call in getattr(node, "decorator_list", ()):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _READS:
                    yield from _routed(call, prefixes.get(ast.unparse(call.func.value), ""))
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Route" and node.args:
                yield from _routed(node, "")


def _routed(call: ast.Call, prefix: str) -> Iterator[str]:
    given = call.args[0] if call.args else next((each.value for each in call.keywords if each.arg in (
        "path", "rule")), None)
    methods = next((ast.unparse(each.value) for each in call.keywords if each.arg == "methods"), "GET")
    if isinstance(given, ast.Constant) and isinstance(given.value, str) and "GET" in methods:
        yield (prefix + given.value) or "/"


def _prefixes(tree: ast.Module) -> dict[str, str]:
    """The prefix of each router or blueprint of a file."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            for each in node.value.keywords:
                if each.arg in ("prefix", "url_prefix") and isinstance(each.value, ast.Constant):
                    found[ast.unparse(node.targets[0])] = str(each.value.value)
    return found


def _django(at: Sources) -> Iterator[str]:
    """With the prefix of an `include` in front, where the included file has the name of its app."""
    texts = {path: at.text(path) for path in at.named("urls.py")}
    prefixes = {match[2]: match[1] for text in texts.values() for match in re.finditer(
        r"path\(\s*['\"]([\w/.-]*)['\"]\s*,\s*include\(\s*\(?['\"]([\w.]+)\.urls['\"]", text)}
    for path, text in texts.items():
        app = path.split("/")[-2] if "/" in path else ""
        prefix = next((found for name, found in prefixes.items() if name.rpartition(".")[2] == app), "")
        yield from (f"/{prefix}{match[1]}" for match in _DJANGO.finditer(text)
                    if "include(" not in text[match.end():match.end() + 30])


def _node(at: Sources) -> Iterator[str]:
    for path in at.ending(".js", ".ts", ".mjs", ".cjs"):
        text = at.text(path)
        if re.search(r"express|fastify|koa|hono|createServer", text):
            yield from (match[1] for match in _NODE.finditer(text))
