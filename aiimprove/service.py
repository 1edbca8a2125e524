"""Who starts a site at boot: units of systemd or lines of cron, written, looked at and taken away again.

Nothing is enabled or started here, and no unit that a person edited is written over.
"""

from __future__ import annotations

import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from aiimprove import atomic, process
from aiimprove.config import inherited
from aiimprove.crontab import lines, with_lines
from aiimprove.errors import AiimproveError, NotFound, Refused
from aiimprove.settings import Config
from aiimprove.units import Site, Unit, is_as_written, repository_of, units

SYSTEM_FOLDER = Path("/etc/systemd/system")
_VARIABLES = ("AIIMPROVE_STATE", "XDG_STATE_HOME", "PATH")
_SECONDS = 20.0


@dataclass(frozen=True)
class Placed:
    """A unit in a folder: `state` is missing, as written, edited, other version, or of another site; `active` is what
    systemd says of it, unknown where it cannot be asked."""

    unit: Unit
    file: Path
    state: str
    active: str = "unknown"


def site(config: Config, *, system: bool) -> Site:
    """What units and crontabs need to know of this site and of us."""
    owner = pwd.getpwuid(config.repository.stat().st_uid).pw_name if system else ""
    return Site(config.name, config.repository, Path(sys.executable).with_name("aiimprove"), inherited(*_VARIABLES),
                owner)


def unit_folder(*, system: bool) -> Path:
    """Where systemd looks for the units of the machine, or of this user."""
    if system:
        return SYSTEM_FOLDER
    named = inherited("XDG_CONFIG_HOME").get("XDG_CONFIG_HOME")
    return (Path(named) if named else Path.home() / ".config") / "systemd" / "user"


def look(here: Site, folder: Path, *, timer: bool) -> list[Placed]:
    """The units of a site, as they stand in a folder."""
    return [Placed(unit, folder / unit.name, _state(unit, folder / unit.name, here))
            for unit in units(here, timer=timer)]


def install(here: Site, folder: Path, *, timer: bool, replace: bool) -> list[Placed]:
    """Write what is missing or of another version; all of them or none. With `replace` also over what was edited, which
    is kept beside it. Raises Refused."""
    found = look(here, folder, timer=timer)
    _refuse(found, ("of another site",) if replace else ("of another site", "edited"))
    folder.mkdir(parents=True, exist_ok=True)
    for each in found:
        if each.state == "edited":
            each.file.replace(each.file.with_name(f"{each.file.name}.before"))
        if each.state != "as written":
            _write(each.file, each.unit.text)
    return found


def uninstall(here: Site, folder: Path, *, replace: bool) -> list[Placed]:
    """Remove the units of a site, those of a timer too. Raises Refused, before anything is removed, for edited ones
    unless they may be `replace`d."""
    everything = {each.file: each for timer in (False, True) for each in look(here, folder, timer=timer)}
    found = [each for each in everything.values() if each.state != "missing"]
    _refuse(found, ("of another site",) if replace else ("of another site", "edited"))
    for each in found:
        each.file.unlink()
    return found


def asked(found: list[Placed], *, system: bool) -> list[Placed]:
    """The same with what systemd says about each."""
    return [Placed(each.unit, each.file, each.state, _active(each.unit, system)) for each in found]


def crontab(here: Site, *, timer: bool) -> str:
    """Put the lines of a site into this user's crontab and return them. Raises NotFound where there is no cron."""
    wanted = lines(here, timer=timer)
    _save(with_lines(_table(), here, wanted))
    return "\n".join(wanted)


def no_crontab(here: Site) -> bool:
    """Take the lines of a site out of this user's crontab; whether there were any."""
    before = _table()
    after = with_lines(before, here, [])
    if after != before:
        _save(after)
    return after != before


def _state(unit: Unit, file: Path, here: Site) -> str:
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return "missing"
    if text == unit.text:
        return "as written"
    if not is_as_written(text):
        return "edited"
    elsewhere = repository_of(text) not in ("", repository_of(units(here)[0].text))
    return "of another site" if elsewhere else "other version"


def _refuse(found: list[Placed], states: tuple[str, ...]) -> None:
    for each in found:
        if each.state in states:
            why = "was edited since it was written; --replace writes it anew and keeps that one beside it" \
                if each.state == "edited" else "belongs to another site of the same name: give one another name"
            raise Refused(f"{each.file} {why}. Nothing was changed")


def _write(file: Path, text: str) -> None:
    atomic.write(file, text)


def _active(unit: Unit, system: bool) -> str:
    try:
        said = _run("systemctl", *([] if system else ["--user"]), "is-active", unit.name)
    except NotFound:
        return "unknown"
    return said.output.strip() or "unknown"


def _table() -> str:
    said = _run("crontab", "-l")
    return said.output if said.exit_code == 0 else ""


def _save(table: str) -> None:
    said = _run("crontab", "-", stdin=table.encode())
    if said.exit_code:
        raise AiimproveError(f"crontab did not take the lines: {said.errors.strip()}")


def _run(*words: str, stdin: bytes = b"") -> process.Finished:
    known = inherited("PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "USER", "LOGNAME")
    try:
        return process.run(words, cwd=Path("/"), env=known, deadline=_SECONDS, stdin=stdin)
    except FileNotFoundError:
        raise NotFound(f"this machine has no {words[0]}") from None
