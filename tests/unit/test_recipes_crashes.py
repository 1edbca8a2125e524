"""A lookup that finds nothing and a value that cannot be read: many shapes of handlers, and refusals."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove.detectors.causes import cause_of
from aiimprove.detectors.tracebacks import Crash
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.mutation import changed_lines
from aiimprove.recipes import Declined, Draft, Recipe
from aiimprove.recipes.absent_404 import Absent404
from aiimprove.recipes.guard_parsing import GuardParsing
from aiimprove.recipes.integer_guard import IntegerGuard
from aiimprove.recipes.lookup_404 import Lookup404
from aiimprove.recipes.null_in_body import NullInBody
from aiimprove.recipes.refusals import django_call
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", tests="tests")})
FASTAPI = "from fastapi import FastAPI\n\napi = FastAPI()\n\n\n@api.get('/b/{key}')\n"
FLASK = "from flask import Flask, request\n\napp = Flask(__name__)\n\n\n@app.route('/b/<key>')\n"
DJANGO = "from django.http import JsonResponse\n\n\n"


def finding(text: str, message: str, exception: str, location: str = "path", parameter: str = "key") -> Finding:
    """One about the line that ends with `# here`."""
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.endswith("# here"))
    around = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
              and node.lineno <= line <= (node.end_lineno or 0)]
    details = {"service": "web", "method": "GET", "route": "/b/{key}", "parameter": parameter, "location": location,
               "file": "main.py", "function": around[-1].name, "line": line, "exception": exception, "message": message}
    probe = Probe("http", "web", {"method": "GET", "path": "/b/nothing-like-this"}, {"status_below": 500})
    return Finding("hostile_values", Kind.BUG, "c", "web/x", "t", "s", probe, 1.0, details)


def write(tree: Path, recipe: Recipe, found: Finding, text: str) -> tuple[object, str]:
    path = tree / "srv" / "main.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    result = recipe.write(found, tree, CONFIG)
    ast.parse(path.read_text())
    return result, path.read_text()


def looked_up(tree: Path, text: str, message: str, parameter: str = "key") -> tuple[object, str]:
    kind = "AttributeError" if "attribute" in message else "TypeError"
    return write(tree, Lookup404(), finding(text, message, kind, parameter=parameter), text)


TITLE, ROW = "'NoneType' object has no attribute 'title'", "'NoneType' object is not subscriptable"
ITERABLE, UNPACK = "'NoneType' object is not iterable", "cannot unpack non-iterable NoneType object"

ROW_OF = "    row = db.execute('SELECT * FROM b WHERE id = ?', (key,)).fetchone()\n"


@pytest.mark.parametrize(("body", "message"), [
    ("    book = db.get(Book, key)\n    return {'title': book.title}  # here\n", TITLE),
    ("    book = BOOKS.get(key)\n    by = AUTHORS[1]\n    return {'a': by.name, 't': book.title}  # here\n", TITLE),
    (ROW_OF + "    return row['title']  # here\n", ROW),
    (ROW_OF + "    return dict(row)  # here\n", ITERABLE),
    (ROW_OF + "    title, year = row  # here\n", UNPACK),
    ("    query = select(Book).where(Book.id == key)\n    book = db.scalars(\n        query\n    ).first()\n"
     "    return book.title  # here\n", TITLE),
    ("    with db() as session:\n        book = session.get(Book, key)\n        return book.title  # here\n", TITLE),
    ("    book = db.get(Book, key)\n    db.delete(book)  # here\n", "Class 'builtins.NoneType' is not mapped"),
    ("    book: Book = find(key)\n    return book.title.upper()  # here\n", TITLE),
    ("    try:\n        book = find(key)\n    except OSError:\n        raise\n    return book.title  # here\n", TITLE),
])
def test_what_is_not_there_is_404_right_after_the_lookup(tmp_path: Path, body: str, message: str) -> None:
    text = FASTAPI + "def one(key: str):\n" + body
    result, after = looked_up(tmp_path, text, message)
    assert isinstance(result, Draft), result
    assert after.count("raise HTTPException(status_code=404)") == 1
    name = "book" if "book" in body else "row"
    lines = after.splitlines()
    guard = next(number for number, line in enumerate(lines) if line.strip() == f"if {name} is None:")
    before = lines[guard - 1]
    assert before.endswith((")", ")  # here")) and len(before) - len(before.lstrip()) == (
        lines[guard].index("if"))
    assert set(text.splitlines()[1:]) <= set(lines)  # nothing else was touched


@pytest.mark.parametrize(("start", "refusal", "added"), [
    (FLASK + "def one(key):\n", "abort(404)", "from flask import Flask, abort, request"),
    (DJANGO + "def one(request, key):\n", "raise Http404", "from django.http import Http404, JsonResponse"),
    (FASTAPI.replace("import FastAPI\n", "import FastAPI, HTTPException as No\n") + "async def one(key):\n",
     "raise No(status_code=404)", "from fastapi import FastAPI, HTTPException as No"),
])
def test_each_framework_refuses_in_its_own_way(tmp_path: Path, start: str, refusal: str, added: str) -> None:
    result, after = looked_up(tmp_path, start + "    book = find(key)\n    return book.title  # here\n", TITLE)
    assert isinstance(result, Draft), result
    assert f"    book = find(key)\n    if book is None:\n        {refusal}\n" in after and after.startswith(added)


@pytest.mark.parametrize("handler", [
    "class One(MethodView):\n    def get(self, key):\n        book = find(key)\n        return book.title  # here\n",
    "class One(views.View):\n    def post(self, key):\n        book = find(key)\n        return book.title  # here\n",
    "def one(key):\n        book = find(key)\n        return book.title  # here\n\n\n"
    "app.add_url_rule('/c/<key>', view_func=one)\n",
])
def test_handlers_without_a_decorator(tmp_path: Path, handler: str) -> None:
    text = FLASK.replace("@app.route('/b/<key>')\n", handler)
    result, after = looked_up(tmp_path, text, TITLE)
    assert isinstance(result, Draft), result
    assert "        book = find(key)\n        if book is None:\n            abort(404)\n" in after


@pytest.mark.parametrize("handler", [
    "class One(Shelf):\n    def get(self, key):\n        book = find(key)\n        return book.title  # here\n",
    "class One(MethodView):\n    def find(self, key):\n        book = find(key)\n        return book.title  # here\n",
    "def one(key):\n        book = find(key)\n        return book.title  # here\n\n\nregister('/c', one)\n",
])
def test_other_methods_and_functions_are_no_handlers(tmp_path: Path, handler: str) -> None:
    result, _ = looked_up(tmp_path, FLASK.replace("@app.route('/b/<key>')\n", handler), TITLE)
    assert isinstance(result, Declined) and "no handler" in result.reason


NO_BOOK, NO_ROW = "Book matching query does not exist.", "No row was found when one was required"
NO_ITEM = "list index out of range"


def absent(tree: Path, text: str, exception: str) -> tuple[object, str]:
    message = {"DoesNotExist": NO_BOOK, "NoResultFound": NO_ROW, "IndexError": NO_ITEM}[exception]
    return write(tree, Absent404(), finding(text, message, exception), text)


@pytest.mark.parametrize(("start", "line", "exception", "caught", "added"), [
    (DJANGO + "def one(request, key):\n", "book = Book.objects.get(pk=key)", "DoesNotExist", "Book.DoesNotExist",
     "from django.http import Http404, JsonResponse\n"),
    (DJANGO + "def one(request, key):\n", "book = models.Book.objects.filter(a=1).get(pk=int(key))", "DoesNotExist",
     "ObjectDoesNotExist", "from django.core.exceptions import ObjectDoesNotExist\n"),
    (DJANGO + "def one(request, key):\n", "book = request.user.books.get(pk=request.GET.get('key'))", "DoesNotExist",
     "ObjectDoesNotExist", "from django.core.exceptions import ObjectDoesNotExist\n"),
    (FASTAPI + "def one(key):\n", "book = db.query(Book).filter(Book.key == key).one()", "NoResultFound",
     "NoResultFound", "from sqlalchemy.exc import NoResultFound\n"),
    (FLASK + "def one(key):\n", "book = db.session.execute(chosen(key)).scalar_one()", "NoResultFound",
     "NoResultFound", "from sqlalchemy.exc import NoResultFound\n"),
])
def test_a_lookup_that_raises_is_404(tmp_path: Path, start: str, line: str, exception: str, caught: str,
                                     added: str) -> None:
    text = f"{start}    {line}  # here\n    return book.title\n"
    result, after = absent(tmp_path, text, exception)
    assert isinstance(result, Draft), result
    assert f"    try:\n        {line}  # here\n    except {caught}:\n        " in after and added in after
    assert after.count("except ") == 1 and after.endswith("    return book.title\n")


@pytest.mark.parametrize(("body", "guard"), [
    ("    rows = all_of(key)\n    book = rows[0]  # here\n    return book\n", "        book = rows[0]  # here\n"),
    ("    rows = all_of(key)\n    return {'b': rows[0]}  # here\n", "        rows[0]\n"),
    ("    return BOOKS[int(key)]  # here\n", "        BOOKS[int(key)]\n"),
])
def test_what_a_list_does_not_hold_is_404(tmp_path: Path, body: str, guard: str) -> None:
    result, after = absent(tmp_path, FASTAPI + "def one(key: str):\n" + body, "IndexError")
    assert isinstance(result, Draft), result
    refused = "    except IndexError:\n        raise HTTPException(status_code=404) from None\n"
    assert f"    try:\n{guard}{refused}" in after


@pytest.mark.parametrize(("body", "exception", "said"), [
    ("    return {'t': Book.objects.get(pk=key).title}  # here\n", "DoesNotExist", "no statement of its own"),
    ("    book = Book.objects.get(pk=key), Book.objects.get(id=key)  # here\n", "DoesNotExist", "2 lookups"),
    ("    book = Book.objects.get(pk=7)  # here\n", "DoesNotExist", "no lookups"),
    ("    found = lookup(key)  # here\n", "NoResultFound", "no lookups"),
    ("    book = rows(key)[0]  # here\n", "IndexError", "no lookups"),
    ("    try:\n        book = one_of(key).one()  # here\n    except Exception:\n        raise\n", "NoResultFound",
     "catches every exception"),
    ("    if one_of(key).one():  # here\n        return 1\n", "NoResultFound", "not read exactly once"),
])
def test_a_raising_lookup_that_is_not_plain_is_left_alone(tmp_path: Path, body: str, exception: str,
                                                          said: str) -> None:
    text = FASTAPI + "def one(key: str):\n" + body
    result, after = absent(tmp_path, text, exception)
    assert isinstance(result, Declined) and said in result.reason, result
    assert after == text


def test_each_of_the_two_leaves_the_others_lookups_alone(tmp_path: Path) -> None:
    text = FASTAPI + "def one(key: str):\n    book = BOOKS.get(key)\n    return book.title  # here\n"
    for recipe, message, exception in ((Absent404(), TITLE, "AttributeError"), (Lookup404(), NO_BOOK, "DoesNotExist")):
        result, after = write(tmp_path, recipe, finding(text, message, exception), text)
        assert result == Declined("") and after == text


@pytest.mark.parametrize(("exception", "message", "cause"), [
    ("DoesNotExist", NO_BOOK, "missing-lookup"), ("NoResultFound", NO_ROW, "missing-lookup"),
    ("IndexError", NO_ITEM, "missing-lookup"), ("IndexError", "No item with that key", "hostile-value"),
    ("UnmappedInstanceError", "Class 'builtins.NoneType' is not mapped", "missing-lookup"),
    ("AttributeError", TITLE, "missing-lookup"), ("ZeroDivisionError", "division by zero", "hostile-value"),
    ("InvalidOperation", "[<class 'decimal.ConversionSyntax'>]", "bad-value")])
def test_the_cause_is_told_from_what_was_raised(exception: str, message: str, cause: str) -> None:
    assert cause_of("nothing-like-this", "path", Crash(exception, message, "main.py:one", 1, "GET", "/")) == cause


def test_a_decimal_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    text = FLASK.replace("from flask", "from decimal import Decimal\n\nfrom flask") + (
        "def one(key):\n    share = Decimal(key)  # here\n    return str(share)\n")
    result, after = read(tmp_path, text, "InvalidOperation")
    assert isinstance(result, Draft), result
    assert after.startswith("from decimal import Decimal, InvalidOperation\n")
    assert "    try:\n        share = Decimal(key)  # here\n    except InvalidOperation:\n        abort(404)\n" in after


def test_the_test_of_a_form_sends_a_form(tmp_path: Path) -> None:
    text = FLASK + "def one():\n    n = int(request.form['key'])  # here\n    return str(n)\n"
    (tmp_path / "srv" / "tests").mkdir(parents=True)
    (tmp_path / "srv" / "tests" / "conftest.py").write_text(
        "import pytest\n@pytest.fixture\ndef client():\n    client = app.test_client()\n    return client\n")
    (tmp_path / "srv" / "tests" / "test_one.py").write_text("def test_one(client): ...\n")
    probe = Probe("http", "web", {"method": "POST", "path": "/b/1", "body": "key=nothing-like-this&note="}, {})
    found = finding(text, "said", "ValueError", "form")
    found = replace(found, probe=probe, details={**found.details, "method": "POST"})
    result, after = write(tmp_path, GuardParsing(), found, text)
    assert isinstance(result, Draft) and "    except ValueError:\n        abort(400)\n" in after, result
    [test] = [each for each in result.files if "tests/" in each]
    assert """client.post("/b/1", data={'key': 'nothing-like-this', 'note': ''})""" in (tmp_path / test).read_text()
    assert django_call(probe.request) == """post("/b/1", {'key': 'nothing-like-this', 'note': ''})"""


@pytest.mark.parametrize(("body", "said"), [
    ("    book = find(key)\n    if key:\n        book = find(1)\n    return book.title  # here\n", "more than"),
    ("    book = find(key)\n    other = find(key)\n    return book.title, other.title  # here\n", "or other may"),
    ("    book = find(key)\n    if book is None:\n        log(key)\n    return book.title  # here\n", "may be meant"),
    ("    book = find(key)\n    name = book and book.name\n    return book.title  # here\n", "None may be meant"),
    ("    book = newest()\n    return book.title  # here\n", "not looked up by key"),
    ("    return find(key).title  # here\n", "not plain what is None"),
    ("    try:\n        book = find(key)\n        return book.title  # here\n    except Exception:\n        raise\n",
     "catches every exception"),
    ("    a = 1; book = find(key)\n    return book.title  # here\n", "shares its line"),
    ("    for book in find(key):\n        print(book.title)  # here\n", "not plain what is None"),
])
def test_a_lookup_that_is_not_plain_is_left_alone(tmp_path: Path, body: str, said: str) -> None:
    text = FASTAPI + "def one(key: str):\n" + body
    result, after = looked_up(tmp_path, text, TITLE)
    assert isinstance(result, Declined) and said in result.reason, result
    assert after == text


def test_what_is_no_handler_is_left_alone(tmp_path: Path) -> None:
    text = FASTAPI + "def one(key):\n    return title(key)\n\n\ndef title(key):\n    book = find(key)\n" \
                     "    return book.title  # here\n"
    result, after = looked_up(tmp_path, text, TITLE)
    assert isinstance(result, Declined) and "no handler" in result.reason and after == text


def read(tree: Path, text: str, exception: str = "ValueError", location: str = "path") -> tuple[object, str]:
    return write(tree, GuardParsing(), finding(text, "said", exception, location), text)


@pytest.mark.parametrize(("body", "exception", "expected"), [
    ("    number = int(key)\n", "ValueError", "try:\n        number = int(key)\n    except ValueError:\n"),
    ("    kind = Color(key)\n", "ValueError", "try:\n        kind = Color(key)\n    except ValueError:\n"),
    ("    when = datetime.fromisoformat(key)\n", "ValueError", "try:\n        when = datetime.fromisoformat(key)\n"),
    ("    one = UUID(key) if key else None\n", "ValueError", "try:\n        one = UUID(key) if key else None\n"),
    ("    rate = RATES[key.upper()]\n", "KeyError", "try:\n        rate = RATES[key.upper()]\n    except KeyError:\n"),
    ("    return {'found': find(int(key), 3)}\n", "ValueError",
     "try:\n        int(key)\n    except ValueError:\n"
     "        raise HTTPException(status_code=404) from None\n    return {'found': find(int(key), 3)}\n"),
    ("    return {'é': find(int(key))}\n", "ValueError", "try:\n        int(key)\n    except ValueError:\n"),
])
def test_what_cannot_be_read_is_refused_where_it_is_read(tmp_path: Path, body: str, exception: str,
                                                         expected: str) -> None:
    enum = "class Color(Enum):\n    RED = 'red'\n\n\n"
    text = FASTAPI.replace("api =", enum + "api =") + "def one(key: str):\n" + body.rstrip("\n") + "  # here\n"
    result, after = read(tmp_path, text, exception)
    assert isinstance(result, Draft), result
    assert expected in after.replace("  # here", "")
    assert after.count("except ") == 1 and "raise HTTPException(status_code=404) from None\n" in after
    moved = {number for number in changed_lines(text, after) if after.splitlines()[number - 1].endswith("# here")}
    assert not moved  # what was only moved in is no new line


@pytest.mark.parametrize(("start", "location", "refusal"), [
    (FASTAPI + "def one(key: str):\n", "query", "raise HTTPException(status_code=422) from None"),
    (FLASK + "def one(key):\n", "query", "abort(400)"),
    (FLASK + "def one(key):\n", "path", "abort(404)"),
    (DJANGO + "def one(request, key):\n", "query", "raise BadRequest from None"),
    (DJANGO + "class One:\n  def get(self, request, key):\n", "path", "raise Http404 from None"),
])
def test_the_refusal_is_what_the_framework_answers_elsewhere(tmp_path: Path, start: str, location: str,
                                                             refusal: str) -> None:
    result, after = read(tmp_path, start + "    number = int(key)  # here\n    return number\n", location=location)
    assert isinstance(result, Draft), result
    assert f"except ValueError:\n        {refusal}\n    return number" in after


def test_a_value_of_the_request_that_is_taken_there(tmp_path: Path) -> None:
    text = FLASK + "def one():\n    limit = int(request.args.get('key', 20))  # here\n    return str(limit)\n"
    result, after = read(tmp_path, text, location="query")
    assert isinstance(result, Draft), result
    assert ("    try:\n        limit = int(request.args.get('key', 20))  # here\n    except ValueError:\n"
            "        abort(400)\n") in after


@pytest.mark.parametrize(("body", "exception", "said"), [
    ("    both = int(key) + float(key)  # here\n", "ValueError", "2 expressions"),
    ("    found = lookup(key)  # here\n", "ValueError", "no expressions"),
    ("    number = int(fetch(key))  # here\n", "ValueError", "something else may raise"),
    ("    return [int(key) for _ in range(3)]  # here\n", "ValueError", "not read exactly once"),
    ("    return find(int(key)) if key else 0  # here\n", "ValueError", "not read exactly once"),
    ("    if int(key) > 3:  # here\n        return 1\n", "ValueError", "not read exactly once"),
    ("    number = int(key)  # here\n", "OverflowError", "not plain which values"),
])
def test_a_reading_that_is_not_plain_is_left_alone(tmp_path: Path, body: str, exception: str, said: str) -> None:
    text = FASTAPI + "def one(key: str):\n" + body
    result, after = read(tmp_path, text, exception)
    assert isinstance(result, Declined) and said in result.reason, result
    assert after == text


def test_the_test_that_comes_with_it_asks_for_the_exact_status(tmp_path: Path) -> None:
    tests = tmp_path / "srv" / "tests"
    tests.mkdir(parents=True)
    (tests / "test_a.py").write_text("from fastapi.testclient import TestClient\nfrom main import api\n\n"
                                     "client = TestClient(api)\n")
    text = FASTAPI + "def one(key: str):\n    book = find(key)\n    return book.title  # here\n"
    result, _ = looked_up(tmp_path, text, TITLE)
    assert isinstance(result, Draft)
    new = next(path for path in result.files if "tests" in path)
    assert (tmp_path / new).read_text() == (
        "from fastapi.testclient import TestClient\nfrom main import api\n\nclient = TestClient(api)\n\n\n"
        "def test_get_b_key_key_not_found():\n"
        "    refused = client.get(\"/b/nothing-like-this\")\n    assert refused.status_code == 404\n")


@pytest.mark.parametrize(("start", "body", "guard"), [
    (FASTAPI + "def add(wanted: Wanted):\n", "    return wanted.key.strip()  # here\n", "wanted.key is None"),
    (FASTAPI + "def add(wanted: Wanted):\n", "    db.execute(SQL, (1, wanted.key))  # here\n", "wanted.key is None"),
    (FLASK + "def add():\n    data = request.get_json()\n", "    return data['key'].strip()  # here\n",
     "data['key'] is None"),
    (FLASK + "def add():\n    data = request.get_json()\n", "    key = data.get('key')\n    if key > 3:  # here\n"
     "        return 'much'\n", "key is None"),
    (DJANGO + "def add(request):\n    data = json.loads(request.body)\n", "    return len(data['key'])  # here\n",
     "data['key'] is None"),
])
def test_null_is_refused_before_it_is_used(tmp_path: Path, start: str, body: str, guard: str) -> None:
    refusal = {FASTAPI: "raise HTTPException(status_code=422)", FLASK: "abort(400)", DJANGO: "raise BadRequest"}
    text = start + body
    result, after = write(tmp_path, NullInBody(), finding(text, "said", "TypeError", "body"), text)
    assert isinstance(result, Draft), result
    said = next(words for begin, words in refusal.items() if start.startswith(begin))
    at = next(line for line in body.splitlines() if line.endswith("# here"))
    assert f"    if {guard}:\n        {said}\n{at}\n" in after


@pytest.mark.parametrize(("body", "said"), [
    ("    if wanted.key is None:\n        pass\n    return wanted.key.strip()  # here\n", "None may be meant"),
    ("    return save(wanted)  # here\n", "not plain what is null"),
    ("    return wanted.key + other.key  # here\n", "not plain what is null"),
    ("    if wanted:\n        return 1\n    elif wanted.key > 3:  # here\n        return 2\n", "no statement of"),
    ("    while wanted.key > 3:  # here\n        wanted.key -= 1\n", "no statement of its own"),
])
def test_a_null_that_is_not_plain_is_left_alone(tmp_path: Path, body: str, said: str) -> None:
    text = FASTAPI + "def add(wanted: Wanted):\n" + body
    result, after = write(tmp_path, NullInBody(), finding(text, "said", "TypeError", "body"), text)
    assert isinstance(result, Declined) and said in result.reason, result
    assert after == text


MOST = 2 ** 63 - 1


def bounded(tree: Path, text: str, location: str, parameter: str = "key", operation: str = "one",
            **more: object) -> tuple[object, str]:
    each = {"parameter": parameter, "location": location, "lowest_ok": None, "highest_ok": MOST, "one_stretch": True,
            "edges": [], **more}
    found = finding(text + "# here\n" if "# here" not in text else text, "", "OverflowError", location)
    details = {**found.details, **each, "operation": operation, "parameters": [each], "valid": {"path": "/b/1"}}
    return write(tree, IntegerGuard(), replace(found, details=details), text)


@pytest.mark.parametrize(("start", "body", "location", "more", "guard"), [
    (FLASK + "def one(key):\n", "    return find(key)  # here\n", "path", {},
     "    if key > 2**63 - 1:\n        abort(404)\n    return find(key)"),
    (FLASK + "def one():\n", "    n = int(request.args.get('key', 1))\n    return find(n)  # here\n", "query",
     {"lowest_ok": -2 ** 63},
     "'key', 1))\n    if not -(2**63) <= n <= 2**63 - 1:\n        abort(400)\n    return find(n)"),
    (DJANGO + "def one(request, key):\n", "    return find(key)  # here\n", "path",
     {"highest_ok": None, "lowest_ok": 0},
     "    if key < 0:\n        raise Http404\n    return find(key)"),
])
def test_a_number_is_refused_beyond_its_border(tmp_path: Path, start: str, body: str, location: str,
                                              more: dict[str, object], guard: str) -> None:
    result, after = bounded(tmp_path, start + body, location, **more)
    assert isinstance(result, Draft), result
    assert guard in after


def test_of_several_classes_the_one_that_answers_gets_the_guard(tmp_path: Path) -> None:
    other = "class Other(MethodView):\n    def get(self, key):\n        return find(key)\n\n\n"
    text = FLASK.replace("@app.route('/b/<key>')\n", other + other.replace("Other", "One").rstrip() + "  # here\n")
    result, after = bounded(tmp_path, text, "path", operation="One.get")
    assert isinstance(result, Draft), result
    assert after.endswith("class One(MethodView):\n    def get(self, key):\n        if key > 2**63 - 1:\n"
                          "            abort(404)\n        return find(key)  # here\n")
    assert other in after


@pytest.mark.parametrize(("text", "more", "said"), [
    (FASTAPI + "def one(key: int):\n    return find(key)  # here\n", {}, ""),
    (FLASK + "def one(key):\n    key = key or 1\n    return find(key)  # here\n", {}, "given anew"),
    (FLASK + "def one(key):\n    return find(key)  # here\n", {"one_stretch": False}, "not one stretch"),
    (FLASK + "def other(key):\n    return find(key)  # here\n", {}, ""),
])
def test_a_number_that_is_not_plain_is_left_alone(tmp_path: Path, text: str, more: dict[str, object],
                                                  said: str) -> None:
    result, after = bounded(tmp_path, text, "path", **more)
    assert isinstance(result, Declined) and said in result.reason and bool(said) == bool(result.reason), result
    assert after == text
