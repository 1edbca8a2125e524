"""The kills of bench/kills.py on a small app, for many: of deploy and rollback, and of whatever else is at it."""

from __future__ import annotations

import random
import signal
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from aiimprove import build, lifecycle
from aiimprove.improvement import Status
from aiimprove.process import Identity
from aiimprove.release import Environment, Release
from aiimprove.workspace import Workspace
from bench import small
from bench.figures import Figures, Target
from bench.ground import workspace
from bench.invariants import broken
from bench.killer import Killer
from bench.site import until

OTHERS = 0.3
"""The share of the kills that hit not the command but a service, the gateway or a shim while it runs."""
EACH_TIME = 4
LONGEST = 3.0


def measure(kills: int) -> Figures:
    """So many kills on a site of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        site = small.site(Path(scratch))
        try:
            site.must("up", "--without-loop")
            site.add_operator()
            chance = random.randrange(10_000)
            print(f"random seed {chance}", flush=True)
            killer = Killer(site, workspace(site), random.Random(chance))
            killer.takes |= {"deploy": LONGEST, "rollback": LONGEST / 2}
            return _figures(killer, kills)
        finally:
            site.run("down")


def _figures(killer: Killer, kills: int) -> Figures:
    engine, data = killer.engine, killer.site.state / "data" / "live" / "notes.db"
    first, second = engine.live(), _another(killer)
    with small.Writer(killer.site.ports["app.live"]) as gentle:
        while killer.total < kills * (1 - OTHERS):
            _there_and_back(killer, first, second)
    of_commands = killer.total
    with small.Writer(killer.site.ports["app.live"]) as rough:
        while killer.total < kills:
            with _Killing(killer):
                _there_and_back(killer, first, second, 1, look=False)
            _rested(killer)
    print(*killer.wrong, sep="\n")
    rows = [{"killed": name, "kills": count, "slowest way through s": killer.slowest.get(name, "")}
            for name, count in sorted(killer.kills.items())]
    sent = [len(each.acknowledged) + len(each.failed) for each in (gentle, rough)]
    rows.append({"killed": f"requests not answered while others were killed, of {sent[1]}",
                 "kills": len(rough.failed)})
    return Figures(rows, [
        Target(f"things that were not as they must be, after {killer.total} kills", len(killer.wrong), 0),
        Target(f"requests lost, of {sent[0]} during {of_commands} kills of commands", len(gentle.failed), 0),
        Target(f"acknowledged rows lost or doubled, of {len(gentle.acknowledged) + len(rough.acknowledged)}",
               len(gentle.lost(data)) + len(rough.lost(data)), 0)])


def _another(killer: Killer) -> Release:
    (killer.site.folder / "app" / "new.txt").write_text("new\n")
    commit, engine = killer.site.commit("one more file"), killer.engine
    return build.build(engine.config, engine.repository, commit, engine.box, engine.progress, trusted=True)


def _rested(killer: Killer) -> None:
    """What was killed besides is put right by the look at health that the loop takes every half minute."""
    lifecycle.STEPS["settle"](killer.engine)
    with suppress(AssertionError):
        until(lambda: lifecycle.STEPS["health"](killer.engine) and not broken(killer.site.state, killer.engine), 15, "")
    killer.look("kills of others")


def _there_and_back(killer: Killer, first: Release, second: Release, each_time: int = EACH_TIME, *,
                    look: bool = True) -> None:
    for wanted in (second, first):
        words = ("deploy", small.approved(killer.engine, second)) if wanted is second else (
            "rollback", "--to", first.id)
        killer.through(each_time, *words, look=look)
        if wanted is second and killer.engine.store.improvement(words[1]).status is Status.ROLLED_BACK:
            continue  # its services were killed while it was watched: no is an answer
        if killer.engine.live().id != wanted.id:
            killer.wrong.append(f"{' '.join(words)} left {killer.engine.live().id} live")


class _Killing:
    """Kills something else than the command at random moments, in a thread of its own."""

    def __init__(self, killer: Killer) -> None:
        self._killer, self._over = killer, threading.Event()
        self._draw = random.Random(killer.draw.random())
        self._thread = threading.Thread(target=self._kill)

    def __enter__(self) -> _Killing:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _kill(self) -> None:
        engine = workspace(self._killer.site)
        while not self._over.wait(self._draw.uniform(0.3, LONGEST)):
            name, victim = self._draw.choice(_victims(engine))
            if victim and victim.signal(signal.SIGKILL):
                self._killer.kills[name] = self._killer.kills.get(name, 0) + 1
        engine.store.close()


def _victims(engine: Workspace) -> list[tuple[str, Identity | None]]:
    found: list[tuple[str, Identity | None]] = list(
        zip(("the gateway's shim", "the gateway"), engine.gateway.identities(), strict=True))
    for slot in engine.slots.running(Environment.LIVE).values():
        for kept in slot.kept().values():
            found += [("a service's shim", kept.state().shim), ("a service", kept.state().program)]
    return found
