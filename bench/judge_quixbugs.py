"""QuixBugs (Python) as small services, and what is right and wrong about each program; for bench/judge.py.

A program becomes a service that answers 200 when a call gives the expected answer, and 500 when it does not. The probe
sends every known case that the buggy version fails; the cases that it passes are the repository's tests.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiimprove.finding import Finding, Kind, Probe

SECONDS = 10
CALL_SECONDS, QUICK_SECONDS = 0.4, 0.1
"""How long a call may take, of the processor; and how long a case may take the right version to be one."""
SERVER = '''\
import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import program
from calls import called


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlsplit(self.path)
        asked = {name: json.loads(value[0]) for name, value in parse_qs(address.query).items()}
        right = address.path == "/health" or called(program, asked["with"]) == ["gave", asked["gives"]]
        self.send_response(200 if right else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
'''
CALLS = '''\
import copy
import json
import signal
import types


class Late(BaseException):
    pass


def late(*_):
    raise Late


def called(program, arguments, seconds=0.4):
    """What a call gave as JSON, or what it raised; never longer than these seconds of the processor."""
    signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        given = getattr(program, program.NAME)(*copy.deepcopy(arguments))
        if isinstance(given, (types.GeneratorType, map, filter, zip)):
            given = [each for _, each in zip(range(1000), given)]
        return ["gave", json.loads(json.dumps(given))]
    except BaseException as error:
        return ["raised", type(error).__name__]
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
'''
ORACLE = '''\
import json, sys, types
sys.setrecursionlimit(600)
asked = json.load(sys.stdin)
namespace = {}
exec(asked["calls"], namespace)
for text in asked["programs"]:
    program = types.ModuleType("program")
    try:
        exec(text, program.__dict__)
        given = [namespace["called"](program, each, asked["seconds"]) for each in asked["inputs"]]
        print(json.dumps(given), flush=True)
    except BaseException as error:
        print(json.dumps([["raised", type(error).__name__]] * len(asked["inputs"])), flush=True)
'''


@dataclass(frozen=True)
class Program:
    """One program of the set: both versions, and its known cases (arguments, answer)."""

    name: str
    buggy: str
    correct: str
    cases: list[tuple[list[Any], Any]]


def programs(folder: Path) -> Iterator[Program]:
    """Every program with cases as JSON; those about graphs have none."""
    for file in sorted((folder / "json_testcases").glob("*.json")):
        rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
        cases = [(row[0] if isinstance(row[0], list) else [row[0]], row[1]) for row in rows]
        both = [_code(folder / part / f"{file.stem}.py", file.stem) for part in (
            "python_programs", "correct_python_programs")]
        yield Program(file.stem, both[0], both[1], cases)


def _code(file: Path, name: str) -> str:
    """The program without the words after it, formatted the same way in every version."""
    tree = ast.parse(file.read_text())
    tree.body = [each for each in tree.body
                 if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))]
    return f"NAME = {name!r}\n{ast.unparse(tree)}\n"


def answers(texts: Sequence[str], inputs: Sequence[list[Any]], seconds: float = CALL_SECONDS) -> list[list[Any]]:
    """What each program gives for each input within so many seconds of the processor, in a process of its own."""
    asked = json.dumps({"calls": CALLS, "programs": list(texts), "inputs": list(inputs), "seconds": seconds})
    done = subprocess.run([sys.executable, "-I", "-c", ORACLE], input=asked, capture_output=True, text=True,
                          check=False, timeout=SECONDS + len(texts) * len(inputs) * 4 * CALL_SECONDS)
    return [json.loads(line) for line in done.stdout.splitlines()]


def more_inputs(program: Program) -> list[list[Any]]:
    """Inputs beside the known ones on which the right program gives an answer: nobody but the bench asks them."""
    near = [each for arguments, _ in program.cases[:8] for each in _near(arguments)]
    known = [arguments for arguments, _ in program.cases]
    wanted = [each for each in near if each not in known][:40]
    return [each for each, given in zip(wanted, answers([program.correct], wanted)[0], strict=True)
            if given[0] == "gave"]


def _near(arguments: list[Any]) -> Iterator[list[Any]]:
    for place, value in enumerate(arguments):
        changed: list[Any] = []
        if isinstance(value, int) and not isinstance(value, bool) and value > 1:
            changed = [value + 1, value - 1]
        elif isinstance(value, list) and len(value) > 1:
            changed = [value[:-1], value[1:], [*value, value[-1]]]
        elif isinstance(value, str) and len(value) > 1:
            changed = [value[:-1], value + value[-1]]
        yield from ([*arguments[:place], each, *arguments[place + 1:]] for each in changed)


def split(program: Program) -> tuple[list[tuple[list[Any], Any]], list[tuple[list[Any], Any]]]:
    """The known cases that the buggy version passes, and those that it fails; without what the right one fails."""
    inputs = [arguments for arguments, _ in program.cases]
    given = [answers([program.buggy], inputs)[0], answers([program.correct], inputs, QUICK_SECONDS)[0]]
    rows = [(case, buggy == ["gave", case[1]]) for case, buggy, right in zip(
        program.cases, *given, strict=True) if right == ["gave", case[1]]]
    return [case for case, passes in rows if passes], [case for case, passes in rows if not passes]


def files(program: Program, passing: Sequence[tuple[list[Any], Any]]) -> dict[str, str]:
    tests = "\n\n".join(f"def test_case_{number}():\n    assert called(program, {case[0]!r}) == ['gave', {case[1]!r}]\n"
                        for number, case in enumerate(passing)) or "def test_it_is_there():\n    assert program.NAME\n"
    return {"app/program.py": program.buggy, "app/server.py": SERVER, "app/calls.py": CALLS,
            "app/tests/test_cases.py": f"import program\nfrom calls import called\n\n\n{tests}"}


def finding(program: Program, failing: Sequence[tuple[list[Any], Any]]) -> Finding:
    asked = [{"method": "GET", "path": f"/?with={quote(json.dumps(case[0]))}&gives={quote(json.dumps(case[1]))}"}
             for case in failing[:6]]
    return Finding("people", Kind.BUG, "wrong-answer", f"app {program.name}", "", "",
                   Probe("http", "app", {**asked[0], "also": asked[1:]}, {"status_below": 500}))
