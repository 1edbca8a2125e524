"""The probe in other words: what the author of a candidate could not see, and a fix must answer as well.

Variants follow from the probe and a secret of the judge's in the state folder, always the same for one probe. Only
those on which the live version fails like on the probe itself are held against a candidate.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from urllib.parse import parse_qsl, quote, quote_plus, urlencode, urlsplit

from aiimprove import atomic
from aiimprove.finding import Finding, Json, Probe

SECRET = "judge.secret"
EACH = 2
PATHS = 6


def seed(state_folder: Path, probe: Probe) -> str:
    """What the variants of a probe are drawn with. The secret is made at the first use, and is its owner's alone."""
    secret = atomic.make_once(state_folder / SECRET, secrets.token_hex(32).encode())
    return hmac.new(secret, probe.digest().encode(), hashlib.sha256).hexdigest()


def variants(finding: Finding, drawn: str) -> list[Probe]:
    """Other probes of the same problem; none for a cause whose other forms are not known."""
    probe, chance = finding.probe, Random(drawn)
    requests = {"integer-out-of-range": _numbers, "no-compression": _paths,
                "missing-security-headers": _paths, "hashed-not-kept": _paths,
                "no-page-language": _paths}.get(finding.cause)
    if probe.kind == "query-plan":
        return [replace(probe, request={**probe.request, "sql": _other_literals(str(probe.request["sql"]), chance)})]
    if finding.cause == "sql-injection":
        return list(_texts(finding, chance))
    if probe.kind != "http" or requests is None:
        return []
    expect = dict(probe.expect)
    if "at_most_bytes" in expect:  # how small another answer can be is not known
        expect = {"encoding": expect["encoding"]}
    return [*(replace(probe, request=each, expect=expect) for each in requests(finding, chance)),
            *(replace(probe, request=each, expect={**expect, "any_status": True})
              for each in (_refused(finding, chance) if finding.cause == "missing-security-headers" else ()))]


def _numbers(finding: Finding, chance: Random) -> Iterator[Mapping[str, Json]]:
    """Other values beyond the border, and another spelling of the probe's own."""
    request = finding.probe.request
    for each in [request, *request.get("also", ())]:
        for found in sorted(_large(each)):
            border = _border(finding, found)
            for value in _beyond(found, border, chance):
                yield _with(each, found, str(value))
            if "body" not in each:
                yield _with(each, found, "".join(f"%{ord(digit):02X}" for digit in str(found)))


def _large(request: Mapping[str, Json]) -> set[int]:
    text = f"{request.get('path', '')} {json.dumps(request.get('body', ''))}"
    return {int(each) for each in re.findall(r"(?<![\w.%])-?\d{3,}(?![\w.])", text)}


def _border(finding: Finding, found: int) -> int:
    """The last value that passes, on the side on which this one crashes; the value itself where none is known."""
    name = "highest_ok" if found > 0 else "lowest_ok"
    known = [row[name] for row in (finding.details, *finding.details.get("parameters", ()))
             if row.get(name) is not None and abs(row[name]) < abs(found)]
    return int(max(known, key=abs)) if known else found


def _beyond(found: int, border: int, chance: Random) -> list[int]:
    """The first value beyond the border; some near it, up to the probe's value, a little beyond that, and far out."""
    size, reach = abs(found), abs(found - border)
    stretches = ((1, 50), (1, max(reach, 1)), (reach + 1, reach + 50), (reach + 1, reach + size),
                 (reach + size, reach + 20 * size))
    steps = [1, *(chance.randint(*stretch) for stretch in stretches for _ in range(EACH))]
    return [border + step if found > 0 else border - step for step in steps]


def _with(request: Mapping[str, Json], found: int, value: str) -> Mapping[str, Json]:
    def put(text: str) -> str:
        return re.sub(rf"(?<![\w.%]){found}(?![\w.])", lambda _: value, text)

    body = request.get("body")
    changed = {**request, "path": put(str(request["path"]))}
    if body is not None:
        changed["body"] = put(body) if isinstance(body, str) else json.loads(put(json.dumps(body)))
    return {name: each for name, each in changed.items() if name != "also"}


def _paths(finding: Finding, chance: Random) -> Iterator[Mapping[str, Json]]:
    """Other addresses of the finding, and its own with a query that means nothing."""
    request = {name: each for name, each in finding.probe.request.items() if name != "also"}
    others = sorted({*finding.details.get("paths", ())} - {request["path"]})
    address = urlsplit(str(request["path"]))
    query = urlencode([*parse_qsl(address.query), (f"v{chance.randrange(10_000)}", "1")])
    for path in [f"{quote(address.path, safe='/%')}?{query}", *chance.sample(others, min(PATHS, len(others)))]:
        yield {**request, "path": path}


def _refused(finding: Finding, chance: Random) -> Iterator[Mapping[str, Json]]:
    """Addresses that are answered with a redirect or an error: what is promised of every answer is promised of these.
    One is of a page that nobody can know, the others were seen by the detector."""
    request = {name: each for name, each in finding.probe.request.items() if name != "also"}
    yield {**request, "path": f"/{chance.getrandbits(64):016x}"}
    for path in finding.details.get("refused", ()):
        yield {**request, "path": path}


def _texts(finding: Finding, chance: Random) -> Iterator[Probe]:
    """Other texts that end a value too early, and other comparisons that may follow, of which one is true and one is
    not."""
    request = {name: each for name, each in finding.probe.request.items() if name not in ("other", "said")}
    attack, service = str(finding.details["attack"]), finding.probe.service
    mark = next((each for each in "\"'" if each in attack), "")
    plain = f"z{chance.getrandbits(40):x}" if mark else str(chance.randrange(10 ** 6, 10 ** 7))
    for end in (mark, f"{mark} {plain}", mark * 3) if mark else ():
        yield Probe("http", service, _said(request, attack, plain + end), {"status_below": 500})
    for each in _compared(mark, chance) if finding.probe.kind == "alike" else ():
        texts = [f"{plain}{mark} OR {comparison}" for comparison in each]
        true, other = (_said(request, attack, text) for text in texts)
        yield Probe("alike", service, {**true, "other": other, "said": [*texts, plain]}, {"status_below": 500})


def _compared(mark: str, chance: Random) -> list[tuple[str, str]]:
    """What is true and what is not: with the last quote left open, or of numbers where there are none."""
    one, two = (str(each) for each in sorted(chance.sample(range(100, 999), 2)))
    if not mark:
        return [(f"{one}={one}", f"{one}={two}"), (f"{one}<{two}", f"{two}<{one}")]
    head = f"{mark}z{one}{mark}"
    return [(f"{head} LIKE {mark}z{one}", f"{head} LIKE {mark}z{two}"),
            (f"{head} NOT LIKE {mark}z{two}", f"{head} NOT LIKE {mark}z{one}")]


def _said(request: Mapping[str, Json], attack: str, text: str) -> dict[str, Json]:
    """A request with another text in the place of the attack."""
    path = str(request["path"]).replace(quote(attack, safe=""), quote(text, safe=""))
    body = request.get("body")
    changed = {**request, "path": path}
    if isinstance(body, str):
        asked = body.replace(json.dumps(attack)[1:-1], json.dumps(text)[1:-1])
        changed["body"] = asked if asked != body else body.replace(quote_plus(attack), quote_plus(text))
    return changed


def _other_literals(sql: str, chance: Random) -> str:
    """The statement with other texts and numbers, wildcards and limits left as they are."""
    sql = re.sub(r"'[^'%_]*'", lambda _: f"'{chance.randrange(10 ** 9):x}'", sql)
    return re.sub(r"(=|<|>)(\s*)\d+\b", lambda match: f"{match[1]}{match[2]}{chance.randrange(1, 10 ** 6)}", sql)
