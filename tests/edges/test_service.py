"""Units on a disk, judged by systemd's own checker; a crontab, changed through its program. Nothing is enabled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tiny import Tiny

from aiimprove import service
from aiimprove.errors import Refused, UsageError
from aiimprove.sandbox import find_box
from aiimprove.units import Site

TABLE = """#!/bin/sh
case $1 in
    -l) [ -e "$HOME/table" ] || { echo "no crontab for you" >&2; exit 1; }; cat "$HOME/table" ;;
    -) cat >"$HOME/table" ;;
esac
"""
"""What crontab(1) does, on a file of the test's."""


@pytest.fixture
def site(tiny: Tiny) -> Site:
    return service.site(tiny.config(), system=False)


def objections(folder: Path, *scope: str) -> str:
    """What systemd has to say about the units of a folder. An exit code of 0 means nothing there: it only warns of
    keys that it does not know."""
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd-analyze is missing: './start_ai_system.sh test' installs it for root (Debian: systemd)"
    files = [str(each) for each in sorted(folder.iterdir()) if each.suffix in (".service", ".timer")]
    done = subprocess.run([tool, "verify", "--man=no", *scope, *files], capture_output=True, text=True,
                          env=os.environ | {"SYSTEMD_UNIT_PATH": f"{folder}:", "XDG_RUNTIME_DIR": str(folder.parent)})
    return done.stdout + done.stderr


@pytest.mark.parametrize(("scope", "user"), [("--user", ""), ("--system", "root")])
@pytest.mark.parametrize("timer", [False, True])
def test_systemd_has_nothing_to_say(site: Site, tmp_path: Path, scope: str, user: str, timer: bool) -> None:
    folder = tmp_path / "units"
    found = service.install(replace(site, user=user), folder, timer=timer, replace=False)
    assert {each.file for each in found} == set(folder.iterdir())
    assert objections(folder, scope) == ""


def test_systemd_would_have_something_to_say(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "units"
    loop = service.install(site, folder, timer=False, replace=False)[1].file
    loop.write_text(loop.read_text().replace("WatchdogSec=", "WatchdogSeconds="))
    assert "WatchdogSeconds" in objections(folder, "--user")


def test_a_path_with_everything_in_it(site: Site, tmp_path: Path) -> None:
    odd = tmp_path / "my 100% \"shop\" $HOME 'x'"
    odd.mkdir()
    program = tmp_path / "it's" / "aiimprove"
    with pytest.raises(UsageError, match="no program with a quote in its path can"):
        service.install(replace(site, program=program), tmp_path / "units", timer=False, replace=False)
    program = tmp_path / "a 100% program $HOME" / "aiimprove"
    program.parent.mkdir()
    program.symlink_to(site.program)
    folder = tmp_path / "units"
    service.install(replace(site, repository=odd, program=program, variables={"A": "50% $B \\ \""}), folder,
                    timer=False, replace=False)
    assert objections(folder, "--user") == ""


def test_an_edited_unit_is_not_written_over(site: Site, tmp_path: Path) -> None:
    live, loop = service.install(site, tmp_path, timer=False, replace=False)
    assert [live.state, loop.state] == ["missing", "missing"]
    live.file.unlink()
    loop.file.write_text(loop.file.read_text() + "# mine\n")
    for act in (lambda: service.install(site, tmp_path, timer=False, replace=False),
                lambda: service.uninstall(site, tmp_path, replace=False)):
        with pytest.raises(Refused, match="was edited"):
            act()
        assert not live.file.exists() and loop.file.read_text().endswith("# mine\n"), "all of them or none"
    service.install(site, tmp_path, timer=False, replace=True)
    assert live.file.exists() and loop.file.read_text() == loop.unit.text
    assert loop.file.with_name(f"{loop.file.name}.before").read_text().endswith("# mine\n")


def test_units_of_another_version_are_renewed(site: Site, tmp_path: Path) -> None:
    moved = replace(site, program=tmp_path / "elsewhere" / "aiimprove")
    service.install(moved, tmp_path, timer=False, replace=False)
    assert [each.state for each in service.install(site, tmp_path, timer=False, replace=False)] == ["other version"] * 2
    assert [each.state for each in service.look(site, tmp_path, timer=False)] == ["as written"] * 2


def test_another_site_of_the_same_name_keeps_its_units(site: Site, tmp_path: Path) -> None:
    service.install(replace(site, repository=tmp_path / "neighbour"), tmp_path, timer=False, replace=False)
    for act in (service.install, service.uninstall):
        with pytest.raises(Refused, match="belongs to another site"):
            act(site, tmp_path, replace=True, **({"timer": False} if act is service.install else {}))


def test_uninstall_takes_what_is_ours(site: Site, tmp_path: Path) -> None:
    service.install(site, tmp_path, timer=False, replace=False)
    service.install(site, tmp_path, timer=True, replace=False)
    (tmp_path / "nginx.service").write_text("[Service]\n")
    assert len(service.uninstall(site, tmp_path, replace=False)) == 4
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".service"] == ["nginx.service"]


def test_the_box_works_where_privileges_are_given_up(tmp_path: Path) -> None:
    """NoNewPrivileges of the units is the one hardening that can be had here as systemd would set it."""
    tool = shutil.which("setpriv")
    assert tool, "setpriv is missing (util-linux)"
    code = "print(open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0])"
    said = subprocess.run([tool, "--no-new-privs", sys.executable, "-c", code], capture_output=True, text=True)
    assert said.stdout == "1\n"
    box = subprocess.run([tool, "--no-new-privs", sys.executable, "-c",
                          "from aiimprove.sandbox import find_box; print(find_box().name)"],
                         capture_output=True, text=True)
    assert box.stdout.strip() == find_box().name


@pytest.fixture
def cron(tiny: Tiny) -> Iterator[Path]:
    programs = tiny.root / "programs"
    programs.mkdir()
    (programs / "crontab").write_text(TABLE)
    (programs / "crontab").chmod(0o755)
    tiny.env["PATH"] = f"{programs}:{tiny.env['PATH']}"
    yield tiny.root / "home" / "table"


def test_cron(tiny: Tiny, cron: Path) -> None:
    assert tiny.call("service", "install", "--cron", "--dry-run", "--json").data["written"] is False
    assert not cron.exists()
    cron.write_text("0 3 * * * backup\n")
    for _ in range(2):
        said = tiny.call("service", "install", "--cron", "--timer", "--json")
        assert said.data["written"] and all(line in cron.read_text() for line in said.data["lines"])
    assert cron.read_text().count("@reboot") == 1
    assert tiny.call("service", "uninstall", "--cron", "--json").data == {"removed": ["crontab"]}
    assert cron.read_text() == "0 3 * * * backup\n"
    assert tiny.call("service", "uninstall", "--cron", "--json").data == {"removed": []}


def test_the_lines_of_cron_are_calls_that_work(tiny: Tiny) -> None:
    """As cron would: the line goes to sh, with nearly nothing in the environment."""
    tiny.pretend_live()
    line = tiny.call("service", "install", "--cron", "--timer", "--dry-run", "--json").data["lines"][1]
    assert line.startswith("*/5 * * * * ")
    call = line.removeprefix("*/5 * * * * ").replace("\\%", "%").replace("run --once", "status --json") \
        .removesuffix(" >/dev/null")
    done = subprocess.run(["/bin/sh", "-c", call], cwd="/", env={"HOME": "/nowhere"}, capture_output=True, text=True)
    assert done.returncode == 0 and str(tiny.state) in done.stdout, done
