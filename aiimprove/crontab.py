"""The lines of cron for a site, for machines without systemd."""

from __future__ import annotations

import re
import shlex

from aiimprove.errors import UsageError
from aiimprove.units import Site


def lines(site: Site, *, timer: bool = False) -> list[str]:
    """Start at boot; with `timer` no loop, and what is due every five minutes."""
    if not timer:
        return [f"@reboot {_call(site, 'up')}"]
    return [f"@reboot {_call(site, 'up --without-loop')}", f"*/5 * * * * {_call(site, 'run --once')}"]


def with_lines(table: str, site: Site, wanted: list[str]) -> str:
    """A crontab with these lines, between two marks, in the place of those of before; without the marks when there
    are none."""
    begin, end = _marks(site)
    rest = re.sub(rf"^{re.escape(begin)}\n.*?^{re.escape(end)}\n", "", _ended(table), flags=re.MULTILINE | re.DOTALL)
    return rest + "".join(f"{line}\n" for line in [begin, *wanted, end]) if wanted else rest


def _marks(site: Site) -> tuple[str, str]:
    where = f"aiimprove {site.name} in {site.repository}"
    return f"# begin: {where}", f"# end: {where}"


def _ended(table: str) -> str:
    return table if not table or table.endswith("\n") else f"{table}\n"


def _call(site: Site, words: str) -> str:
    """cron gives the line to a shell, after it took every % for a new line."""
    known = "".join(f"{name}={shlex.quote(value)} " for name, value in sorted(site.variables.items()))
    line = f"cd {shlex.quote(str(site.repository))} && {known}{shlex.quote(str(site.program))} {words} >/dev/null"
    if not line.isprintable():
        raise UsageError(f"{site.repository} cannot stand in a crontab")
    return line.replace("%", "\\%")
