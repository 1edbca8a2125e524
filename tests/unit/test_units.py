"""Units of systemd and lines of cron, as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiimprove import crontab
from aiimprove.errors import UsageError
from aiimprove.units import Site, is_as_written, repository_of, unit_name, units

SITE = Site("shop", Path("/srv/shop"), Path("/opt/aiimprove/bin/aiimprove"), {"AIIMPROVE_STATE": "/srv/state"})
ODD = Site("shop", Path('/srv/my 100% "shop" $HOME \\'), Path("/opt/its 5% $1/aiimprove"), {"A": '50% of "$B" \\'})


def text(what: str, site: Site = SITE, *, timer: bool = False) -> str:
    return next(each.text for each in units(site, timer=timer) if each.name == unit_name(site.name, what))


def test_live_and_the_loop_are_apart() -> None:
    assert [each.name for each in units(SITE)] == ["aiimprove-shop-live.service", "aiimprove-shop-loop.service"]
    live, loop = text("live.service"), text("loop.service")
    assert "up --without-loop --as-unit" in live and "/aiimprove\" down" in live
    assert "loop.service" not in live
    for told in ("Type=notify", "WatchdogSec=", "Restart=", "PartOf=aiimprove-shop-live.service"):
        assert told in loop
    assert "Requires=" not in live + loop and "BindsTo=" not in live + loop, "no unit takes live along"


@pytest.mark.parametrize("timer", [False, True])
def test_no_unit_ends_what_another_started(timer: bool) -> None:
    services = [each for each in units(SITE, timer=timer) if each.name.endswith(".service")]
    assert services and all("\nKillMode=process\n" in each.text and "\nOOMPolicy=continue\n" in each.text
                            for each in services)


def test_a_timer_takes_the_place_of_the_loop() -> None:
    names = [each.name.rpartition("-")[2] for each in units(SITE, timer=True)]
    assert names == ["live.service", "once.service", "once.timer"]
    assert "run --once" in text("once.service", timer=True)


def test_odd_paths_are_written_as_systemd_reads_them() -> None:
    live = text("live.service", ODD)
    assert 'WorkingDirectory=/srv/my 100%% "shop" $HOME \\\n' in live
    assert 'ExecStart="/opt/its 5%% $1/aiimprove" up' in live
    assert 'Environment="A=50%% of \\"$B\\" \\\\"\n' in live


@pytest.mark.parametrize("path", ["/srv/a\nExecStart=/bin/sh", "/srv/\0", "/srv/\x1b[0m"])
def test_a_path_that_no_unit_can_name(path: str) -> None:
    for write in (units, crontab.lines):
        with pytest.raises(UsageError, match="cannot stand in"):
            write(Site("shop", Path(path), SITE.program))


def test_a_name_of_other_letters() -> None:
    assert unit_name("caf\u00e9-1", "live.service") == "aiimprove-caf\\xc3\\xa9-1-live.service"


def test_only_system_units_have_a_user() -> None:
    assert "User=" not in text("live.service") and "WantedBy=default.target" in text("live.service")
    system = Site("shop", SITE.repository, SITE.program, user="web")
    assert "\nUser=web\n" in text("loop.service", system)
    assert "WantedBy=multi-user.target" in text("live.service", system)


def test_an_edited_unit_is_known() -> None:
    written = text("loop.service")
    assert is_as_written(written) and repository_of(written) == "/srv/shop"
    assert not is_as_written(written.replace("WatchdogSec=120", "WatchdogSec=60"))
    assert not is_as_written("[Unit]\n") and not is_as_written("")


def test_lines_of_cron() -> None:
    assert crontab.lines(SITE) == [
        "@reboot cd /srv/shop && AIIMPROVE_STATE=/srv/state /opt/aiimprove/bin/aiimprove up >/dev/null"]
    boot, often = crontab.lines(ODD, timer=True)
    assert "up --without-loop" in boot and often.startswith("*/5 * * * * cd '/srv/my 100\\% ") and "run --once" in often


def test_lines_of_cron_have_one_place() -> None:
    other = "MAILTO=me\n0 3 * * * backup"
    first = crontab.with_lines(other, SITE, ["@reboot a"])
    assert first.startswith(f"{other}\n# begin") and first.count("@reboot a\n") == 1
    second = crontab.with_lines(first, SITE, ["@reboot b", "*/5 c"])
    assert "@reboot a" not in second and second.count("# begin") == 1 and "*/5 c\n" in second
    assert crontab.with_lines(second, SITE, []) == f"{other}\n"
    neighbour = Site("shop", Path("/srv/shop2"), SITE.program)
    assert "@reboot b" in crontab.with_lines(second, neighbour, [])
