"""Cookies that open a visitor's account, and that scripts may read or other sites may send along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiimprove.answer import cookies
from aiimprove.detectors import Subject
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.probes import Line
from aiimprove.samples import Request, request

_OPENS = re.compile(r"sess|sid$|auth|token|jwt|login|remember|csrf|xsrf", re.IGNORECASE)
_FOR_SCRIPTS = re.compile(r"csrf|xsrf", re.IGNORECASE)
"""Pages read such a cookie to send it back, so that it cannot be HttpOnly."""
_COMES_IN = re.compile(r"/(?:log-?in|sign-?in|sessions?|auth|token|register|sign-?up)/?$", re.IGNORECASE)
_WHY = {"HttpOnly": "a script in a page may read it", "SameSite": "other sites may send requests with it"}


class Cookies:
    """One finding for each cookie of a service whose name says that it stands for a visitor, and which lacks HttpOnly
    (but for tokens against forgery, which pages read) or SameSite. Secure is not asked for: the copy is served over
    http."""

    name = "cookies"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name in subject.copy.urls:
            # who asked for the routes was given cookies on the way, and some apps set theirs but once
            with visit(subject, name) as each, Line(subject.copy.urls[name]) as stranger:
                yield from _bare(name, each, stranger)


def _bare(name: str, each: Visit, stranger: Line) -> Iterator[Finding]:
    seen: set[str] = set()
    for asked in _asked(each):
        answer = asked.send(stranger)
        for cookie, (value, flags) in cookies(answer).items() if answer and answer.status < 500 else ():
            missing = _missing(cookie, flags)
            if cookie not in seen and value.strip('"') and missing:
                yield _finding(name, asked, cookie, missing)
            seen.add(cookie)


def _asked(each: Visit) -> Iterator[Request]:
    """Every reading request, and the writing ones by which a visitor comes in."""
    yield from each.tour()
    yield from (request(route, each.samples.valid(route)) for route in each.routes
                if route.writes and _COMES_IN.search(route.path))


def _missing(cookie: str, flags: frozenset[str]) -> list[str]:
    wanted = () if not _OPENS.search(cookie) else ("SameSite",) if _FOR_SCRIPTS.search(cookie) else (
        "HttpOnly", "SameSite")
    return [flag for flag in wanted if flag.lower() not in flags]


def _finding(name: str, asked: Request, cookie: str, missing: list[str]) -> Finding:
    flags = " and ".join(missing)
    return Finding("cookies", Kind.SECURITY, "unsafe-cookie", f"{name} cookie {cookie}",
                   f"Set the cookie {cookie} with {flags}",
                   f"{asked.method} {asked.path} of {name} sets the cookie {cookie} without {flags}: "
                   f"{'; '.join(_WHY[flag] for flag in missing)}.",
                   Probe("http", name, asked.to_json(), {"cookie": {"name": cookie, "flags": missing}}),
                   15.0 + 15.0 * len(missing),
                   {"service": name, "method": asked.method, "path": asked.path, "cookie": cookie, "missing": missing})
