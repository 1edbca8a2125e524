"""Nothing that hides from these rules, or that reaches beyond the app's own code: no code out of data, no patching of
other modules, no end of the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from aiimprove.honesty.names import Mention, meanings, mentions
from aiimprove.honesty.written import Known, Written

CODE = frozenset({"eval", "exec", "compile", "__import__", "globals", "locals", "vars", "setattr", "delattr",
                  "__builtins__", "breakpoint", "__loader__", "__spec__"})
MODULES = frozenset({"importlib", "imp", "builtins", "ctypes", "cffi", "marshal", "pickle", "runpy", "code", "codeop",
                     "subprocess", "multiprocessing", "atexit", "signal", "faulthandler", "gc", "pty", "site",
                     "sysconfig", "zipimport", "dis", "bytecode", "mmap", "resource", "_thread", "posix", "unittest"})
CALLS = frozenset({*(f"os.{name}" for name in (
    "_exit", "abort", "kill", "killpg", "fork", "forkpty", "system", "popen", "execv", "execve", "execvp", "execl",
    "execlp", "spawnv", "spawnl", "posix_spawn", "dup", "dup2", "close", "closerange", "symlink", "link", "chmod",
    "putenv", "unsetenv", "chdir", "remove", "unlink", "rename", "replace", "write")),
    "sys.exit", "sys.setrecursionlimit", "sys.addaudithook", "sys.setswitchinterval", "sys.unraisablehook", "exit",
    "quit", "SystemExit", "KeyboardInterrupt", "codecs.decode", "base64.b64decode", "binascii.unhexlify",
    "zlib.decompress", "bytes.fromhex", "threading.excepthook", "random.seed"})
BARE = frozenset({"os", "sys", "time", "datetime", "inspect", "socket", "platform", "traceback", "functools",
                  "threading", "io", "json", "logging", "random", "warnings", "sqlite3"})
"""Modules that are named with what is wanted of them, never handed around."""
INNER = frozenset({"__dict__", "__globals__", "__code__", "__closure__", "__subclasses__", "__class__", "__bases__",
                   "__mro__", "__getattribute__", "__wrapped__", "__defaults__", "__eq__", "__ne__", "__hash__",
                   "__bool__", "__instancecheck__", "f_globals", "f_locals", "gi_frame", "tb_frame"})


def objections(written: Written, known: Known) -> Iterator[str]:
    if written.test or not written.python:
        return
    if written.tree is None:
        yield f"{written.path} cannot be read as Python"
        return
    imported = meanings(written.tree)
    for each in mentions(written):
        if what := _said(each, imported):
            yield written.at(each.line, f"{what} ({each.name})")
    for node in written.nodes():
        if isinstance(node, ast.Attribute) and node.attr in INNER:
            yield written.at(node.lineno, f"reaches into Python itself ({node.attr})")
        elif isinstance(node, ast.FunctionDef) and node.name in INNER | {"__getattr__", "__del__"}:
            yield written.at(node.lineno, f"reaches into Python itself ({node.name})")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr" and not (
                len(node.args) > 1 and isinstance(node.args[1], ast.Constant)):
            yield written.at(node.lineno, "hides which attribute it takes (getattr)")
        elif isinstance(node, ast.Call) and _writes(node):
            yield written.at(node.lineno, "writes a file")


def _said(each: Mention, imported: dict[str, str]) -> str:
    first = each.name.partition(".")[0]
    if each.stored and "." in each.name and (first in imported or each.name in imported.values()):
        return "patches another module"
    if each.name in CODE:
        return "makes code out of data"
    if first in MODULES and (each.imported or first in imported):
        return "reaches beyond the app"
    if each.name in CALLS:
        return "reaches beyond the app"
    return "hands a whole module around" if each.whole and each.name in BARE and first in imported.values() else ""


def _writes(node: ast.Call) -> bool:
    """Whether a call opens a file for more than reading, or may."""
    named = getattr(node.func, "id", getattr(node.func, "attr", ""))
    if named in ("write_text", "write_bytes", "touch", "symlink_to", "hardlink_to"):
        return True
    place = 1 if isinstance(node.func, ast.Name) else 0
    modes = [*node.args[place:place + 1], *(each.value for each in node.keywords if each.arg == "mode")]
    return named == "open" and any(
        not isinstance(each, ast.Constant) or set(str(each.value)) & set("wax+") for each in modes)
