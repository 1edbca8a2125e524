"""What a finding of some cause says that will change, as narrowly as that can be said; all else is undeclared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiimprove.checks.facts import NO_ANSWER, STATUS, Facts
from aiimprove.finding import Finding, Kind
from aiimprove.recording import Recorded


@dataclass(frozen=True)
class Declared:
    """`headers` may come or change (`added`: only come), `body` of the probe's own route may, and an answer that was
    a server error may become one below `mended` (0: none may)."""

    headers: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()
    body: bool = False
    mended: tuple[int, int] = (0, 0)
    route: str = ""

    def is_mended(self, before: Facts, after: Facts) -> bool:
        return crashed(before) and self.mended[0] <= int(after[STATUS]) < self.mended[1]

    def covers(self, path: str, before: Facts, asked: Recorded) -> bool:
        """Whether this fact of the answer was to change."""
        name = path.removeprefix("header ")
        if path.startswith("header "):
            return name in self.headers or (name in self.added and path not in before)
        return self.body and path != STATUS and asked.route == self.route


_BY_CAUSE: Mapping[str, Declared] = {
    "no-compression": Declared(headers=frozenset({"content-encoding", "vary"})),
    "missing-index": Declared(),
    "unsafe-cookie": Declared(headers=frozenset({"set-cookie"})),
    "empty-searches": Declared(body=True),
}
_REFUSED, _SERVED = (400, 500), (200, 500)


def declared(finding: Finding) -> Declared:
    """A crash on hostile values becomes a refusal; another crash becomes anything that is none."""
    if finding.cause == "missing-security-headers":
        names = (str(each["name"] if isinstance(each, dict) else each) for each in finding.details.get("missing", ()))
        return Declared(added=frozenset(name.lower() for name in names))
    if finding.cause in _BY_CAUSE:
        known = _BY_CAUSE[finding.cause]
        request = finding.probe.request
        asked = Recorded(finding.probe.service, str(request.get("method", "GET")), str(request.get("path", "")))
        return Declared(known.headers, known.added, known.body, known.mended, asked.route)
    if finding.kind is Kind.BUG:
        return Declared(mended=_REFUSED if finding.detector == "hostile_values" else _SERVED)
    return Declared()


def crashed(answer: Facts) -> bool:
    return answer[STATUS] == NO_ANSWER or int(answer[STATUS]) >= 500
