"""Answers without the headers that keep a browser from being used against its owner."""

from __future__ import annotations

from collections.abc import Iterator

from aiimprove.answer import Answer, judge
from aiimprove.detectors import Subject
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.samples import Request, key_of, request

NOSNIFF: dict[str, Json] = {"name": "X-Content-Type-Options", "pattern": "^nosniff$"}
FRAMES: dict[str, Json] = {"name": "X-Frame-Options", "pattern": "^(deny|sameorigin)$",
                           "or": [{"name": "Content-Security-Policy", "pattern": "frame-ancestors"}]}
REFERRER: dict[str, Json] = {"name": "Referrer-Policy"}
_PATHS = 6
_REFUSED = 20
_MEANT_FOR_FRAMES = ("embed", "widget", "iframe")
_WHY = {"X-Content-Type-Options": "a browser may take an answer for a script",
        "X-Frame-Options": "another site may put a page in a frame and catch clicks",
        "Referrer-Policy": "addresses of pages leak to other sites"}


class SecurityHeaders:
    """One finding for a service, with a probe that needs every missing header."""

    name = "security_headers"

    def look(self, subject: Subject) -> Iterator[Finding]:
        for name in subject.copy.urls:
            with visit(subject, name) as each:
                lacking = {path: missing for path, answer in _answers(each) if (missing := _missing(each, answer))}
                refused = _refused(each) if lacking else []
            if lacking:
                yield _finding(name, lacking, refused)


def _answers(each: Visit) -> Iterator[tuple[str, Answer]]:
    paths = dict.fromkeys([*each.service.smoke, each.service.health])
    for path in list(paths)[:_PATHS]:
        answer = Request("GET", path).send(each.line)
        if answer and answer.status < 400:
            yield path, answer


def _refused(each: Visit) -> list[str]:
    """One path for each status that is no success: with another ending it may be redirected, with a word for a number
    it is refused. Not asked is what an app cannot dress: what its framework says of an error that nobody handles (500),
    and the redirects of Next.js, which it sends before the headers of its configuration."""
    asked = [Request("GET", path.partition("?")[0].rstrip("/") + ending) for path in each.service.smoke[:_PATHS]
             for ending in ("/", "/no-such-page")]
    for route in each.routes:
        number = next((found for found in route.parameters if found.type in ("integer", "number")), None)
        if number and not route.writes:
            asked.append(request(route, {**each.samples.valid(route), key_of(number): "x"}))
    least = 400 if each.service.runtime == "node" else 300
    found: dict[int, str] = {}
    for sent in asked[:_REFUSED]:
        answer = sent.send(each.line)
        if answer and least <= answer.status < 500:
            found.setdefault(answer.status, sent.path)
    return list(found.values())


def _missing(each: Visit, answer: Answer) -> list[dict[str, Json]]:
    embeddable = any(word in route.path.lower() for route in each.routes for word in _MEANT_FOR_FRAMES)
    wanted = [NOSNIFF, REFERRER] if embeddable else [NOSNIFF, FRAMES, REFERRER]
    return [header for header in wanted if not judge({"headers": [header]}, answer).passed]


def _finding(name: str, lacking: dict[str, list[dict[str, Json]]], refused: list[str]) -> Finding:
    path, missing = max(lacking.items(), key=lambda row: len(row[1]))
    names = [header["name"] for header in missing]
    reasons = "; ".join(_WHY[header] for header in names)
    return Finding("security_headers", Kind.SECURITY, "missing-security-headers", name,
                   f"Send {_listed(names)} with the answers of {name}",
                   f"Answers of {name} (such as {path}) lack {_listed(names)}: {reasons}.",
                   Probe("http", name, Request("GET", path).to_json(), {"headers": missing}),
                   10.0 + 10.0 * len(missing), {"service": name, "path": path, "missing": names, "refused": refused})


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
