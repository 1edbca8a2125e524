from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from commands.options import Json
from commands.output import answer, table

Systemd = Annotated[bool, typer.Option("--systemd", help="Units of systemd. This is what is meant without a word.")]
Cron = Annotated[bool, typer.Option("--cron", help="Lines in this user's crontab instead.")]
System = Annotated[bool | None, typer.Option("--system/--user", help="Units of the machine, or of this user; without "
                                             "a word, of the machine for root.")]
Folder = Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Where the units stand, if not where "
                                             "systemd looks for them.")]
Timer = Annotated[bool, typer.Option("--timer", help="No loop: a timer that calls 'aiimprove run --once'.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be written.")]
Replace = Annotated[bool, typer.Option("--replace", help="Also what was edited by hand.")]


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Who starts all this at boot: systemd or cron.", no_args_is_help=True)
    for verb in (install, uninstall, show):
        group.command("status" if verb is show else verb.__name__)(verb)
    app.add_typer(group, name="service")


def install(systemd: Systemd = False, cron: Cron = False, system: System = None, folder: Folder = None,
            timer: Timer = False, replace: Replace = False, dry_run: DryRun = False, json: Json = False) -> None:
    """Write the units, or the lines of cron.

    Two units: one for live, the development copy and the gateway, one for the loop, so that nothing that happens to
    the loop touches live. Nothing is enabled or started: the commands for that are printed. A unit that was edited by
    hand is not written over (exit 3).
    """
    from aiimprove import config, crontab, service
    from aiimprove.errors import UsageError

    if systemd and cron:
        raise UsageError("--systemd or --cron, not both")
    wide, here = _scope(system), service.site(config.load(), system=_scope(system) and not cron)
    if cron:
        lines = crontab.lines(here, timer=timer)
        done = [] if dry_run else service.crontab(here, timer=timer).splitlines()
        answer({"units": [], "lines": lines, "written": bool(done), "next": []}, *lines)
    place = folder or service.unit_folder(system=wide)
    found = service.look(here, place, timer=timer) if dry_run else \
        service.install(here, place, timer=timer, replace=replace)
    units = [{"name": each.unit.name, "file": str(each.file), "state": each.state, "text": each.unit.text}
             for each in found]
    then = _then([each.unit.name for each in found if each.unit.enable], wide)
    shown = [f"# {each.file}\n{each.unit.text}" for each in found] if dry_run else [
        f"{each.file}: {'nothing to do' if each.state == 'as written' else 'written'}" for each in found]
    answer({"units": units, "lines": [], "written": not dry_run, "next": then}, *shown, "Then:",
           *(f"  {each}" for each in then))


def uninstall(cron: Cron = False, system: System = None, folder: Folder = None, replace: Replace = False,
              json: Json = False) -> None:
    """Remove the units, or the lines of cron. What runs goes on.

    Before, 'systemctl disable --now' each unit: the call is printed. A unit that was edited by hand is removed only
    with --replace.
    """
    from aiimprove import config, service

    wide, here = _scope(system), service.site(config.load(), system=_scope(system) and not cron)
    if cron:
        gone = service.no_crontab(here)
        answer({"removed": ["crontab"] if gone else []}, "Removed." if gone else "There was nothing.")
    found = service.uninstall(here, folder or service.unit_folder(system=wide), replace=replace)
    answer({"removed": [str(each.file) for each in found]}, *(f"removed {each.file}" for each in found),
           f"Then: {_systemctl(wide)} daemon-reload" if found else "There was nothing.")


def show(system: System = None, folder: Folder = None, timer: Timer = False, json: Json = False) -> None:
    """The units: as written or edited, active or not."""
    from aiimprove import config, service

    wide = _scope(system)
    here = service.site(config.load(), system=wide)
    found = service.asked(service.look(here, folder or service.unit_folder(system=wide), timer=timer), system=wide)
    data = [{"name": each.unit.name, "file": str(each.file), "state": each.state, "active": each.active}
            for each in found]
    answer({"units": data}, table(("unit", "file", "systemd"), [(each.unit.name, each.state, each.active)
                                                                 for each in found]))


def _scope(system: bool | None) -> bool:
    return os.geteuid() == 0 if system is None else system


def _systemctl(system: bool) -> str:
    return "systemctl" if system else "systemctl --user"


def _then(names: list[str], system: bool) -> list[str]:
    linger = [] if system else ["loginctl enable-linger   # also when you are not logged in"]
    return [f"{_systemctl(system)} daemon-reload", f"{_systemctl(system)} enable --now {' '.join(names)}", *linger]
