"""Routes from a URL map, and what their functions take out of a request."""

from __future__ import annotations

import json
from pathlib import Path

from aiimprove.detectors.listed import listed
from aiimprove.probes.bodies import content_type
from aiimprove.samples import request

VIEWS = '''\
def search():
    page = int(request.args.get("page", 1))
    return request.args["word"], page


def add():
    data = request.get_json() or {}
    return data["name"], data.get("note"), request.args.get("dry")


def django(request, pk):
    if request.method == "POST":
        json.loads(request.body)["size"]
    return request.GET.get("q", "all"), CACHE["size of it"], OTHER.get("nothing")
'''


def row(path: str, function: str, method: str, file: str = "/release/app/views.py",
        **converters: str) -> dict[str, object]:
    return {"path": path, "converters": converters, "views": [{"method": method, "file": file, "function": function}]}


def test_each_function_tells_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "views.py").write_text(VIEWS)
    rows = [row("/add", "add", "POST"), row("/search", "search", "GET"), row("/d/{pk}/", "django", "", pk="int"),
            row("/static/{f}", "send", "GET", "/x/site-packages/flask/app.py", f="path")]
    (tmp_path / "routes.json").write_text(json.dumps(rows))
    found = listed(tmp_path / "routes.json", tmp_path)
    assert [route.name for route in found] == ["GET /search", "GET /d/{pk}/", "POST /add", "POST /d/{pk}/"]
    taken = {route.name: {(each.location, each.name, each.type, each.schema.get("default"), each.required)
                          for each in route.parameters} for route in found}
    assert taken["GET /search"] == {("query", "page", "integer", 1, False), ("query", "word", "string", None, True)}
    assert taken["POST /add"] == {("body", "name", "string", None, True), ("body", "note", "string", None, False),
                                  ("query", "dry", "string", None, False)}
    assert taken["GET /d/{pk}/"] == {("path", "pk", "integer", None, True), ("query", "q", "string", "all", False)}
    assert ("body", "size", "string", None, True) in taken["POST /d/{pk}/"]


def test_forms_are_taken_and_sent(tmp_path: Path) -> None:
    """Flask's and Django's; what is sent is a form too."""
    text = ("def order():\n    return int(request.form['count']), request.form.get('note', '-')\n\n\n"
            "def buy(request):\n    return request.POST.get('size')\n")
    (tmp_path / "views.py").write_text(text)
    rows = [row("/order", "order", "POST", "/r/views.py"), row("/order", "order", "GET", "/r/views.py"),
            row("/buy", "buy", "", "/r/views.py")]
    (tmp_path / "routes.json").write_text(json.dumps(rows))
    found = {route.name: route for route in listed(tmp_path / "routes.json", tmp_path)}
    assert {(each.location, each.name, each.type) for each in found["POST /order"].parameters} == {
        ("form", "count", "integer"), ("form", "note", "string")}
    assert not found["GET /order"].parameters and not found["GET /buy"].parameters
    assert [each.name for each in found["POST /buy"].parameters] == ["size"]
    sent = request(found["POST /order"], {"form:count": 3, "form:note": "a b&c"})
    assert sorted(sent.body.split("&")) == ["count=3", "note=a+b%26c"]
    assert content_type(sent.body.encode()) == "application/x-www-form-urlencoded"
    assert content_type(b'{"a": 1}') == content_type(b"true") == "application/json"


def test_functions_of_one_name_are_told_apart_by_their_line(tmp_path: Path) -> None:
    """Every class-based view calls them so; a decorator stands above the first line of some."""
    (tmp_path / "views.py").write_text("class A:\n    def get(self):\n        return request.args['a']\n\n\n"
                                       "class B:\n    @known\n    def get(self):\n        return request.args['b']\n")
    views = [{"method": "GET", "file": "/release/views.py", "function": "get", "line": line} for line in (2, 7)]
    rows = [{"path": f"/{each['line']}", "converters": {}, "views": [each]} for each in views]
    (tmp_path / "routes.json").write_text(json.dumps(rows))
    found = listed(tmp_path / "routes.json", tmp_path)
    assert [[each.name for each in route.parameters] for route in found] == [["a"], ["b"]]


def test_without_a_map_there_are_no_routes(tmp_path: Path) -> None:
    assert listed(tmp_path / "none.json", tmp_path) == []
    (tmp_path / "broken.json").write_text("{")
    assert listed(tmp_path / "broken.json", tmp_path) == []
