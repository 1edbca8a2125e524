"""Values that were written into SQL: bound in the way of each driver, and left where a name or a list may stand."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from aiimprove.finding import Finding, Kind, Probe
from aiimprove.recipes import Declined, Draft
from aiimprove.recipes.bound_parameters import BoundParameters
from aiimprove.settings import Config, Service

CONFIG = Config(services={"web": Service(folder="srv", tests="tests")})
SQLITE = "import sqlite3\n\n\ndef one(db, q: str, n: int, owner=None):\n"
PSYCOPG = SQLITE.replace("sqlite3", "psycopg")
DJANGO = "from django.db import connection\n\n\ndef one(request, q):\n    cursor = connection.cursor()\n"
ALCHEMY = "from sqlalchemy import text\n\n\ndef one(db, q: str):\n"


def write(tree: Path, text: str, line: str = "# here", parameter: str = "q", **more: str) -> tuple[object, str]:
    """What becomes of a file about whose marked line the finding is."""
    number = next((number for number, row in enumerate(text.splitlines(), 1) if row.endswith(line)),
                  len(text.splitlines()))
    details = {"service": "web", "method": "GET", "route": "/b", "parameter": parameter, "location": "query",
               "file": "main.py", "function": "one", "line": number, "valid": {"method": "GET", "path": "/b?q=a"}}
    asked = {"method": "GET", "path": "/b?q=true", "other": {"method": "GET", "path": "/b?q=false"}, "said": [
        "a' OR 'qk7' LIKE 'qk7", "a' OR 'qk7' LIKE 'qk8", "a"]}
    found = Finding("sql_injection", Kind.SECURITY, "sql-injection", "web/one q", "t", "s",
                    Probe("alike", "web", asked, {"status_below": 500}), 1.0, details)
    for name, each in {"main": text, **more}.items():
        path = tree / "srv" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each)
    result = BoundParameters().write(found, tree, CONFIG)
    after = (tree / "srv" / "main.py").read_text()
    ast.parse(after)
    return result, after


@pytest.mark.parametrize(("head", "body", "expected"), [
    (SQLITE, "return db.execute(f\"SELECT * FROM b WHERE t = '{q}'\").fetchall()",
     'return db.execute("SELECT * FROM b WHERE t = ?", (q,)).fetchall()'),
    (SQLITE, "return db.execute(f\"SELECT * FROM b WHERE t LIKE '%{q}%' OR n LIKE '{q}%'\")",
     'return db.execute("SELECT * FROM b WHERE t LIKE ? OR n LIKE ?", (f"%{q}%", f"{q}%"))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE t = '%s' AND n = %d\" % (q, n))",
     'return db.execute("SELECT * FROM b WHERE t = ? AND n = ?", (q, n))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE t LIKE '%%%s%%'\" % q)",
     'return db.execute("SELECT * FROM b WHERE t LIKE ?", (f"%{q}%",))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE t = '{}'\".format(q))",
     'return db.execute("SELECT * FROM b WHERE t = ?", (q,))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE t = '{t}' AND n > {n}\".format(n=n, t=q))",
     'return db.execute("SELECT * FROM b WHERE t = ? AND n > ?", (q, n))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE t = '\" + q + \"' ORDER BY n\")",
     'return db.execute("SELECT * FROM b WHERE t = ? ORDER BY n", (q,))'),
    (SQLITE, "return db.execute(\"SELECT * FROM b WHERE n = \" + str(n) + \" AND t = '\" + q + \"'\")",
     'return db.execute("SELECT * FROM b WHERE n = ? AND t = ?", (n, q))'),
    (SQLITE, "return db.execute(f\"SELECT * FROM b WHERE t = '{q}' AND o = '{owner}'\")",
     'return db.execute("SELECT * FROM b WHERE t = ? AND o = ?", (q, str(owner)))'),
    (SQLITE, "return db.execute(f\"SELECT * FROM b WHERE n = ? AND t = '{q}' AND k = ?\", (n, 3))",
     'return db.execute("SELECT * FROM b WHERE n = ? AND t = ? AND k = ?", (n, q, 3))'),
    (SQLITE, "sql = f\"SELECT * FROM b WHERE t = '{q}'\"\n    return db.execute(sql).fetchall()",
     'sql = "SELECT * FROM b WHERE t = ?"\n    return db.execute(sql, (q,)).fetchall()'),
    (SQLITE, "rows = db.execute(\n        \"SELECT * FROM b \"\n        f\"WHERE t = '{q}'\"\n    )\n    return rows",
     'rows = db.execute(\n        "SELECT * FROM b "\n        "WHERE t = ?",\n        (q,)\n    )\n    return rows'),
    (SQLITE, 'rows = db.execute(f"""\n        SELECT * FROM b\n        WHERE t = \'{q}\'\n    """)\n    return rows',
     'rows = db.execute("""\n        SELECT * FROM b\n        WHERE t = ?\n    """, (q,))\n    return rows'),
    (SQLITE, "db.execute(f\"INSERT INTO b VALUES ('{q}', {n}), ('it''s', '{q}')\")",
     "db.execute(\"INSERT INTO b VALUES (?, ?), ('it''s', ?)\", (q, n, q))"),
    (SQLITE, "db.execute(f\"UPDATE b SET t = '{q}', at = date('now', '-{n} days') WHERE n BETWEEN {n} AND {n}\")",
     'db.execute("UPDATE b SET t = ?, at = date(\'now\', ?) WHERE n BETWEEN ? AND ?", (q, f"-{n} days", n, n))'),
    (SQLITE, "return db.execute(f\"SELECT '{{x}}' FROM b WHERE t = '{q.strip()}'\")",
     "return db.execute(\"SELECT '{x}' FROM b WHERE t = ?\", (q.strip(),))"),
    (SQLITE, "q = q.strip()\n    return db.execute(f\"SELECT * FROM b WHERE t = '{q}'\")",
     'q = q.strip()\n    return db.execute("SELECT * FROM b WHERE t = ?", (q,))'),
    (PSYCOPG, "return db.execute(f\"SELECT * FROM b WHERE t = '{q}' AND u LIKE 'a%'\")",
     "return db.execute(\"SELECT * FROM b WHERE t = %s AND u LIKE 'a%%'\", (q,))"),
    (PSYCOPG, "return db.execute(f\"SELECT * FROM b WHERE u = %s AND t LIKE '%%{q}%%'\", [n])",
     'return db.execute("SELECT * FROM b WHERE u = %s AND t LIKE %s", [n, f"%{q}%"])'),
    (DJANGO, "cursor.execute(f\"SELECT * FROM b WHERE t = '{q}'\")\n    return cursor.fetchall()",
     'cursor.execute("SELECT * FROM b WHERE t = %s", [q])\n    return cursor.fetchall()'),
    (DJANGO, "return B.objects.raw(\"SELECT * FROM b WHERE t = '%s'\" % request.GET['q'])",
     'return B.objects.raw("SELECT * FROM b WHERE t = %s", [request.GET[\'q\']])'),
    (DJANGO, "return B.objects.raw(f\"SELECT * FROM b WHERE t LIKE '%{request.GET.get('q', '')}%'\")",
     'return B.objects.raw("SELECT * FROM b WHERE t LIKE %s", [f"%{request.GET.get(\'q\', \'\')}%"])'),
    (ALCHEMY, "return db.execute(text(f\"SELECT * FROM b WHERE t = '{q}' OR u = '{q}'\"))",
     'return db.execute(text("SELECT * FROM b WHERE t = :q OR u = :q"), {"q": q})'),
    (ALCHEMY, "query = text(f\"SELECT * FROM b WHERE t LIKE '%{q}%'\")\n    return db.execute(query).all()",
     'query = text("SELECT * FROM b WHERE t LIKE :q").bindparams(q=f"%{q}%")\n    return db.execute(query).all()'),
    (ALCHEMY, "sql = f\"SELECT * FROM b WHERE t = '{q}' AND u = '{q}%'\"\n    return db.execute(text(sql))",
     'sql = "SELECT * FROM b WHERE t = :q AND u = :q_2"\n'
     '    return db.execute(text(sql), {"q": q, "q_2": f"{q}%"})'),
    (ALCHEMY, "return db.query(B).filter(text(f\"t = '{q}'\")).all()",
     'return db.query(B).filter(text("t = :q").bindparams(q=q)).all()'),
])
def test_what_was_written_into_a_statement_is_bound(tmp_path: Path, head: str, body: str, expected: str) -> None:
    result, after = write(tmp_path, f"{head}    {body}\n")
    assert isinstance(result, Draft), result
    assert after == f"{head}    {expected}\n"


def test_the_sqlite_statements_answer_as_before(tmp_path: Path) -> None:
    """Run before and after, with what is usual and with an attack."""
    body = ("    db.execute(\"CREATE TABLE b (t TEXT, n INTEGER)\")\n"
            "    db.execute(\"INSERT INTO b VALUES ('x''y%', 7)\")\n"
            "    sql = (\"SELECT * FROM b WHERE t LIKE '%\" + q + \"%' AND n = \" + str(n))\n"
            "    return db.execute(sql).fetchall()  # here\n")
    text = SQLITE + body
    result, after = write(tmp_path, text)
    assert isinstance(result, Draft), result
    import sqlite3
    found = {}
    for name, code in (("before", text), ("after", after)):
        space: dict[str, object] = {}
        exec(code, space)
        found[name] = [space["one"](sqlite3.connect(":memory:"), q, n)  # type: ignore[operator]
                       for q, n in (("x''y", 7), ("", 7), ("no", 7), ("x", 8))]
        found[f"{name} attacked"] = space["one"](  # type: ignore[operator]
            sqlite3.connect(":memory:"), "no' OR 'a' LIKE 'a", 7)
    assert found["before"][1:] == found["after"][1:] == [[("x'y%", 7)], [], []]
    assert found["before attacked"] and not found["after attacked"]


@pytest.mark.parametrize(("head", "body", "said"), [
    (SQLITE, "db.execute(f'SELECT * FROM {q}')", "name of a table"),
    (SQLITE, "db.execute(f'SELECT {q} FROM b')", "no value stands"),
    (SQLITE, "db.execute(f'SELECT * FROM b ORDER BY {q}')", "name of a table"),
    (SQLITE, "db.execute(f'SELECT * FROM b_{q} WHERE a = 1')", "name of a table"),
    (SQLITE, "db.execute(f'SELECT * FROM b LIMIT {n}')", "number of rows"),
    (SQLITE, "db.execute(f'SELECT * FROM b WHERE {q}')", "no value stands"),
    (SQLITE, "db.execute(f'SELECT * FROM b WHERE t IN ({q})')", "a list"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t IN ('{q}')\")", "a list"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t = '{chr(10).join(q)}'\")", "a list"),
    (SQLITE, "db.execute(f'SELECT * FROM b WHERE t = \"{q}\"')", "double quotes"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t MATCH '{q}'\")", "no value stands"),
    (SQLITE, "db.execute(f'SELECT * FROM b WHERE t = {owner}')", "a value or a piece of SQL"),
    (SQLITE, "db.execute(f'SELECT * FROM b GROUP BY t HAVING count(*) > {n}')", "no value stands"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t = '{q!r}'\")", "formatted"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t = '{n:05}'\")", "formatted"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t = '{q}' -- x\")", "a comment"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE t = '{q}\")", "does not end"),
    (SQLITE, "db.execute(f\"SELECT * FROM b WHERE n = ? AND t = '{q}'\", owner)", "bound already"),
    (SQLITE, "db.executemany(f\"INSERT INTO b VALUES (?, '{q}')\", owner)", "many rows"),
    (SQLITE, "sql = f\"SELECT * FROM b WHERE t = '{q}'\"\n    sql += ' LIMIT 1'\n    db.execute(sql)",
     "several places"),
    (SQLITE, "sql = f\"SELECT * FROM b WHERE t = '{q}'\"\n    q = 1\n    db.execute(sql)", "more than one"),
    (SQLITE, "sql = f\"SELECT * FROM b WHERE t = '{q}'\"\n    db.execute(sql)\n    db.execute(sql)", "used in several"),
    (SQLITE, "db.execute(owner)", "no statements"),
    (SQLITE, "db.execute(rf\"SELECT * FROM b WHERE t = '{q}'\")", "of the kind rf"),
    ("def one(db, q: str):\n", "db.execute(f\"SELECT * FROM b WHERE t = '{q}'\")", "which driver"),
    ("import sqlite3, asyncpg\n\n\ndef one(db, q: str):\n", "db.execute(f\"SELECT * FROM b WHERE t = '{q}'\")",
     "which driver"),
    (ALCHEMY, "db.execute(text(f\"SELECT * FROM b WHERE u = :u AND t = '{q}'\"), {'u': 1})", "bound already"),
    (ALCHEMY, "db.execute(f\"SELECT * FROM b WHERE t = '{q}'\")", "which driver"),
])
def test_what_may_be_a_name_or_a_list_is_left_alone(tmp_path: Path, head: str, body: str, said: str) -> None:
    text = f"{head}    {body}\n"
    result, after = write(tmp_path, text)
    assert isinstance(result, Declined) and said in result.reason, result
    assert after == text


def test_its_test_asks_what_is_usual_and_the_attack(tmp_path: Path) -> None:
    fixture = ("import pytest\nfrom fastapi.testclient import TestClient\nfrom main import app\n\n\n@pytest.fixture\n"
               "def client():\n    return TestClient(app)\n")
    text = SQLITE + "    return db.execute(f\"SELECT * FROM b WHERE t = '{q}'\").fetchall()\n"
    result, _ = write(tmp_path, text, tests__conftest=fixture, tests__test_a="")
    assert isinstance(result, Draft) and result.files == ("srv/main.py", "srv/tests/test_get_b_q_is_a_value.py")
    test = (tmp_path / "srv/tests/test_get_b_q_is_a_value.py").read_text()
    assert 'first = client.get("/b?q=true")' in test and "assert usual.status_code < 500" in test
    assert 'assert first.text.replace("qk8", "qk7") == second.text.replace("qk8", "qk7")' in test
