"""A Python package as a small service that runs its unittests, and as an oracle that tells which of them pass; for
bench/judge.py.

`GET /?run=ID` is answered 200 when that unittest passes in a process of its own, forked from the service, and 500 when
not. What Python took away since (`collections.Mapping`, `inspect.getargspec`) is put back beside the app, and so is
what tornado's extension in C does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.judge_ground import RUNNER

SECONDS = 900
Texts = Mapping[str, str]

GONE = '''\
import collections
import collections.abc
import inspect
import os
import sys
import types

for name in collections.abc.__all__:
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = inspect.getfullargspec
compiled = types.ModuleType("tornado.speedups")
compiled.websocket_mask = lambda mask, data: bytes(each ^ mask[at % 4] for at, each in enumerate(data))
sys.modules["tornado.speedups"] = compiled
os.environ["ASYNC_TEST_TIMEOUT"] = "4"
'''
ONE = '''\
import importlib
import json
import os
import signal
import sys
import unittest

import gone

SECONDS = 8


def passes(name):
    """Whether every test of that name passes in a process of its own, within these seconds."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        signal.alarm(SECONDS)
        os._exit(run(name))
    ended = os.waitpid(child, 0)[1]
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass
    return ended == 0


def run(name):
    try:
        result = unittest.TestResult()
        unittest.defaultTestLoader.loadTestsFromName(name).run(result)
        return 0 if result.testsRun > len(result.skipped) and result.wasSuccessful() else 1
    except BaseException:
        return 1


def names(suite):
    for each in suite:
        yield from names(each) if isinstance(each, unittest.TestSuite) else [each.id()]


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    module = importlib.import_module(asked["module"])
    with open(asked["report"], "w") as report:
        for name in asked["names"] or names(unittest.defaultTestLoader.loadTestsFromModule(module)):
            passed = passes(name)
            print(json.dumps([name, passed]), file=report, flush=True)
            if not passed and asked["to_the_first"]:
                break
'''
SERVER = '''\
import importlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import one

importlib.import_module(MODULE)


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        address = urlsplit(self.path)
        right = address.path == "/health" or one.passes(parse_qs(address.query)["run"][0])
        self.send_response(200 if right else 500)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
'''
BESIDE = {"gone.py": GONE, "one.py": ONE}


class LeftOut(Exception):
    """A bug that says nothing here, and why."""


class Oracle:
    """The app of a bug in a folder of its own, in which any version of its files is asked any of its unittests."""

    def __init__(self, folder: Path, files: Mapping[str, bytes], module: str) -> None:
        self._folder, self._files, self._module = folder, files, module
        for path, text in (*files.items(), *((path, text.encode()) for path, text in BESIDE.items())):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text)
        subprocess.run([sys.executable, "-m", "compileall", "-q", "."], cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)

    def outcomes(self, texts: Texts, names: Sequence[str] = (), to_the_first: bool = False) -> dict[str, bool]:
        """Which of the named unittests (none: all of the module) pass with these files; `to_the_first` that does
        not. Raises LeftOut when the module cannot be loaded."""
        report = self._folder / "report.jsonl"
        report.unlink(missing_ok=True)
        asked = {"module": self._module, "report": report.name, "names": list(names), "to_the_first": to_the_first}
        for path, text in texts.items():
            self._put(path, text.encode())
        try:
            done = subprocess.run([sys.executable, "-B", "one.py"], input=json.dumps(asked), text=True,
                                  capture_output=True, cwd=self._folder, check=False, timeout=SECONDS,
                                  env={"PATH": os.defpath, "LANG": "C.UTF-8"})
        finally:
            for path in texts:
                self._put(path, self._files[path])
        if not report.exists():
            raise LeftOut(f"its tests cannot be loaded: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
        return dict(json.loads(line) for line in report.read_text().splitlines())

    def fails(self, texts: Texts, names: Sequence[str]) -> bool:
        """Whether one of these unittests does not pass with these files, nor when it is asked again."""
        try:
            seen = self.outcomes(texts, names, to_the_first=True)
            broken = [name for name, passed in seen.items() if not passed]
            return bool(broken) and not any(self.outcomes(texts, broken).values())
        except LeftOut:
            return True

    def _put(self, path: str, text: bytes) -> None:
        file = self._folder / path
        file.write_bytes(text)
        for stale in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            stale.unlink()


def served(app: Mapping[str, bytes], module: str, names: Sequence[str]) -> dict[str, bytes]:
    """The files of a repository with the app, its service, and tests that run the named unittests of the module."""
    tests = "".join(f"\n\ndef test_{number}_{name.rpartition('.')[2]}():\n    assert one.passes({name!r})\n"
                    for number, name in enumerate(names)) or "\n\ndef test_it_is_there():\n    pass\n"
    head = f"import importlib\n\nimport one\n\nimportlib.import_module({module!r})\n"
    own = {"server.py": SERVER.replace("MODULE", repr(module)), "tests/test_cases.py": head + tests,
           "run_tests.py": RUNNER.replace("alarm(2)", "alarm(20)")}
    return {f"app/{path}": text for path, text in (
        *app.items(), *((path, text.encode()) for path, text in (*BESIDE.items(), *own.items())))}
