"""Where a Python app keeps its data: a SQLite file and who says where it is, or a database server."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aiimprove.recognition.python_packages import Packages
from aiimprove.recognition.seen import Seen
from aiimprove.recognition.sources import Sources
from aiimprove.recognition.variables import Variable

_URL = re.compile(r"^(sqlite(?:\+\w+)?):///?(.*)$")
_FILE = re.compile(r"^[\w./\\ {}-]*\.(db|sqlite|sqlite3)$")
_SERVERS = {"PostgreSQL": ("psycopg", "psycopg2", "psycopg2-binary", "asyncpg", "pg8000", "psycopg-binary"),
            "MySQL": ("mysqlclient", "pymysql", "aiomysql", "asyncmy", "mysql-connector-python"),
            "MongoDB": ("pymongo", "motor", "beanie", "mongoengine")}
_NAMES = ("DATABASE_URL", "DB_URL", "DATABASE_URI", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_DATABASE_URL", "DATABASE",
          "DB_PATH", "DATABASE_PATH", "DB_FILE", "SQLITE_PATH", "DATABASE_FILE")


@dataclass(frozen=True)
class Database:
    """A SQLite file below {data}, or a server (`kind`). `variable` and `value` put it there; without a variable the
    place is fixed in the code: `beside` says beside what, the working directory or the code, and
    is empty when it is told otherwise; `setting` is the name that the place is given to."""

    kind: str
    file: str = ""
    variable: str = ""
    value: str = ""
    where: str = ""
    beside: str = ""
    written: str = ""
    setting: str = ""

    @property
    def env(self) -> dict[str, Seen]:
        """What puts a SQLite file below {data}."""
        if not self.variable or not self.value:
            return {}
        return {self.variable: Seen(self.value, f"read in {self.where}")}


def find(at: Sources, known: Sequence[Variable], packages: Packages) -> list[Database]:
    """The databases of an app: those that a variable moves, else those that stand fixed in the code, else servers."""
    moved = list(_by_variable(known))
    if moved:
        return _once(moved)
    fixed = _once(_fixed(at))
    server = next((kind for kind, names in _SERVERS.items() if packages.has(*names)), "")
    url = next((each for each in known if each.name in _NAMES), None)
    if fixed and not (server and url and url.required):
        return fixed
    if server:
        return [Database(server, variable=url.name if url else "", where=url.where if url else packages.where)]
    if url is not None and packages.has("sqlalchemy", "flask-sqlalchemy", "sqlmodel", "databases", "dj-database-url"):
        return [_of_url(url)]
    return []


def file_of(words: Sequence[str]) -> str:
    """The name of the SQLite file among some texts; empty when there is none."""
    for word in reversed(words):
        match = _URL.match(word)
        path = (match[2] if match else word).replace("\\", "/").rpartition("/")[2]
        if (match and path and ":memory:" not in path) or (_FILE.match(word) and path):
            return path.replace(" ", "-").strip("{}")
    return "app.db" if any(re.fullmatch(r"sqlite(\+\w+)?:///", word) for word in words) else ""


def _by_variable(known: Sequence[Variable]) -> Iterator[Database]:
    for each in known:
        file = file_of(each.words)
        if file and not each.name.startswith("TEST"):
            match = next((found for word in each.words if (found := _URL.match(word))), None)
            value = f"{match[1]}:///{{data}}/{file}" if match else f"{{data}}/{file}"
            yield Database("SQLite", file, each.name, value, each.where)


def _of_url(url: Variable) -> Database:
    return Database("SQLite", "app.db", url.name, "sqlite:///{data}/app.db", url.where)


def _fixed(at: Sources) -> Iterator[Database]:
    for path, tree in at.python():
        if any(part in ("migrations", "alembic", "scripts") for part in path.split("/")):
            continue
        flask = "Flask" in at.text(path)
        kinds = (ast.Assign, ast.AnnAssign, ast.Call, ast.keyword)
        for statement in (node for node in ast.walk(tree) if isinstance(node, kinds)):
            words = [node for node in ast.walk(statement) if isinstance(node, ast.Constant)]
            texts = [node.value for node in words if isinstance(node.value, str) and "\n" not in node.value]
            if file_of(texts) and _is_place(statement, texts):
                yield Database("SQLite", file_of(texts), where=at.where(path, statement.lineno),
                               beside=_beside(statement, flask, texts), written=ast.unparse(statement)[:120],
                               setting=_setting(statement))


def _setting(statement: ast.AST) -> str:
    if isinstance(statement, ast.keyword):
        return statement.arg or ""
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    known = isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant)
    return str(target.slice.value) if known else ""  # type: ignore[union-attr]


def _is_place(statement: ast.AST, texts: Sequence[str]) -> bool:
    """A text alone may be anything that ends like a file; an address, or what is given to connect, is meant."""
    if isinstance(statement, ast.keyword):
        return bool(re.search(r"(?i)database|^db_|sqlite", statement.arg or ""))
    if isinstance(statement, ast.Call):
        return ast.unparse(statement.func).rpartition(".")[2] in ("connect", "create_engine", "create_async_engine",
                                                                  "SqliteDatabase", "Database")
    return any(_URL.match(text) for text in texts) or bool(re.search(
        r"(?i)\b\w*(db|database|sqlite)\w*\s*(:.*)?=|(?i:'database)", ast.unparse(statement)[:60]))


def _beside(statement: ast.AST, flask: bool, texts: Sequence[str]) -> str:
    said = ast.unparse(statement)
    if re.search(r"instance_path|SQLALCHEMY_DATABASE_URI", said) and not re.search(r"(?i)__file__|base_?dir", said) \
            and (flask or "instance_path" in said):
        return "the instance folder"
    if re.search(r"(?i)__file__|base_?dir|root|here|current_dir|Path\(", said):
        return "the code"
    return "nothing" if any(re.match(r"^(sqlite(\+\w+)?:///)?/\w", text) for text in texts) else "the working directory"


def _once(found: Iterator[Database] | list[Database]) -> list[Database]:
    kept: dict[tuple[str, str], Database] = {}
    for each in found:
        kept.setdefault((each.variable, each.file), each)
    files = {each.file: each for each in reversed(list(kept.values()))}
    return list(reversed(files.values())) if files else []
