"""Routes that are known from visitors alone, and a crash that only they lead to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from stand import Stand, running

from aiimprove.detectors import look_all
from aiimprove.detectors.met import met
from aiimprove.recording import Recorded, Traffic
from aiimprove.settings import Service

TRAFFIC = Traffic(examples=(
    Recorded("site", "GET", "/jars/17/label?width=3"), Recorded("site", "GET", "/jars/4/label?width=x"),
    Recorded("site", "PUT", "/jars/4", body='{"fruit": "plum", "full": true, "more": {"a": 1}}'),
    Recorded("site", "GET", "/v1/files/a.1.css"), Recorded("other", "GET", "/nothing")))
APP = '''\
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

NAMES = {1: "plum", 2: "pear"}


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            status = 200 if self.path == "/ping" else 200 if NAMES.get(int(self.path.split("/")[2])) else 404
        except ValueError as error:
            status = 500
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()


HTTPServer(("127.0.0.1", int(sys.argv[1])), App).serve_forever()
'''


def test_routes_are_told_from_requests() -> None:
    found = {route.name: {(each.location, each.name): each.type for each in route.parameters}
             for route in met(TRAFFIC, "site")}
    assert found == {"GET /jars/{id2}/label": {("path", "id2"): "integer", ("query", "width"): "string"},
                     "PUT /jars/{id2}": {("path", "id2"): "integer", ("body", "fruit"): "string",
                                         ("body", "full"): "boolean"},
                     "GET /v1/files/a.1.css": {}}


@pytest.mark.parametrize("body", ["", "no json", "[1]", "null"])
def test_bodies_without_fields_tell_nothing(body: str) -> None:
    (route,) = met(Traffic(examples=(Recorded("site", "POST", "/jars", body=body),)), "site")
    assert route.parameters == ()


def test_a_crash_on_a_route_that_only_visitors_know(tmp_path: Path) -> None:
    tree, data = tmp_path / "tree", tmp_path / "data"
    tree.mkdir()
    data.mkdir()
    (tree / "app.py").write_text(APP)
    traffic = Traffic(examples=(Recorded("backend", "GET", "/jars/1"),))
    place = Stand(tree, data, sys.executable, words=("app.py", "{port}"), traffic=traffic,
                  service=Service(folder=".", runtime="node", health="/ping"))
    with running(place) as subject:
        (finding,), failed = look_all(subject, ["hostile_values"])
    assert not failed and finding.place == "backend GET /jars/{id2}"
    assert finding.probe.request["path"] == "/jars/nothing-like-this"
