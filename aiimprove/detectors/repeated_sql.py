"""Lists that ask the database again for every row that they show."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aiimprove.answer import Answer
from aiimprove.detectors import RECORDED, Subject
from aiimprove.detectors.functions import lasting_name
from aiimprove.detectors.rows_shown import LEAST, explained
from aiimprove.detectors.tracebacks import own_file
from aiimprove.detectors.visit import Visit, visit
from aiimprove.finding import Finding, Json, Kind, Probe
from aiimprove.probes.recorded import Recorded, Sent, table
from aiimprove.samples import Request

CAUSE = "repeated-statements"
AT_MOST = 2
"""How often a list may send one statement: once for all rows, and once for something else."""
TIMES = 3
_UNNAMED = "<"
_CARRIES = re.compile(r"\b(uvicorn|app|server)\.run\(|"
                      r"\b(serve_forever|execute_from_command_line|get_response|call_next)\(")


class RepeatedSql:
    """One finding for each line of the app that sends a statement at least once for each row of a list that it shows,
    three times of three, from five rows on. A list that is shorter on the copy says nothing. Asks the reading routes;
    leaves the data alone.
    """

    name = "repeated_sql"

    def look(self, subject: Subject) -> Iterator[Finding]:
        if not (subject.copy.data / RECORDED).is_dir():
            return
        for name, service in subject.config.services.items():
            if service.runtime == "python" and name in subject.copy.urls:
                with visit(subject, name) as each:
                    yield from _worst(_repeated(each, Recorded(subject.copy.data / RECORDED)),
                                      subject.source / service.folder, each)


@dataclass(frozen=True)
class Repeated:
    """A statement that was sent `count` times for a request whose answer shows `rows` rows."""

    asked: Request
    sent: Sent
    count: int
    rows: int
    milliseconds: float


def _repeated(each: Visit, recorded: Recorded) -> Iterator[Repeated]:
    for asked in each.tour():
        found = _once(each, recorded, asked)
        for _ in range(TIMES - 1):
            if found:
                again = {one.sent.line: one for one in _once(each, recorded, asked)}
                found = [again[one.sent.line] for one in found if one.sent.line in again]
        yield from found


def _once(each: Visit, recorded: Recorded, asked: Request) -> list[Repeated]:
    """What is sent again and again while a request is answered once."""
    for _ in recorded.fresh():
        pass
    answer = asked.send(each.line)
    if answer is None or answer.status >= 300:
        return []
    sent = list(recorded.fresh())
    examples = {one.line: one for one in reversed(sent)}
    counts = Counter(one.line for one in sent)
    return [found for line, count in counts.items() if count >= LEAST and table(examples[line].sql)
            for found in _of_rows(asked, answer, examples[line], count)]


def _of_rows(asked: Request, answer: Answer, sent: Sent, count: int) -> Iterator[Repeated]:
    if rows := explained(answer, count):
        yield Repeated(asked, sent, count, rows, round(answer.seconds * 1000, 1))


def _worst(every: Iterator[Repeated], root: Path, each: Visit) -> Iterator[Finding]:
    """One finding for each place, about the request that repeats most there."""
    found: dict[str, Finding] = {}
    for repeated in every:
        finding = _finding(each, repeated, root)
        known = found.get(finding.place)
        if known is None or finding.details["count"] > known.details["count"]:
            found[finding.place] = finding
    yield from found.values()


def frames(sent: Sent, root: Path) -> list[tuple[str, str, int]]:
    """File, function and line of the app's own Python that was under way, the innermost first; without what only hands
    every request on, as a middleware does, or the line that runs the server."""
    found = [(file, function, line) for name, line, function in sent.sent_by
             if (file := own_file(name, root)).endswith(".py")]
    while found and _CARRIES.search(_text(root / found[-1][0], found[-1][2])):
        found.pop()
    return found


def _text(file: Path, line: int) -> str:
    lines = file.read_text("utf-8", "replace").splitlines()
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _finding(each: Visit, repeated: Repeated, root: Path) -> Finding:
    asked, count, rows, of = repeated.asked, repeated.count, repeated.rows, table(repeated.sent.sql)
    path = asked.path.partition("?")[0]
    answers = next((one for one in each.routes if not one.writes and one.path == path), None)
    route = answers.path if answers else path
    lines = frames(repeated.sent, root)
    named = next((frame for frame in lines if not frame[1].startswith(_UNNAMED)), None)
    place = lasting_name(root, *named) if named else f"GET {route}"
    details: dict[str, Json] = {
        "service": each.name, "method": "GET", "route": route, "operation": answers.operation if answers else "",
        "statement": repeated.sent.shape, "table": of,
        "count": count, "rows": rows, "milliseconds": repeated.milliseconds, "frames": [list(one) for one in lines]}
    if named:
        details |= {"file": lines[0][0], "function": named[1], "line": lines[0][2]}
    return Finding(
        "repeated_sql", Kind.PERFORMANCE, CAUSE, f"{each.name}/{place} {of}",
        f"Ask for {of} once, not {count} times, in GET {route}",
        f"GET {asked.path} shows {rows} rows and sends the same statement on {of} {count} times: "
        f"{repeated.sent.shape[:160]}. It grows with the list.",
        Probe("statements", each.name, {"method": "GET", "path": asked.path, "table": of}, {"at_most": AT_MOST}),
        _impact(count, repeated.milliseconds), details)


def _impact(count: int, milliseconds: float) -> float:
    return round(min(80.0, 7 * math.log2(count) + milliseconds / 20), 1)
