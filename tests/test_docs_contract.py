"""docs/cli-json.md is the contract of --json: every key with its type, as the command line prints it."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from test_docs import TOP, page, rows, section
from tiny import FINDING, Said, Tiny

from aiimprove import errors, health
from aiimprove.errors import AiimproveError
from aiimprove.improvement import Approval, Status
from aiimprove.process import Identity
from aiimprove.release import Deployment, DeploymentStatus, Slot
from aiimprove.workspace import Workspace

TEXT = page("cli-json.md")
TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "number": (int, float), "yes-no": (bool,), "list": (list, tuple), "object": (dict,),
    "null": (type(None),)}
SHAPES = {"#a-card": "A card", "#a-finding": "A finding", "#a-deployment": "A deployment",
          "#a-footprint": "A footprint"}
ACTING = ("analyze", "generate", "test", "request-approval", "approve", "deploy", "rollback", "preview", "run", "up",
          "down", "upgrade")

Paths = dict[str, str]


@cache
def documented(heading: str) -> Paths:
    """Every path of a section with its type; what is a shape of its own is spelled out."""
    text = section(TEXT, heading)
    if not rows(text):
        return documented(SHAPES[re.findall(r"\((#a-\w+)\)", text)[0]])
    found: Paths = {}
    for path, kind, meaning in rows(text):
        found[path.strip("`")] = kind.replace("true or false", "yes-no")
        for shape in re.findall(r"\((#a-\w+)\)", meaning):
            inner = path.strip("`") + ("[]" if kind == "list" else "")
            found |= {f"{inner}.{name}": kind for name, kind in documented(SHAPES[shape]).items()}
    return found


def place(path: str, known: Paths) -> str | None:
    """The documented path that a printed one stands for; words in capitals stand for any name."""
    for each in known:
        wanted = "".join(r"[^.\[]+" if part.isupper() else re.escape(part) for part in re.split(r"([.\[\]])", each))
        if re.fullmatch(wanted, path):
            return each
    return None


def inside(path: str, known: Paths) -> bool:
    """Whether something below a printed path is documented."""
    return any(place(path, {".".join(each.split(".")[:depth]).removesuffix("[]"): ""})
               for each in known for depth in range(1, each.count(".") + 1))


def printed(value: Any, known: Paths, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every printed path with its value, as deep as something is documented."""
    if path:
        yield path, value
    if isinstance(value, dict) and (not path or inside(path, known)):
        for name, each in value.items():
            yield from printed(each, known, f"{path}.{name}" if path else name)
    if isinstance(value, list) and any(each.startswith(f"{path}[]") for each in known):
        for each in value:
            for name, inner in each.items():
                yield from printed(inner, known, f"{path}[].{name}")


def objections(known: Paths, data: list[Any]) -> Iterator[str]:
    """What the page and the printed data do not agree about."""
    seen: dict[str, list[Any]] = {}
    for path, value in (pair for each in data for pair in printed(each, known)):
        where = place(path, known)
        if where is None and not (isinstance(value, dict) and inside(path, known)):
            yield f"{path} is not documented"
        elif where is not None and not _is_a(value, known[where]):
            yield f"{path} is {value!r}, not {known[where]}"
        seen.setdefault(where or path, []).append(value)
    for path in known:
        above = [each for each in seen if path.startswith((f"{each}.", f"{each}[]")) and not all(seen[each])]
        if path not in seen and not above:
            yield f"{path} was never printed"


def _is_a(value: Any, kind: str) -> bool:
    words = kind.split(" or ")
    return (isinstance(value, bool) and "yes-no" in words) or (not isinstance(value, bool) and any(
        isinstance(value, TYPES[word]) for word in words if word != "yes-no"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tiny]:
    """An app of which everything is on record that can be without running it."""
    app = Tiny(tmp_path_factory.mktemp("contract"))
    release = app.pretend_live()
    app.plant(Status.AWAITING_APPROVAL)
    app.plant(Status.APPROVED, "gzip", approval=Approval("anna", "d" * 64, 1.0), claim="small", release=release,
              patch="diff --git a/app/app.py b/app/app.py\n")
    store = app.store()
    store.record_findings([FINDING], "0" * 40)
    made = store.add_deployment(Deployment("d-1", release, "", Slot.BLUE, adds=("gzip",)), "test")
    with store.transaction():
        store.put_deployment(made, made.advance(DeploymentStatus.STARTED, "healthy"), "test")
    store.close()
    yield app
    app.call("down")


def agrees(heading: str, *said: Said) -> None:
    assert not list(objections(documented(heading), [each.data for each in said]))


def test_the_envelope(tiny: Tiny) -> None:
    whole = tiny.call("show", "nothing", "--json")
    assert not list(objections(documented("The envelope"), [whole.envelope]))
    assert whole.exit_code == 7


def test_what_reading_verbs_print(tiny: Tiny) -> None:
    looked = tiny.call("health", "--json")
    agrees("status", tiny.call("status", "--json"))
    agrees("show", tiny.call("show", "index", "--json"), tiny.call("show", "gzip", "--json"))
    agrees("findings", tiny.call("findings", "--json"))
    agrees("health", looked)
    agrees("prune", tiny.call("prune", "--json"))
    agrees("releases", tiny.call("releases", "--json"))
    agrees("logs", tiny.call("logs", "--json"))
    agrees("audit", tiny.call("audit", "--verify", "--json"))
    agrees("metrics", tiny.call("metrics", "--json"))


def test_what_operator_verbs_print(tiny: Tiny) -> None:
    token = tiny.operator()
    agrees("operator add", tiny.call("operator", "add", "carla", "--token-stdin", "--json", stdin=token))
    link = tiny.call("operator", "link", "--token-stdin", "--json", stdin=token)
    agrees("operator link", link)
    secret = link.data["url"].rpartition("=")[2]
    agrees("operator login", tiny.call("operator", "login", "--json", stdin=secret))
    agrees("operator list", tiny.call("operator", "list", "--json"))
    agrees("operator remove", tiny.call("operator", "remove", "carla", "--token-stdin", "--json", stdin=token))


def test_what_service_verbs_print(tiny: Tiny, tmp_path: Path) -> None:
    folder = ("--folder", str(tmp_path))
    cron = tiny.call("service", "install", "--cron", "--dry-run", "--json")
    agrees("service install", tiny.call("service", "install", "--user", *folder, "--json"), cron)
    agrees("service status", tiny.call("service", "status", "--user", *folder, "--json"))
    agrees("service uninstall", tiny.call("service", "uninstall", "--user", *folder, "--json"))


def test_what_acting_verbs_print(tiny: Tiny) -> None:
    token = tiny.operator()
    words = ("reject", "index", "--digest", "d" * 64, "--token-stdin", "--json")
    agrees("reject", tiny.call(*words, stdin=token))
    agrees("generate", tiny.call("generate", "gzip", "--json"))


@pytest.mark.parametrize("verb", ACTING)
def test_keys_of_verbs_that_need_a_running_site(verb: str) -> None:
    """The keys that the source of a verb gives, where calling it would build and start a site."""
    known = {path.split(".")[0].removesuffix("[]") for path in documented(verb)}
    assert set(_given(TOP / "commands" / f"{verb.replace('-', '_')}.py")) == known


def _given(file: Path) -> Iterator[str]:
    """The keys of the dicts that are answered, directly or by the name of `data`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "answer":
            yield from _keys(node.args[0])
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "data":
            yield from _keys(node.value)


def _keys(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        yield from (str(key.value) for key in node.keys if isinstance(key, ast.Constant))


def test_shapes_that_only_a_running_site_fills(tiny: Tiny) -> None:
    record = Deployment("d-1", "r-1", "", Slot.BLUE).to_json()
    assert not list(objections(documented("A deployment"), [record]))
    ourselves = SimpleNamespace(identities=lambda: {"app": Identity.of(os.getpid())})
    store = tiny.store()
    site = SimpleNamespace(store=store, slots=SimpleNamespace(running=lambda environment: {Slot.BLUE: ourselves}))
    used = {"resources": health._resources(cast(Workspace, site))}
    store.close()
    known = {path: kind for path, kind in documented("health").items() if path.startswith("resources.")}
    assert not list(objections(known, [used]))


def test_the_page_speaks_of_every_exit_code() -> None:
    said = {int(code): set(re.findall(r"`(\w+)`", codes))
            for code, _, codes in rows(section(TEXT, "Exit codes"))}
    ours = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, AiimproveError)]
    for each in ours:
        assert each.code in said[each.exit_code], each
    source = "\n".join(file.read_text("utf-8") for folder in ("aiimprove", "commands")
                       for file in (TOP / folder).rglob("*.py"))
    assert all(f'"{code}"' in source for codes in said.values() for code in codes)


def test_a_missing_a_wrong_and_an_unknown_key_are_seen() -> None:
    known = {"name": "text", "each[].id": "text", "counts.STATUS": "number"}
    good = {"name": "a", "each": [{"id": "1"}], "counts": {"LIVE": 1}}
    assert not list(objections(known | {"each": "list"}, [good]))
    assert list(objections(known | {"each": "list", "gone": "text"}, [good])) == ["gone was never printed"]
    assert list(objections(known | {"each": "list", "name": "number"}, [good])) == ["name is 'a', not number"]
    assert list(objections(known | {"each": "list"}, [good | {"new": 1}])) == ["new is not documented"]
    assert list(objections({"flag": "yes-no"}, [{"flag": 1}])) == ["flag is 1, not yes-no"]
