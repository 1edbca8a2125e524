"""One app taken through the engine as a stranger would, and what came of it; for bench/power.py."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiimprove.probes import Line
from aiimprove.process import free_ports
from aiimprove.proving import running_copy
from bench.figures import Row
from bench.ground import workspace
from bench.power_apps import App, Planted, sent
from bench.site import Site

METERED = Path(__file__).with_name("metered.py")
KEPT = "dependencies"


@dataclass
class Guest(Site):
    """A site whose commands are metered: `used` is a file with the processor seconds of the last one."""

    @property
    def used(self) -> Path:
        return self.folder.parent / "cpu-seconds"

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(METERED), str(self.used), *super().command(*words)]

    def seconds_used(self) -> float:
        return float(self.used.read_text())


@dataclass
class Outcome:
    """What came of one app. `found` and `proven` name planted defects, the others improvements and findings; `cpu` are
    the seconds of the first and the second analysis."""

    name: str
    app: App | None
    clean: bool = False
    problem: str = ""
    found: set[str] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)
    proposed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    harmful: list[str] = field(default_factory=list)
    unmade: list[str] = field(default_factory=list)
    verified: int = 0
    tried: int = 0
    findings: int = 0
    first: float = 0.0
    cpu: tuple[float, float] = (0.0, 0.0)

    @property
    def planted(self) -> tuple[Planted, ...]:
        return self.app.planted if self.app and not self.clean else ()

    @property
    def of(self) -> int:
        return len(self.planted)

    @property
    def unproven_yet(self) -> bool:
        """Whether some proposals were not taken to a proof."""
        return self.tried < len(self.proposed)

    def row(self) -> Row:
        share = {"found": f"{len(self.found)}/{self.of}", "proven": f"{len(self.proven)}/{self.of}"}
        return {"app": self.name, **(share if self.of else {}), "findings": self.findings, "odd": len(self.odd),
                "proposals": len(self.proposed), "verified": self.verified, "false": len(self.false),
                "harmful": len(self.harmful), "first proposal s": round(self.first),
                "analyze cpu s": self.cpu[0], "again cpu s": self.cpu[1], "problem": self.problem[:60]}

    def tell(self) -> None:
        """What a figure hides, on stderr."""
        missed = [each.name for each in self.planted if each.name not in self.found]
        for what, rows in (("missed", missed), ("odd finding", self.odd), ("false proposal", self.false),
                           ("not proven", self.unmade), ("HARMFUL", self.harmful)):
            for each in rows:
                print(f"{self.name}: {what}: {each}", file=sys.stderr)


@contextmanager
def guest(scratch: Path, app: App, *, clean: bool) -> Iterator[Guest]:
    """The app in a repository of its own below `scratch`, where nothing runs; stopped afterwards."""
    with _fresh(scratch) as site:
        app.write(site.folder, clean=clean)
        yield _committed(site)


@contextmanager
def of_checkout(scratch: Path, checkout: Path) -> Iterator[Guest]:
    """A copy of what git knows in a real project's checkout."""
    listed = subprocess.run(["git", "-C", str(checkout), "ls-files", "-z"], capture_output=True, text=True, check=True)
    with _fresh(scratch) as site:
        for name in filter(None, listed.stdout.split("\0")):
            if (checkout / name).is_file() and name != "config.toml":
                (site.folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, site.folder / name, follow_symlinks=False)
        yield _committed(site)


@contextmanager
def _fresh(scratch: Path) -> Iterator[Guest]:
    folder, state, home = scratch / "app", scratch / "state", scratch / "home"
    shutil.rmtree(folder, ignore_errors=True)
    for each in state.iterdir() if state.is_dir() else ():
        if each.name != KEPT:
            shutil.rmtree(each) if each.is_dir() else each.unlink()
    home.mkdir(parents=True, exist_ok=True)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "AIIMPROVE_STATE": str(state)}
    site = Guest(folder, state, {}, env=env)
    try:
        yield site
    finally:
        if (folder / "config.toml").exists():
            site.run("down")


def _committed(site: Guest) -> Guest:
    site.git("init", "-q", "-b", "main")
    site.commit("first")
    return site


def looked_through(site: Guest, name: str, app: App | None, most: int | None, *, clean: bool = False) -> Outcome:
    """Everything from init to the proof of every proposal (of the first `most`, when there are more)."""
    began, outcome = time.monotonic(), Outcome(name, app, clean)
    if problem := _started(site, app):
        outcome.problem = problem
        print(f"{name}: {problem}", file=sys.stderr)
        return outcome
    seen = site.must("analyze")
    first = site.seconds_used()
    note(outcome, seen)
    findings = {each["title"]: each for each in seen["findings"]}
    for each in [row for row in seen["proposed"] if row["status"] == "PROPOSED"][:most]:
        _prove(site, outcome, each["id"], findings[each["title"]], began)
    site.must("analyze")
    outcome.cpu = (first, site.seconds_used())
    outcome.tell()
    return outcome


def _started(site: Guest, app: App | None) -> str:
    """init and up, with rows and visits; the sentence of what went wrong."""
    said = site.run("init", "--yes")
    if said["exit_code"] == 0:
        _on_free_ports(site)
        said = site.run("up", "--without-loop")
    if said["exit_code"] != 0:
        causes = (said["data"] or {}).get("causes", ())
        return " ".join([str(said["errors"][0]["message"]).splitlines()[0], *causes])
    if app:
        app.fill(site.state / "data" / "live")
        with Line(f"http://127.0.0.1:{next(iter(site.ports.values()))}") as line:
            for words in app.visits:
                sent(words, line)
    return ""


def _on_free_ports(site: Guest) -> None:
    file = site.folder / "config.toml"
    text = file.read_text()
    names = re.findall(r"(?m)^(?:live|dev)_port = \d+", text)
    for words, port in zip(names, free_ports(len(names)), strict=True):
        text = text.replace(words, f"{words.partition(' ')[0]} = {port}", 1)
    file.write_text(text)
    live = re.findall(r"(?m)^live_port = (\d+)", text)
    site.ports = {str(number): int(port) for number, port in enumerate(live)}


def note(outcome: Outcome, seen: dict[str, Any]) -> None:
    """What an analysis saw, as `analyze --json` has it, held against what is planted."""
    known = (*outcome.planted, *(outcome.app.also if outcome.app and not outcome.clean else ()))
    proposed = {row["title"] for row in seen["proposed"] if row["status"] == "PROPOSED"}
    outcome.findings = len(seen["findings"])
    for finding in seen["findings"]:
        words = f"{finding['cause']} at {finding['place']}: {finding['title']}"
        met = [each for each in known if each.met_by(finding)]
        outcome.found |= {each.name for each in met} & {each.name for each in outcome.planted}
        outcome.odd += [] if met else [words]
        if finding["title"] in proposed:
            outcome.proposed.append(words)
            outcome.false += [] if met or outcome.app is None else [words]
    outcome.odd += [f"the detector {each} failed" for each in seen["failed_detectors"]]


def _prove(site: Guest, outcome: Outcome, name: str, finding: dict[str, Any], began: float) -> None:
    outcome.tried += 1
    errors: list[str] = []
    for verb in ("generate", "test"):
        if site.improvement(name)["status"] in ("PROPOSED", "GENERATED"):
            errors += [str(each["message"]) for each in site.run(verb, name)["errors"]]
    shown = site.improvement(name)
    if shown["status"] != "VERIFIED":
        outcome.unmade.append(" ".join([f"{name} is {shown['status']}: {shown['reason']}", *errors]))
        return
    outcome.verified += 1
    outcome.first = outcome.first or time.monotonic() - began
    met = [each for each in outcome.planted if each.met_by(finding)]
    outcome.proven |= {each.name for each in met}
    if outcome.app and (wrong := _objections(site, outcome.app, met, name)):
        outcome.harmful.append(f"{name}: {'; '.join(wrong)}")


def _objections(site: Guest, app: App, met: list[Planted], name: str) -> list[str]:
    """What the app with this fix does not do as it should, by what the engine never saw."""
    engine = workspace(site)
    release = engine.store.release(engine.store.improvement(name).release)
    work = engine.work("acceptance")
    try:
        with running_copy(engine.config, release, engine.data("live"), work, engine.box) as copy, \
                Line(next(iter(copy.urls.values()))) as line:
            return [*app.objections(line), *(wrong for each in met if (wrong := each.objection(line)))]
    finally:
        shutil.rmtree(work, ignore_errors=True)
        engine.store.close()
