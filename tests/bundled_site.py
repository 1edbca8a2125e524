"""The bundled site, up and without its loop, built once for all acceptance and browser tests of a session."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import tomli_w

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from bench.site import Site

SLOW_TESTS = ("commands", "fetcher", "crawler", "crawl", "guard")
CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Each verb is taken by itself; the person's tree is dirty, as trees are. Few mistakes are tried in what is
    changed: each costs a run of the site's tests."""
    from bench.site import running

    with running(tmp_path_factory.mktemp("bundled")) as found:
        found.stop_loop()
        (found.folder / "thoughts.txt").write_text("not committed\n")
        with (found.folder / "README.md").open("a") as file:
            file.write("\nA sentence under way.\n")
        with adjusted(found, proof={"mutants": 4, "nice": 10}):
            yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. For a module and no longer: while it runs, no other event loop can."""
    from playwright.sync_api import sync_playwright

    program = next((path for path in CHROMIUM if os.path.exists(path)), None)
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed, and in CI these tests must run")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def adjusted(site: Site, **given: dict[str, Any] | list[str]) -> Iterator[None]:
    """Other values in single tables of config.toml, or at its top, as long as the block lasts."""
    file = site.folder / "config.toml"
    before = file.read_bytes()
    config = tomllib.loads(before.decode())
    for name, values in given.items():
        config[name] = {**config.get(name, {}), **values} if isinstance(values, dict) else values
    file.write_text(tomli_w.dumps(config))
    try:
        yield
    finally:
        file.write_bytes(before)


@contextmanager
def quick_tests(site: Site) -> Iterator[None]:
    """Proofs leave out the site's slow tests: at the lowest priority they would take minutes on a busy machine."""
    services = tomllib.loads((site.folder / "config.toml").read_text())["services"]
    services["backend"]["test"] += [f"--ignore=tests/test_{name}.py" for name in SLOW_TESTS]
    with adjusted(site, services=services):
        yield


@dataclass(frozen=True)
class Tree:
    """What is the person's own: their branch, their HEAD, and what they have not committed."""

    branch: str
    head: str
    status: str
    contents: dict[str, bytes]

    @classmethod
    def of(cls, site: Site) -> Tree:
        status = site.git("status", "--porcelain")
        names = [line[3:] for line in status.splitlines()]
        files = {name: (site.folder / name).read_bytes() for name in names if (site.folder / name).is_file()}
        return cls(site.git("symbolic-ref", "HEAD"), site.git("rev-parse", "HEAD"), status, files)


def visit(site: Site, path: str, service: str = "backend", environment: str = "live",
          headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.get(site.url(service, environment) + path, headers=headers, timeout=30)


def live_data(site: Site) -> Path:
    return site.state / "data" / "live"


def begun(site: Site, *words: str) -> subprocess.Popen[str]:
    """A verb of an operator that is left to itself."""
    child = subprocess.Popen(site.command(*words, "--json", "--token-stdin"), cwd=site.folder, env=site.env, text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdin is not None
    child.stdin.write(f"{site.token}\n")
    child.stdin.flush()
    return child


def ended(child: subprocess.Popen[str]) -> dict[str, Any]:
    """What it said."""
    envelope: dict[str, Any] = json.loads(child.communicate(timeout=120)[0])
    assert envelope["exit_code"] == child.returncode
    return envelope


def processes_of(folder: Path) -> list[str]:
    """Everything that runs and knows the folder, in its words or its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in word for word in words):
            found.append(f"{process.pid} {' '.join(words[:6])}")
    return found


def killed(site: Site, *words: str, work: Path) -> None:
    """A verb that is killed with -9 while copies of the site run in its work folder; they end with it."""
    from bench.site import until

    child = subprocess.Popen(site.command(*words), cwd=site.folder, env=site.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: processes_of(work), 60, f"nothing runs in {work}")
    child.kill()
    child.wait()
    until(lambda: not processes_of(work), 20, f"copies in {work} outlived who started them")
