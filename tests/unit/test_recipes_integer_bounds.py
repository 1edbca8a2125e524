"""Bounds in every form that FastAPI takes, wherever the parameter is declared; and refusals."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.fields import readable
from aiimprove.recipes.integer_bounds import IntegerBounds
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", tests="tests")})
MOST = 2 ** 63 - 1


def finding(route: str = "/items", parameter: str = "page", location: str = "query", method: str = "GET",
            operation: str = "", **details: object) -> Finding:
    sent = {"method": method, "path": route + f"?{parameter}={MOST + 1}"}
    known = {"service": "web", "method": method, "route": route, "operation": operation, "parameter": parameter,
             "location": location, "valid": {"method": method, "path": route}, "lowest_ok": None, "highest_ok": MOST,
             "one_stretch": True}
    return Finding("hostile_values", Kind.BUG, "integer-out-of-range", "here", "t", "s",
                   Probe("http", "web", sent, {"status_below": 500}), 1.0, {**known, **details})


def write(tree: Path, found: Finding, **files: str) -> Draft | Declined:
    for name, text in files.items():
        path = tree / "srv" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return IntegerBounds().write(found, tree, CONFIG)


HEAD = "from fastapi import FastAPI\n\napi = FastAPI()\n\n\n@api.get('/items')\n"


@pytest.mark.parametrize(("before", "after"), [
    ("page: int", "page: Annotated[int, Query(le=2**63 - 1)]"),
    ("page: int = 1", "page: Annotated[int, Query(le=2**63 - 1)] = 1"),
    ("page: int | None = None", "page: Annotated[int | None, Query(le=2**63 - 1)] = None"),
    ("page: Optional[int] = None", "page: Annotated[Optional[int], Query(le=2**63 - 1)] = None"),
    ("page: Union[int, None] = None", "page: Annotated[Union[int, None], Query(le=2**63 - 1)] = None"),
    ("page: int = Query(1, ge=1)", "page: int = Query(1, ge=1, le=2**63 - 1)"),
    ("page: int = Query(1,  ge = 1)", "page: int = Query(1,  ge = 1,  le=2**63 - 1)"),
    ("page: int = Query()", "page: int = Query(le=2**63 - 1)"),
    ("page: int = Query(1, le=10**9)", None),
    ("page: int = Query(1, le=99999999999999999999)", "page: int = Query(1, le=2**63 - 1)"),
    ("page: Annotated[int, Query(ge=1)] = 1", "page: Annotated[int, Query(ge=1, le=2**63 - 1)] = 1"),
    ("page: Annotated[int, fastapi.Query()] = 1", "page: Annotated[int, fastapi.Query(le=2**63 - 1)] = 1"),
    ("page: Annotated[int, 'which'] = 1", "page: Annotated[int, 'which', Query(le=2**63 - 1)] = 1"),
    ("number: int = Query(1, alias='page')", "number: int = Query(1, alias='page', le=2**63 - 1)"),
    ("q: str = '', *, page: int = 1", "q: str = '', *, page: Annotated[int, Query(le=2**63 - 1)] = 1"),
    ("page: str = '1'", None),
    ("page: float = 1", None),
    ("page: list[int] = Query()", None),
    ("page: 'int' = 1", None),
    ("page: PageNumber = 1", None),
    ("page: int | str = 1", None),
    ("page: int = Query(1, lt=10**30)", None),
    ("page: int = Query(1, **SHARED)", None),
    ("other: int = 1", None),
])
def test_each_form_of_a_parameter(tmp_path: Path, before: str, after: str | None) -> None:
    text = HEAD + "async def items({}):\n    return []  # as it was\n"
    result = write(tmp_path, finding(), main=text.format(before))
    written = (tmp_path / "srv" / "main.py").read_text()
    if after is None:
        assert isinstance(result, Declined) and written == text.format(before)
        return
    assert isinstance(result, Draft), result
    assert f"async def items({after}):\n    return []  # as it was\n" in written
    ast.parse(written)


def test_imports_join_the_order_that_is_there(tmp_path: Path) -> None:
    write(tmp_path, finding(), main="import os\nfrom zlib import crc32\n\nfrom fastapi import (\n    APIRouter,\n"
          "    Request,\n)\n\nr = APIRouter()\n\n\n@r.get('/items')\ndef items(page: int): ...\n")
    assert (tmp_path / "srv" / "main.py").read_text().startswith(
        "import os\nfrom typing import Annotated\nfrom zlib import crc32\n\nfrom fastapi import (\n    APIRouter,\n"
        "    Query,\n    Request,\n)\n")


def test_a_path_that_is_a_file_keeps_its_name(tmp_path: Path) -> None:
    write(tmp_path, finding("/items/{item}", "item", "path"),
          main="from pathlib import Path\n\nimport fastapi\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
               "@app.get('/items/{item}')\ndef one(item: int): ...\n")
    text = (tmp_path / "srv" / "main.py").read_text()
    assert "def one(item: Annotated[int, fastapi.Path(le=2**63 - 1)]): ..." in text
    write(tmp_path, finding("/items/{item}", "item", "path"),
          main="from pathlib import Path\n\nfrom fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
               "@app.get('/items/{item}')\ndef one(item: int): ...\n")
    text = (tmp_path / "srv" / "main.py").read_text()
    assert "from fastapi import FastAPI\nfrom fastapi import" not in text
    assert "from fastapi import FastAPI, Path as FastapiPath" in text
    assert "item: Annotated[int, FastapiPath(le=2**63 - 1)]" in text


ROUTER = ("from fastapi import APIRouter\n\nrouter = APIRouter({})\n\n\n"
          "@router.get('/{{key}}')\ndef one(key: int): ...\n")


@pytest.mark.parametrize(("users", "books", "main"), [
    ("prefix='/users'", "prefix='/books'", "app.include_router(users.router)\napp.include_router(books.router)\n"),
    ("", "", "app.include_router(users.router, prefix='/users')\napp.include_router(books.router, prefix='/books')\n"),
    ("", "prefix='/books'", "app.include_router(users.router, prefix='/users')\napp.include_router(books.router)\n"),
])
def test_prefixes_tell_two_handlers_of_one_name_apart(tmp_path: Path, users: str, books: str, main: str) -> None:
    entry = "from fastapi import FastAPI\nfrom .routes import books, users\n\napp = FastAPI()\n" + main
    result = write(tmp_path, finding("/books/{key}", "key", "path", operation="one_books__key__get"),
                   pkg__routes__users=ROUTER.format(users), pkg__routes__books=ROUTER.format(books), pkg__app=entry)
    assert isinstance(result, Draft), result
    assert result.files == ("srv/pkg/routes/books.py",)


def test_two_handlers_that_cannot_be_told_apart_are_left_alone(tmp_path: Path) -> None:
    result = write(tmp_path, finding("/x/{key}", "key", "path"), a=ROUTER.format(""), b=ROUTER.format(""))
    assert result == Declined("2 functions might answer GET /x/{key}")


def test_a_parameter_of_a_dependency(tmp_path: Path) -> None:
    result = write(tmp_path, finding(), deps="def paging(page: int = 1, size: int = 5):\n    return page\n",
                   main="from typing import Annotated\nfrom fastapi import Depends, FastAPI\nfrom deps import paging\n"
                        "Paging = Annotated[int, Depends(paging)]\napp = FastAPI()\n\n\n"
                        "@app.get('/items')\ndef items(where: Paging): ...\n")
    assert isinstance(result, Draft) and result.files == ("srv/deps.py",)
    assert "page: Annotated[int, Query(le=2**63 - 1)] = 1, size: int = 5" in (tmp_path / "srv/deps.py").read_text()


def test_a_class_as_a_dependency(tmp_path: Path) -> None:
    text = ("from fastapi import Depends, FastAPI\n\napp = FastAPI()\n\n\nclass Paging:\n"
            "    def __init__(self, page: int = 1):\n        self.page = page\n\n\n"
            "@app.get('/items')\ndef items(where: Paging = Depends()): ...\n")
    assert isinstance(write(tmp_path, finding(), main=text), Draft)
    assert "self, page: Annotated[int, Query(le=2**63 - 1)] = 1" in (tmp_path / "srv/main.py").read_text()


MODEL = ("from fastapi import FastAPI\nfrom pydantic import BaseModel\n\napp = FastAPI()\n\n\nclass Order(BaseModel):\n"
         "    item: int\n    name: str = ''\n\n\n"
         "@app.post('/orders/{item}')\ndef order(item: int, wanted: Order): ...\n")


def test_a_field_of_a_body_is_not_the_path_parameter_of_its_name(tmp_path: Path) -> None:
    found = finding("/orders/{item}", "item", "body", "POST")
    assert isinstance(write(tmp_path, found, main=MODEL), Draft)
    text = (tmp_path / "srv/main.py").read_text()
    assert "    item: Annotated[int, Field(le=2**63 - 1)]\n    name" in text
    assert "def order(item: int, wanted: Order)" in text
    assert "from pydantic import BaseModel, Field\n" in text


def test_every_parameter_that_crashes_is_bounded_in_one_patch(tmp_path: Path) -> None:
    each = [{"parameter": name, "location": "query", "lowest_ok": least, "highest_ok": MOST, "one_stretch": True}
            for name, least in (("from", None), ("size", -MOST - 1))]
    result = write(tmp_path, finding(parameters=each), main=HEAD + "def items(start: Start = 0, size: int = 1): ...\n",
                   kinds="Start = Annotated[int, Query(ge=0, alias='from')]\n")
    assert isinstance(result, Draft) and set(result.files) == {"srv/main.py", "srv/kinds.py"}
    assert "Start = Annotated[int, Query(ge=0, alias='from', le=2**63 - 1)]" in (tmp_path / "srv/kinds.py").read_text()
    assert "size: Annotated[int, Query(ge=-(2**63), le=2**63 - 1)] = 1" in (tmp_path / "srv/main.py").read_text()


def test_a_signature_that_grows_too_long_gets_a_line_for_each_parameter(tmp_path: Path) -> None:
    each = [{"parameter": name, "location": "query", "lowest_ok": -MOST - 1} for name in ("page", "size")]
    write(tmp_path, finding(parameters=each),
          main=HEAD + "def items(page: int = 0, size: int = 1, db=Depends(get_db)) -> list[str]:\n    return []\n")
    assert (tmp_path / "srv/main.py").read_text().endswith("""
def items(
    page: Annotated[int, Query(ge=-(2**63), le=2**63 - 1)] = 0,
    size: Annotated[int, Query(ge=-(2**63), le=2**63 - 1)] = 1,
    db=Depends(get_db),
) -> list[str]:
    return []
""")


@pytest.mark.parametrize(("before", "after"), [
    ("    age: int | None = None\n", "    age: int | None = Field(default=None, le=2**63 - 1)\n"),
    ("    age: int\n", "    age: int = Field(le=2**63 - 1)\n"),
    ("    age: int = Field(1, index=True)\n", "    age: int = Field(1, index=True, le=2**63 - 1)\n"),
])
def test_sqlmodel_has_a_field_of_its_own(tmp_path: Path, before: str, after: str) -> None:
    head = "from sqlmodel import SQLModel\n\n\nclass Hero(SQLModel):\n    id: int\n"
    main = "from fastapi import FastAPI\n\napi = FastAPI()\n\n\n@api.post('/items')\ndef add(hero: Hero): ...\n"
    result = write(tmp_path, finding(parameter="age", location="body", method="POST"), main=main, models=head + before)
    assert isinstance(result, Draft), result
    assert (tmp_path / "srv/models.py").read_text().endswith("    id: int\n" + after)


def test_one_parameter_without_borders_spoils_the_patch(tmp_path: Path) -> None:
    each = [{"parameter": "page"}, {"parameter": "size", "one_stretch": False}]
    main = HEAD + "def items(page: int = 0, size: int = 1): ...\n"
    assert isinstance(write(tmp_path, finding(parameters=each), main=main), Declined)
    assert (tmp_path / "srv" / "main.py").read_text() == main


def test_existing_lower_bounds_and_new_ones_stand_together(tmp_path: Path) -> None:
    text = HEAD + "def items(page: int = 1): ...\n"
    write(tmp_path, finding(lowest_ok=-(2 ** 63 // 24) + 1, highest_ok=MOST // 24 + 1), main=text)
    written = (tmp_path / "srv/main.py").read_text()
    assert "Query(ge=-(2**63 // 24) + 1, le=(2**63 - 1) // 24 + 1)" in written


@pytest.mark.parametrize("value", [0, 1, -1, 7, 2 ** 31 - 1, 2 ** 31, -2 ** 31, 2 ** 63 - 1, -2 ** 63, 123456789,
                                   (2 ** 63 - 1) // 100 + 1, -(2 ** 63 // 7) + 1, (2 ** 63 - 1) // 997, 999999999999999,
                                   2 ** 62 + 12345])
def test_a_readable_bound_is_the_bound(value: int) -> None:
    assert eval(readable(value)) == value


@pytest.mark.parametrize("details", [{"one_stretch": False}, {"highest_ok": None}])
def test_without_borders_nothing_is_written(tmp_path: Path, details: dict[str, object]) -> None:
    result = write(tmp_path, finding(**details), main=HEAD + "def items(page: int = 1): ...\n")  # type: ignore[arg-type]
    assert isinstance(result, Declined) and "one stretch" in result.reason


TESTED = HEAD + "def items(page: int = 1): ...\n"
NAME = "test_get_items_page_bounds"


@pytest.mark.parametrize(("test_files", "start"), [
    ({"conftest": "import pytest\nfrom fastapi.testclient import TestClient\n\n@pytest.fixture\ndef web():\n"
                  "    with TestClient(app) as each:\n        yield each\n", "test_a": ""},
     f"def {NAME}(web):\n    refused = web.get("),
    ({"test_a": "from fastapi.testclient import TestClient\nfrom main import api\n\nclient = TestClient(api)\n"},
     "from fastapi.testclient import TestClient\nfrom main import api\n\nclient = TestClient(api)\n\n\n"
     f"def {NAME}():\n    refused = client.get("),
    ({"test_a": "from fastapi.testclient import TestClient\nfrom main import make, x\n\ndef test_b():\n"
                "    with TestClient(make()) as c:\n        c.get('/')\n"},
     "from fastapi.testclient import TestClient\nfrom main import make\n\nclient = TestClient(make())\n\n\ndef "),
    ({"__init__": "", "test_a": "import pytest\nfrom fastapi.testclient import TestClient\n\n@pytest.fixture()\n"
                                "def client():\n    return TestClient(app)\n"},
     "import pytest\nfrom fastapi.testclient import TestClient\n\n\n@pytest.fixture()\ndef client():\n"
     f"    return TestClient(app)\n\n\ndef {NAME}(client):\n"),
    ({"test_a": "", "conftest": "import pytest\nfrom fastapi.testclient import TestClient\n\n@pytest.fixture\n"
                                "def client(session):\n    def override():\n        yield session\n"
                                "    app.dependency_overrides[get_db] = override\n    client = TestClient(app)\n"
                                "    yield client\n    app.dependency_overrides.clear()\n"},
     f"def {NAME}(client):\n    refused = client.get("),
    ({"test_a": "import pytest\nfrom fastapi.testclient import TestClient\n\n@pytest.fixture\ndef app(tmp_path):\n"
                "    return make(tmp_path)\n\n@pytest.fixture\ndef http(app):\n    with TestClient(app) as c:\n"
                "        yield c\n"},
     "import pytest\nfrom fastapi.testclient import TestClient\n\n\n@pytest.fixture\ndef app(tmp_path):\n"
     "    return make(tmp_path)\n\n\n@pytest.fixture\ndef http(app):\n    with TestClient(app) as c:\n        yield c\n"
     f"\n\ndef {NAME}(http):\n"),
    ({"test_a": "", "conftest": "import pytest\nfrom httpx import ASGITransport, AsyncClient\nfrom main import api\n\n"
                                "@pytest.fixture\nasync def client():\n    transport = ASGITransport(app=api)\n"
                                "    async with AsyncClient(transport=transport) as c:\n        yield c\n"},
     "from fastapi.testclient import TestClient\nfrom main import api\n\nclient = TestClient(api)\n\n\ndef "),
    ({"test_a": "import unittest\nfrom fastapi.testclient import TestClient\nfrom main import api\n\n"
                "class TestIt(unittest.TestCase):\n    def setUp(self):\n        self.client = TestClient(api)\n"},
     "from fastapi.testclient import TestClient\nfrom main import api\n\nclient = TestClient(api)\n\n\ndef "),
])
def test_the_new_test_gets_its_client_as_the_others_do(tmp_path: Path, test_files: dict[str, str], start: str) -> None:
    folder = tmp_path / "srv" / "tests"
    folder.mkdir(parents=True)
    for name, text in test_files.items():
        (folder / f"{name}.py").write_text(text)
    result = write(tmp_path, finding(), main=TESTED)
    assert isinstance(result, Draft), result
    written = (folder / f"{NAME}.py").read_text()
    assert written.startswith(start)
    ast.parse(written)


def test_an_unknown_way_to_test_costs_the_test_and_not_the_fix(tmp_path: Path) -> None:
    folder = tmp_path / "srv" / "tests"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text("import httpx\n\ndef test_b():\n    httpx.get('http://localhost:1')\n")
    result = write(tmp_path, finding(), main=TESTED)
    assert isinstance(result, Draft) and result.files == ("srv/main.py",) and "No test comes with it" in result.claim
