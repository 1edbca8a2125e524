"""The pages are true: commands that they name can be called, links lead somewhere, lists are complete."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import pytest

from aiimprove import config
from aiimprove.detectors import DETECTORS
from aiimprove.health import OK, Answered, score
from aiimprove.improvement import TRANSITIONS, Status
from aiimprove.proving.proof import ALL
from aiimprove.recipes import RECIPES
from aiimprove.release import DeploymentStatus
from aiimprove.settings import Config, Service

TOP = Path(__file__).resolve().parent.parent
PAGES = [TOP / "README.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").glob("*.md"))]
ENTRY = TOP / "start_ai_system.sh"
README = (TOP / "README.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NEVER = re.compile(r"(?i)session|\bhelpers?\b|\bissue #|/work/|/tmp/|/root/|/home/|pypi\.|pythonhosted|npmjs|registry\."
                   r"|[\U0001F000-\U0001FAFF\u2600-\u27BF]")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", TOP / "docs" / "generate.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()


def page(name: str) -> str:
    return (TOP / "docs" / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def rows(text: str) -> list[list[str]]:
    """The cells of every row of the tables in a text, without the heads."""
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
             for line in text.splitlines() if line.startswith("|")]
    rules = [set("".join(row)) <= set("-") for row in cells] + [False]
    return [row for row, rule, head in zip(cells, rules, rules[1:], strict=False) if not rule and not head]


def code(text: str) -> Iterator[str]:
    """The lines of blocks, and the spans in running text."""
    for block in FENCE.finditer(text):
        yield from block[2].splitlines()
    yield from re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def calls(text: str) -> Iterator[list[str]]:
    """The words after `aiimprove` wherever a call of it is written."""
    for line in code(text):
        for words in re.findall(r"(?<![\w-])aiimprove ([a-z][^'`|;]*)", line.split(" # ")[0]):
            yield words.split()


@cache
def helps() -> dict[tuple[str, ...], str]:
    return {words: GENERATOR.shown(words) for words in GENERATOR.calls()}


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_every_call_can_be_made(file: Path) -> None:
    known = helps()
    for words in calls(file.read_text("utf-8")):
        verb = next((verb for verb in (tuple(words[:2]), tuple(words[:1])) if verb in known), None)
        assert verb is not None, f"no verb: aiimprove {' '.join(words)}"
        for option in (word.rstrip(".,:)") for word in words if word.startswith("-") and len(word) > 1):
            assert re.search(rf"(?<![\w-]){option}\b", known[verb]), f"{option} is no option of aiimprove {verb}"


def test_there_are_calls_to_look_at() -> None:
    found = {words[0] for words in calls(README)}
    assert {"status", "deploy", "approve", "rollback", "run", "operator", "logs"} <= found
    assert ["no-such-verb"] in list(calls("`aiimprove no-such-verb`"))


def test_the_entry_has_the_commands_that_pages_name() -> None:
    said = subprocess.run([ENTRY, "help"], capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  ([a-z-]+) ", said, re.MULTILINE)) | {"help"}
    written = ENTRY.read_text("utf-8")
    texts = [file.read_text("utf-8") for file in [*PAGES, TOP / "justfile", TOP / ".ci" / "run"]]
    named = {word for text in texts for word in re.findall(r"\./start_ai_system\.sh ([a-z][a-z-]*)", text)}
    assert {"start", "stop", "test", "setup"} <= named <= listed
    assert all(re.search(rf"^    (?:\w+ \| )*{word}\b.*\)", written, re.MULTILINE) for word in listed)
    assert "command=${1:-start}" in written, "without a word it starts"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", file.read_text("utf-8"))):
        path, _, anchor = target.partition("#")
        leads_to = (file.parent / path).resolve() if path else file
        assert "://" not in target and leads_to.is_file(), f"{file.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", leads_to.read_text("utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}, target


@pytest.mark.parametrize("file", [*PAGES, TOP / "justfile", TOP / "LICENSE"], ids=lambda file: file.name)
def test_nothing_stands_there_that_must_not(file: Path) -> None:
    found = NEVER.search(file.read_text("utf-8"))
    assert found is None, found
    assert NEVER.search("a /work/folder") and NEVER.search("our Session") and not NEVER.search("work/ below data/")


@pytest.mark.parametrize("name", GENERATOR.PAGES)
def test_pages_made_from_the_code_are_fresh(name: str) -> None:
    make: Callable[[], str] = GENERATOR.PAGES[name]
    assert page(name) == make(), "'python docs/generate.py' writes it anew"


def keys() -> Iterator[tuple[str, str]]:
    """Every table of the config with each of its keys."""
    hints = get_type_hints(Config) | {"services": Service}
    for each in fields(Config):
        inner = hints[each.name]
        if is_dataclass(inner):
            yield from (("services.NAME" if inner is Service else each.name, key.name) for key in fields(inner))
        elif "meaning" in each.metadata:
            yield "", each.name


def test_every_key_of_the_config_is_on_its_page() -> None:
    text = page("config.md")
    for table, key in keys():
        shown = {row[0] for row in rows(section(text, f"[{table}]" if table else "At the top of the file"))}
        assert f"`{key}`" in shown, f"{table}.{key}"


def test_every_key_of_the_config_has_an_effect() -> None:
    engine = "\n".join(file.read_text("utf-8") for file in (TOP / "aiimprove").rglob("*.py")
                       if file.name != "settings.py")
    assert not [f"{table}.{key}" for table, key in keys() if not re.search(rf"\.{key}\b", engine)]


def test_the_example_for_an_app_of_ones_own_loads(tmp_path: Path) -> None:
    examples = [block[2] for block in FENCE.finditer(README) if block[1] == "toml"]
    assert len(examples) == 1
    (tmp_path / "config.toml").write_text(examples[0], "utf-8")
    service = config.load(tmp_path).services["api"]
    assert (service.live_port, service.dev_port, service.databases) == (8000, 8001, ["notes.db"])
    assert "{port}" in service.start and "--junitxml={report}" in service.test


def test_the_readme_lists_every_verb() -> None:
    table = section(README, "Every verb")
    assert all(re.search(rf"\| `aiimprove {words[0]}\b", table) for words in GENERATOR.calls() if words)


def test_operations_lists_every_metric() -> None:
    """Of a site of which nothing is known yet: each has its name in the table, with its ending."""
    from aiimprove.openmetrics import text
    from aiimprove.tallies import Tallies

    listed = {row[0].strip("`").removesuffix("_total").removesuffix("_info"): row[1]
              for row in rows(section(page("operations.md"), "Metrics"))}
    source = (TOP / "aiimprove" / "metrics.py").read_text("utf-8")
    written = dict(re.findall(r"# TYPE (\w+) (\w+)", text(Tallies().families())))
    written |= {name: kind for kind, name in re.findall(r'yield (counter|gauge|info)\("(\w+)"', source)}
    written |= dict(re.findall(r'yield Family\("(\w+)", "(\w+)"', source)) | {"aiimprove_state_bytes": "gauge"}
    assert written == listed


def test_the_list_of_verbs_is_not_cut_off() -> None:
    for words in ((), ("operator",), ("service",), ("evidence",)):
        listed = GENERATOR.shown(words).partition("Commands:")[2].strip().splitlines()
        assert listed and all(line.endswith(".") and "..." not in line for line in listed), listed


def test_lifecycle_has_every_status_and_arrow() -> None:
    text = page("lifecycle.md")
    assert [row[0] for row in rows(section(text, "Statuses"))] == [status.value for status in Status]
    arrows = {one: set(row[1].split(", ")) - {"none"} for row in rows(section(text, "Arrows"))
              for one in row[0].split(", ")}
    assert arrows == {status.value: {onward.value for onward in TRANSITIONS[status]} for status in Status}
    assert [row[0].strip("`") for row in rows(section(text, "The checks of a proof"))] == list(ALL)
    assert [row[0] for row in rows(section(text, "Deployments"))] == [each.value for each in DeploymentStatus]


@pytest.mark.parametrize(("answered", "asked", "slowest", "errors", "requests"), [
    (2, 2, 40.0, 0, 0), (2, 2, 900.0, 0, 10), (1, 2, 40.0, 0, 10), (1, 1, 300.0, 3, 10), (0, 2, 0.0, 0, 0)])
def test_the_score_is_what_the_page_says(answered: int, asked: int, slowest: float, errors: int,
                                         requests: int) -> None:
    said = re.search(r"score = round\((.+)\)\n", section(page("lifecycle.md"), "The score"))
    assert said
    budget = 300.0
    speed = min(1.0, budget / slowest) if slowest else 0.0
    meant = eval(said[1].replace(" x ", " * ").replace("error share", "error_share"), {}, {  # our own page
        "availability": answered / asked, "error_share": errors / requests if requests else 0.0, "speed": speed})
    seen = {f"s{n}": Answered(OK, slowest) if n < answered else Answered("failing") for n in range(asked)}
    assert score(seen, errors, requests, budget) == round(meant)


def test_every_dependency_has_its_decision() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    python = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["dev"],
              *project["build-system"]["requires"]]
    package = json.loads((TOP / "frontend" / "package.json").read_text("utf-8"))
    names = [re.split(r"[<>=;\s]", each)[0] for each in python] + [
        re.sub(r"(?<=^@types/).*|(?<=^@testing-library/).*", r"\\*", name)
        for kind in ("dependencies", "devDependencies") for name in package[kind]]
    said = {name for bold in re.findall(r"\*\*\d{4}-\d\d-\d\d · (.+?)\.\*\*|^(types-psutil)", page("decisions.md"),
                                        re.DOTALL | re.MULTILINE)
            for name in re.findall(r"[\w@/\\*-]+", " ".join(bold).lower())}
    assert len(names) > 20 and not {name.lower() for name in names} - said


def test_the_licence_is_the_declared_one() -> None:
    text = (TOP / "LICENSE").read_text("utf-8")
    assert text.startswith("MIT License") and "the aiimprove authors" in text
    assert 'license = { text = "MIT" }' in (TOP / "pyproject.toml").read_text("utf-8") and sys.version_info >= (3, 11)


def test_every_detector_and_recipe_says_what_it_is() -> None:
    for name, known in (("detectors.md", DETECTORS), ("recipes.md", RECIPES)):
        text = page(name)
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [*known, "How to add one"]
        for each in known:
            said = section(text, each).strip().partition("\n")[0]
            assert re.search(r"\w{3}\S*\. [A-Z`].+\.", said), f"{each}: a docstring for the file, and one for the class"
            assert "| Proven by |" in section(text, each)
