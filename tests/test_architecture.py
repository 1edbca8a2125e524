"""The rules of the layout, held against the code: who may import whom, and how large a thing may get."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "vocabulary": "errors finding event evidence improvement release tree settings launch canary policy card answer "
                  "overview pulse openapi ledger rotation atomic attestation prediction "
                  "alike hashed units crontab openmetrics tallies honesty rejection overlap remembered advice",
    "primitives": "config disk notify store process journal repository probes",
    "devices": "shim lock signing exchange installation door operators landlock sandbox vault snapshot backups "
               "rehearsal samples heartbeat build slots assets recording gateway proving mutation recipes authors "
               "detectors checks carrying baits recognition",
    "workspace": "workspace",
    "shared steps": "taken looked releases migration development replaying watching promotion way_back unfinished "
                    "bundle reproving settlement canary_steps rollout restoring revival retention logs footprint "
                    "upkeep freshness gate pairs showing first_start patience digest",
    "stages": "introduction analysis generation verification approval deployment health metrics",
    "composition": "lifecycle due loop system exporter service renewal upgrade",
    "commands": "commands",
}
RANK = {name: rank for rank, names in enumerate(LAYERS.values()) for name in names.split()}
LONGEST_MODULE, LONGEST_FUNCTION = 250, 40
HOT = ("commands/app.py", "commands/hot.py", "aiimprove/overview.py")
"""What `status --json` runs: web pages poll it."""
BOUNDARIES = ("commands/table.py", "aiimprove/loop.py", "aiimprove/detectors/__init__.py")
"""Where any failure may end: the command line, the loop, and one detector among others."""
ONLY = {"git": ("repository",), "httpx": ("probes",), "psutil": ("process",), "subprocess": ("process", "shim")}


@dataclass(frozen=True)
class Import:
    """`unit` (a module or a package of ours) imports `name` at a line of a file, at start or inside a function."""

    unit: str
    file: str
    line: int
    name: str
    at_start: bool

    @property
    def ours(self) -> str:
        """The unit that is imported; empty for a module of somebody else."""
        parts = self.name.split(".")
        return "commands" if parts[0] == "commands" else parts[1] if parts[0] == "aiimprove" and parts[1:] else ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.name}"


@cache
def sources() -> dict[str, ast.Module]:
    files = [path for folder in ("aiimprove", "commands") for path in sorted((ROOT / folder).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in files}


def unit_of(file: str) -> str:
    parts = Path(file).with_suffix("").parts
    return "commands" if parts[0] == "commands" else parts[1]


@cache
def imports() -> list[Import]:
    return [found for file, tree in sources().items() for found in _imports(file, tree)]


def _imports(file: str, tree: ast.Module) -> Iterator[Import]:
    for_types = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.If)
                 and ast.unparse(node.test) == "TYPE_CHECKING" for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{file}:{node.lineno}: imports are absolute"
            whole = node.module in ("aiimprove", "commands")
            names = [f"{node.module}.{alias.name}" for alias in node.names] if whole else [node.module]
        else:
            continue
        yield from (Import(unit_of(file), file, node.lineno, name, node in tree.body) for name in names)


def forbidden(found: Import) -> bool:
    """Whether an import goes upward, or sideways where that is not allowed; devices use those named before them."""
    if not found.ours or found.ours in (found.unit, "__version__") or found.unit == "__init__":
        return False
    mine, theirs = RANK[found.unit], RANK[found.ours]
    if mine != theirs:
        return theirs > mine
    layer, order = list(LAYERS.items())[mine]
    above = order.split().index(found.ours) < order.split().index(found.unit)
    return layer in ("primitives", "stages") or (layer == "devices" and not above)


def test_every_module_has_its_layer() -> None:
    units = {unit_of(file) for file in sources()} - {"__init__"}
    assert units == set(RANK), f"without a layer: {units - set(RANK)}; gone: {set(RANK) - units}"


def test_imports_run_downward() -> None:
    assert [str(found) for found in imports() if forbidden(found)] == []


@pytest.mark.parametrize(("file", "name", "wrong"), [
    ("aiimprove/store/store.py", "aiimprove.repository", True), ("aiimprove/finding.py", "aiimprove.store", True),
    ("aiimprove/approval.py", "aiimprove.health", True), ("aiimprove/lock.py", "aiimprove.workspace", True),
    ("aiimprove/config.py", "commands.output", True), ("aiimprove/lock.py", "aiimprove.store", False),
    ("commands/approve.py", "aiimprove.errors", False), ("aiimprove/store/trail.py", "aiimprove.store", False),
    ("aiimprove/snapshot.py", "aiimprove.slots", True),
    ("aiimprove/policy.py", "aiimprove.settings", False), ("aiimprove/slots.py", "aiimprove.shim.kept", False)])
def test_the_rule_itself(file: str, name: str, wrong: bool) -> None:
    assert forbidden(Import(unit_of(file), file, 1, name, True)) is wrong


@pytest.mark.parametrize("package", ONLY)
def test_each_outside_thing_has_its_one_door(package: str) -> None:
    wrong = [str(found) for found in imports() if found.name.split(".")[0] == package
             and found.unit not in (*ONLY[package], "commands")]
    assert wrong == []


def test_the_engine_prints_nothing_and_knows_no_terminal() -> None:
    wrong = [str(found) for found in imports() if found.unit != "commands"
             and found.name.split(".")[0] in ("typer", "rich", "click", "commands")]
    assert wrong == []


def test_the_environment_is_read_in_one_place() -> None:
    """`door` hands its whole environment on to the command that it starts, and reads none of it."""
    readers = {file for file, tree in sources().items() for node in ast.walk(tree)
               if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")}
    assert {file for file in readers if file.startswith("aiimprove/")} <= {"aiimprove/config.py", "aiimprove/door.py"} \
        | {file for file in readers if "/recorder/" in file or "/tracer/" in file}


@pytest.mark.parametrize("file", HOT)
def test_the_hot_path_is_light(file: str) -> None:
    heavy = [str(found) for found in imports() if found.file == file and found.at_start
             and found.name.split(".")[0] not in sys.stdlib_module_names and found.name not in _light()]
    assert heavy == []


def _light() -> set[str]:
    return {file.removesuffix(".py").replace("/", ".") for file in HOT}


def test_the_hot_path_loads_nothing_of_others(tmp_path: Path) -> None:
    code = ("import sys; sys.argv = ['aiimprove', 'status', '--json']\n"
            "import commands.app, commands.hot, aiimprove.overview\n"
            "print([name for name in sys.modules if name.split('.')[0] in "
            "('typer', 'rich', 'git', 'httpx', 'psutil', 'tomllib', 'libcst', 'click', 'asyncio', 'subprocess')])")
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "[]\n", done


@pytest.mark.parametrize("module", ["git", "httpx", "libcst", "rich", "psutil"])
def test_a_verb_that_does_not_need_it_does_not_load_it(module: str, tmp_path: Path) -> None:
    code = f"import sys, commands.table; commands.table.table(); print({module!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout == "False\n", done


def test_modules_are_small() -> None:
    lengths = {file: len((ROOT / file).read_text("utf-8").splitlines()) for file in sources()}
    assert {file: length for file, length in lengths.items() if length > LONGEST_MODULE} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 100


def test_functions_are_short() -> None:
    functions = [(file, node) for file, tree in sources().items() for node in ast.walk(tree)
                 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    lengths = {f"{file}:{node.name}": (node.end_lineno or 0) - node.lineno + 1 for file, node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
    assert sorted(lengths.values())[len(lengths) // 2] <= 12


def test_failures_end_in_few_places() -> None:
    broad = [f"{file}:{node.lineno}" for file, tree in sources().items() for node in ast.walk(tree)
             if isinstance(node, ast.ExceptHandler) and _broad(node) and file not in BOUNDARIES]
    assert broad == []


def _broad(handler: ast.ExceptHandler) -> bool:
    """`except:`, Exception or BaseException, unless the handler raises again."""
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    named = {each.id if isinstance(each, ast.Name) else "" for each in caught if each is not None}
    raises = any(isinstance(node, ast.Raise) and node.exc is None for node in ast.walk(handler))
    return (handler.type is None or bool(named & {"Exception", "BaseException"})) and not raises


def test_names_say_what_a_thing_is() -> None:
    bad = ("manager", "handler", "processor", "helper", "util", "utils", "misc", "common")
    files = [file for file in sources() if any(word in Path(file).stem.lower().split("_") for word in bad)]
    classes = [f"{file}:{node.name}" for file, tree in sources().items() for node in ast.walk(tree)
               if isinstance(node, ast.ClassDef) and node.name.lower().endswith(bad)]
    assert files == [] and classes == []


def test_nobody_waits_by_sleeping() -> None:
    sleeps = [f"{file}:{node.lineno}" for file, tree in sources().items() for node in ast.walk(tree)
              if isinstance(node, ast.Attribute) and node.attr == "sleep"]
    assert sleeps == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [file for file, tree in sources().items() if file.startswith("aiimprove/") and not ast.get_docstring(tree)]
    assert silent == []


def test_backend_and_frontend_know_the_engine_by_its_command_line_only() -> None:
    files = [path for path in (ROOT / "backend").rglob("*.py") if ".venv" not in path.parts]
    assert files and not [str(path) for path in files for node in ast.walk(ast.parse(path.read_text("utf-8")))
                          if isinstance(node, (ast.Import, ast.ImportFrom))
                          and ("aiimprove" in (getattr(node, "module", "") or "").split(".")
                               or any(alias.name.split(".")[0] == "aiimprove" for alias in node.names))]
