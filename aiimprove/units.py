"""The systemd units of a site, as text: what serves, the loop, and a timer for those who want no loop.

What serves and the loop are units of their own, so that nothing that happens to the loop's touches live. Every unit
has KillMode=process: systemd ends nothing of ours but what it started itself, and `down` ends the rest in its order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove.errors import UsageError

_HEAD = "# Written by aiimprove. Own changes belong in a drop-in: 'systemctl edit NAME'. Written as "
_HARDENED = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
OOMPolicy=continue
KillMode=process
"""
"""Only what bubblewrap, Node and Caddy live with: the box needs namespaces and an untouched /proc, Node memory that is
written and run, and a program that ran out of memory must not take its neighbours along."""


@dataclass(frozen=True)
class Site:
    """What the units need to know: the name of the app, its repository, the aiimprove that looks after it, the
    variables that this needs, and (units of the system) the user that it runs as."""

    name: str
    repository: Path
    program: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    user: str = ""


@dataclass(frozen=True)
class Unit:
    """A file of systemd's: its name and its whole text. `enable`: it is to be started at boot, or at login."""

    name: str
    text: str
    enable: bool = False


def units(site: Site, *, timer: bool = False) -> list[Unit]:
    """The unit of what serves, and that of the loop, or instead of that a timer and what it starts.

    Raises UsageError for a path that no unit can name.
    """
    second = [_once(site), _timer(site)] if timer else [_loop(site)]
    return [_live(site), *second]


def unit_name(app: str, what: str) -> str:
    """aiimprove-APP-WHAT, with what systemd does not allow in a name escaped as it does."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "-_")
                    else "".join(f"\\x{byte:02x}" for byte in each.encode()) for each in app)
    return f"aiimprove-{plain}-{what}"


def is_as_written(text: str) -> bool:
    """Whether nobody has edited a unit since it was written by us; False for a unit of somebody else."""
    head, _, body = text.partition("\n")
    return head.startswith(_HEAD) and head.removeprefix(_HEAD) == _digest(body)


def repository_of(text: str) -> str:
    """The working directory that a unit names, as it stands there."""
    found = re.search(r"^WorkingDirectory=(.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def _live(site: Site) -> Unit:
    return _unit(site, "live.service", f"""\
[Unit]
Description={_plain(site.name)}: live, the development copy and the gateway
{_network(site)}
[Service]
Type=oneshot
RemainAfterExit=yes
Restart=on-failure
RestartSec=30
TimeoutStartSec=infinity
TimeoutStopSec=180
{_where(site)}ExecStart={_call(site, "up --without-loop --as-unit")}
ExecStop={_call(site, "down")}
{_HARDENED}
[Install]
WantedBy={_boot(site)}
""", enable=True)


def _loop(site: Site) -> Unit:
    return _unit(site, "loop.service", f"""\
[Unit]
Description={_plain(site.name)}: aiimprove run
Wants={_live_of(site)}
After={_live_of(site)}
PartOf={_live_of(site)}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
WatchdogSec=120
Restart=on-failure
RestartSec=5
SuccessExitStatus=130
TimeoutStartSec=120
TimeoutStopSec=90
{_where(site)}ExecStart={_call(site, "run")}
ExecReload=/bin/kill -USR2 $MAINPID
{_HARDENED}
[Install]
WantedBy={_boot(site)}
""", enable=True)


def _once(site: Site) -> Unit:
    return _unit(site, "once.service", f"""\
[Unit]
Description={_plain(site.name)}: aiimprove run --once
Wants={_live_of(site)}
After={_live_of(site)}

[Service]
Type=oneshot
SuccessExitStatus=6
TimeoutStartSec=infinity
{_where(site)}ExecStart={_call(site, "run --once")}
{_HARDENED}""")


def _timer(site: Site) -> Unit:
    return _unit(site, "once.timer", f"""\
[Unit]
Description={_plain(site.name)}: aiimprove run --once, again and again

[Timer]
OnActiveSec=2min
OnUnitInactiveSec=5min

[Install]
WantedBy=timers.target
# For {_raw(site.repository)}
""", enable=True)


def _unit(site: Site, what: str, body: str, enable: bool = False) -> Unit:
    return Unit(unit_name(site.name, what), f"{_HEAD}{_digest(body)}\n{body}", enable)


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]


def _live_of(site: Site) -> str:
    return unit_name(site.name, "live.service")


def _boot(site: Site) -> str:
    return "multi-user.target" if site.user else "default.target"


def _network(site: Site) -> str:
    return "Wants=network-online.target\nAfter=network-online.target\n" if site.user else ""


def _where(site: Site) -> str:
    lines = [f"User={_plain(site.user)}"] if site.user else []
    lines.append(f"WorkingDirectory={_raw(site.repository)}")
    lines += [f"Environment={_quoted(f'{name}={value}')}" for name, value in sorted(site.variables.items())]
    return "\n".join(lines) + "\n"


def _call(site: Site, words: str) -> str:
    """systemd takes the path of a program as it stands, but none with quotes or backslashes in it."""
    if set("\"'\\") & set(str(site.program)):
        raise UsageError(f"{site.program} cannot stand in a unit of systemd: no program with a quote in its path can")
    return f"{_quoted(str(site.program))} {words}"


def _plain(text: str) -> str:
    return _printable(text).replace("%", "%%")


def _raw(path: Path) -> str:
    """A path as WorkingDirectory takes it: to the end of the line, without quotes."""
    return _printable(str(path)).replace("%", "%%")


def _quoted(text: str) -> str:
    r"""One word of systemd.syntax(7): in quotes, with \ and " escaped and % doubled."""
    escaped = _printable(text).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def _printable(text: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{text!r} cannot stand in a unit of systemd")
    return text
