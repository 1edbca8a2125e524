"""A small shop that needs nothing but Python: an API over SQLite with a bug, migrations, tests and an OpenAPI document.

`/items?page=` crashes above 1000. The repository, its config and its releases are real.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from proof_apps import Home, quiet

from aiimprove.build import build
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.proving import Case
from aiimprove.recording import Recorded, Traffic
from aiimprove.sandbox import find_box
from aiimprove.settings import Deploy, Proof, Service

PYTHON = str(getattr(sys, "_base_executable", sys.executable))

APP = '''\
import json
import os
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def items(query):
    page = int(query.get("page", ["0"])[0])
    if page > 1000:
        raise OverflowError(page)
    return 200, {"page": page, "items": [page * 10 + n for n in range(10)]}


def count(query):
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        return 200, {"count": connection.execute("SELECT count(*) FROM item").fetchone()[0]}


def names(query):
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        return 200, [name.upper() for name, in connection.execute("SELECT name FROM item ORDER BY id DESC LIMIT 20")]


def add(name):
    with sqlite3.connect(os.environ["SHOP_DB"]) as connection:
        return 201, {"id": connection.execute("INSERT INTO item (name) VALUES (?)", (name,)).lastrowid}


def health(query):
    return 200, {"ok": True}


def slow(query):
    time.sleep(0.012)
    return 200, {"slow": True}


def described(query):
    return 200, json.load(open("openapi.json"))


ROUTES = {"/items": items, "/count": count, "/slow": slow, "/names": names, "/health": health,
          "/openapi.json": described}


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        self.answer(lambda: ROUTES[address.path](parse_qs(address.query)))

    def do_POST(self):
        item = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.answer(lambda: add(item["name"]))

    def answer(self, ask):
        try:
            status, answer = ask()
        except Exception as error:
            status, answer = 500, {"error": repr(error)}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Shop).serve_forever()
'''

MIGRATE = '''\
import glob
import os
import sqlite3

connection = sqlite3.connect(os.environ["SHOP_DB"], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
for number, path in enumerate(sorted(glob.glob("migrations/*.sql")), 1):
    if connection.execute("PRAGMA user_version").fetchone()[0] < number:
        connection.executescript(f"BEGIN IMMEDIATE; {open(path).read()}; PRAGMA user_version = {number}; COMMIT")
'''

RUN_TESTS = '''\
import glob
import importlib.util
import sys
import traceback
from xml.sax.saxutils import quoteattr

cases = []
sys.path.insert(0, ".")
for path in sorted(glob.glob("tests/test_*.py")):
    spec = importlib.util.spec_from_file_location(path[6:-3], path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in sorted(vars(module)):
        if name.startswith("test_"):
            try:
                vars(module)[name]()
                said = ""
            except Exception:
                said = f"<failure message={quoteattr(traceback.format_exc())}/>"
            cases.append(f"<testcase classname={quoteattr(module.__name__)} name={quoteattr(name)}>{said}</testcase>")
open(sys.argv[1], "w").write(f"<testsuite>{''.join(cases)}</testsuite>")
'''

TESTS = '''\
from app import items


def test_a_page_has_ten_items():
    assert items({"page": ["2"]})[1]["items"][0] == 20


def test_the_first_page_is_the_default():
    assert items({})[1]["page"] == 0
'''


def number(**more: object) -> dict[str, object]:
    return {"in": "query", "name": "page", "schema": {"type": "integer", **more}}


def openapi(**changes: object) -> str:
    answer = {"type": "object", "required": ["page"], "properties": {
        "page": {"type": "integer"}, "items": {"type": "array", "items": {"type": "integer"}}}}
    operation = {"parameters": [number()], "responses": {
        "200": {"content": {"application/json": {"schema": answer}}}}} | changes
    named = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
    adding = {"requestBody": {"content": {"application/json": {"schema": named}}}}
    paths = {"/items": {"get": operation}, "/names": {"get": {}, "post": adding}}
    return json.dumps({"openapi": "3.1.0", "paths": paths}, indent=1)


FILES = {"shop/app.py": APP, "shop/migrate.py": MIGRATE, "shop/run_tests.py": RUN_TESTS, "shop/openapi.json": openapi(),
         "shop/tests/test_items.py": TESTS,
         "shop/migrations/0001.sql": "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, note TEXT);"
                                     "INSERT INTO item (name) VALUES ('one'), ('two')"}
FIXED = APP.replace('raise OverflowError(page)', 'return 422, {"error": "no such page"}')
FAR_PAGES = '''\
from app import items


def test_far_pages():
    assert items({"page": ["1001"]}) == (422, {"error": "no such page"})
    assert items({"page": ["1000"]})[0] == 200
'''
"""A test that holds the fix: without it nobody would notice small mistakes in it."""

SERVICE = Service(folder="shop", start=[PYTHON, "app.py", "{port}"], health="/health", smoke=["/items", "/count"],
                  openapi="/openapi.json", databases=["shop.db"], migrate=[PYTHON, "migrate.py"],
                  migrations="migrations", test=[PYTHON, "run_tests.py", "{report}"], tests="tests",
                  env={"SHOP_DB": "{data}/shop.db"})

FINDING = Finding("hostile_values", Kind.BUG, "integer-out-of-range", "shop GET /items page", "crashes", "crashes",
                  Probe("http", "shop", {"method": "GET", "path": "/items?page=5000"}, {"status_below": 500}),
                  details={"method": "GET", "route": "/items", "parameter": "page"})


def visited(*requests: tuple[str, str] | tuple[str, str, str]) -> Traffic:
    """What a browser asked of the shop: method, address and, of a write, its body."""
    headers = {"content-type": "application/json", "origin": "http://shop.example"}
    asked = tuple(Recorded("shop", method, uri, headers if body else {}, "".join(body))
                  for method, uri, *body in requests)
    return Traffic({each.shape: 10.0 for each in asked}, asked)


CALM = visited(("GET", "/slow"), ("GET", "/items?page=5000"))


class Shop(Home):
    """The shop in a repository, with its first version built."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, {"shop": SERVICE}, FILES)
        self.config = self.configured(deploy=Deploy(healthy_answers=1, start_seconds=15),
                                      proof=Proof(pairs=12, nice=10))
        self.live = root / "live"
        self.live.mkdir()
        self.box = find_box()
        self.baseline = build(self.config, self.repository, self.first, self.box, quiet)
        self.cases = 0

    def case(self, files: Mapping[str, str | None], finding: Finding | None = FINDING,
             traffic: Traffic = CALM) -> Case:
        """A candidate that changes these files, ready to be proven."""
        self.git("reset", "-q", "--hard", self.first)
        candidate = build(self.config, self.repository, self.commit(files), self.box, quiet)
        self.cases += 1
        return Case(self.config, self.repository, finding, self.baseline, candidate, self.live,
                    self.root / f"work{self.cases}", self.box, quiet, traffic=traffic)
