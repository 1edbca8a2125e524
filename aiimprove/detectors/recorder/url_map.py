"""Writes the URL map of a Flask or Django app at its first request. Loaded by sitecustomize.py, never imported by us.

The file of $AIIMPROVE_RECORD_ROUTES below $HOME then holds one object for each route: path with {braces}, methods,
converters by name, and of each function that answers the file, the name, the first line and how its class calls it.
Failing is no error: there is then no file.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import traceback
from functools import wraps
from importlib.machinery import PathFinder
from typing import Any

_VERBS = ("get", "post", "put", "patch", "delete")
_CONVERTED = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>((?:[^()\\]|\\.)*)\)")


class Finder:
    """Lets a framework's module be imported as ever, and puts the listing around its first request."""

    def __init__(self, file: str) -> None:
        self._file = file

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        listing = _LISTINGS.get(name)
        spec = PathFinder.find_spec(name, path) if listing else None
        if spec is None or spec.loader is None or listing is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            run(module)
            with contextlib.suppress(Exception):  # the app must run as if nobody listened
                listing(module, self._file)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _flask(module: Any, file: str) -> None:
    kind = module.Flask
    kind.full_dispatch_request = _first(kind.full_dispatch_request, lambda app: _write(file, list(_flask_rows(app))))


def _django(module: Any, file: str) -> None:
    kind = module.BaseHandler

    def listing(_: Any) -> None:
        from django.conf import settings  # type: ignore[import-not-found]
        from django.core.signals import got_request_exception  # type: ignore[import-not-found]
        from django.urls import get_resolver  # type: ignore[import-not-found]
        if not settings.DEBUG:  # Django tells nobody then
            got_request_exception.connect(lambda **_: traceback.print_exc(), weak=False)
        _write(file, list(_django_rows(get_resolver().url_patterns, "/", {})))

    told: list[bool] = []
    kind.get_response = _first(kind.get_response, listing, told)
    kind.get_response_async = _first(kind.get_response_async, listing, told)


_LISTINGS = {"flask.app": _flask, "django.core.handlers.base": _django}


def _first(method: Any, listing: Any, told: list[bool] | None = None) -> Any:
    """The method, with the listing before its first call."""
    known: list[bool] = [] if told is None else told

    @wraps(method)
    def listed(self: Any, *arguments: Any, **options: Any) -> Any:
        if not known:
            known.append(True)
            with contextlib.suppress(Exception):
                listing(self)
        return method(self, *arguments, **options)

    return listed


def _write(file: str, rows: list[dict[str, Any]]) -> None:
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(f"{file}.{os.getpid()}", "w", encoding="utf-8") as new:
        json.dump(rows, new)
    os.replace(new.name, file)


def _flask_rows(app: Any) -> Any:
    for rule in app.url_map.iter_rules():
        view = app.view_functions.get(rule.endpoint)
        converters = {name: kind or "string" for kind, name in _CONVERTED.findall(rule.rule)}
        methods = [verb for verb in _VERBS if verb.upper() in (rule.methods or ())]
        yield {"path": _CONVERTED.sub(r"{\2}", rule.rule), "converters": converters,
               "views": _views(view, getattr(view, "view_class", None), methods)}


def _django_rows(patterns: Any, head: str, converters: dict[str, str]) -> Any:
    for each in patterns:
        route, own = _template(each.pattern)
        if route is None:
            continue
        known = {**converters, **own}
        if hasattr(each, "url_patterns"):
            yield from _django_rows(each.url_patterns, head + route, known)
        else:
            view = each.callback
            yield {"path": head + route, "converters": known,
                   "views": _views(view, getattr(view, "view_class", None) or getattr(view, "cls", None), [])}


def _template(pattern: Any) -> tuple[str | None, dict[str, str]]:
    """The path with {braces} and its converters; None for a regular expression that is more than named groups."""
    route = getattr(pattern, "_route", None)
    if route is not None:
        return _CONVERTED.sub(r"{\2}", str(route)), {name: kind or "string" for kind, name in _CONVERTED.findall(route)}
    regex = str(getattr(pattern, "_regex", ""))
    kinds = {name: "int" if inner in (r"\d+", r"[0-9]+") else "string" for name, inner in _GROUP.findall(regex)}
    plain = _GROUP.sub(r"{\1}", regex.lstrip("^").rstrip("$")).replace(r"\-", "-").replace(r"\.", ".")
    return (None if re.search(r"[\\^$*+?()\[\]|]", plain) else plain), kinds


def _views(view: Any, kind: Any, methods: list[str]) -> list[dict[str, Any]]:
    """The functions that answer, each with its method; an empty method where the function decides by itself."""
    if kind is not None:
        found = [(verb, getattr(kind, verb)) for verb in _VERBS if hasattr(kind, verb)]
    else:
        found = [(verb, view) for verb in methods or [""]]
    rows = []
    for verb, function in found:
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        code = getattr(function, "__code__", None)
        if code is not None:
            rows.append({"method": verb.upper(), "file": code.co_filename, "function": code.co_name,
                         "line": code.co_firstlineno,
                         "called": getattr(function, "__qualname__", code.co_name).rpartition("<locals>.")[2]})
    return rows


def listen(folder: str) -> None:
    """Writes the map into this file below $HOME."""
    sys.meta_path.insert(0, Finder(os.path.join(os.path.expanduser("~"), folder)))
