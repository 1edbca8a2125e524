"""kill -9 at random moments of every verb and of `run`, each followed by the same command until it is through.

Improvements walk from finding to live and back on the bundled site, while visitors read and write. After every
command that got through: no transition is lost or doubled, exactly one release serves, nothing of what was killed is
left, the chain of events is whole, and the command did what it says. Most kills hit what changes live. Proofs run a
part of the site's own tests here, because what is killed is the engine.

With `--tiny 1` a small app is deployed and rolled back again and again: seven of ten kills hit the command, the others
its services, the gateway or a shim while it runs.
"""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter

from aiimprove.improvement import Improvement
from aiimprove.lock import holder
from aiimprove.way_back import in_order
from bench import tiny_kills
from bench.figures import Figures, Target, Wanted, main
from bench.ground import another_release, rows_written, standing, workspace
from bench.killer import Killer
from bench.load import Load
from bench.site import Site, until

KILLS, KILLS_SHORT = 200, 20
EACH_LIFE = {"analyze": 1, "generate": 3, "test": 1, "request-approval": 2, "approve": 2, "deploy": 5, "rollback": 4}
ONCE_ASKED = {"approve": 1, "deploy": 5, "rollback": 4}
PATIENT: dict[str, dict[str, float]] = {
    "deploy": {"watch_seconds": 1.0}, "limits": {"waiting": 1, "attempts": 1000}, "proof": {"mutants": 4},
    "intervals": {"health": 5.0, "approvals": 1.0, "analyze": 5.0, "generate": 2.0, "test": 2.0}}
VISITORS = {"GET": 1, "GET, new connection": 1, "page": 1, "POST": 1}


def measure(wanted: Wanted) -> Figures:
    most = wanted.more.get("kills") or (KILLS_SHORT if wanted.short else KILLS)
    if wanted.more.get("tiny"):
        return tiny_kills.measure(most)
    with standing(wanted, watch=1.0, change=_patient) as site:
        return over(site, wanted.short, most)


def over(site: Site, short: bool, most: int = KILLS_SHORT) -> Figures:
    """The figures of all kills on a site that is up, has no loop, and whose config is patient."""
    chance = random.randrange(10_000)
    print(f"random seed {chance}", flush=True)
    killer = Killer(site, workspace(site), random.Random(chance))
    with Load({name: site.ports[f"{name}.live"] for name in ("backend", "frontend")}, VISITORS) as load:
        _lives(killer, short, most)
    lost = [f"{each.kind}: {each.problem}" for each in load.sent if each.problem]
    print(*lost, *killer.wrong, sep="\n")
    written = Counter(rows_written(site))
    rows = [{"verb": verb, "kills": count, "slowest way through s": killer.slowest.get(verb, "")}
            for verb, count in killer.kills.items()]
    return Figures(rows, [
        Target(f"things that were not as they must be, after {killer.total} kills", len(killer.wrong), 0),
        Target(f"requests lost, of {len(load.sent)}", len(lost), 0),
        Target("acknowledged rows lost or doubled", sum(written[each.row] != 1 for each in load.sent if each.row), 0)])


def _patient(config: str) -> str:
    tables = [f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in table.items())
              for name, table in PATIENT.items()]
    few = config.replace('"--junitxml={report}"]', '"--junitxml={report}", "tests/test_search.py"]')
    return few.partition("[deploy]")[0] + "\n".join(tables)


def _lives(killer: Killer, short: bool, most: int) -> None:
    if short:
        _looped(killer, "AWAITING_APPROVAL", 2)
        _to_live_and_back(killer, next(each.id for each in _asked(killer)), ONCE_ASKED)
    else:
        _life(killer)
        _loop(killer, 15)
    while not short and killer.total < most * 0.6 and _life(killer):
        pass
    fro, to = killer.engine.live().id, another_release(killer.site, killer.engine).id
    killer.site.must("rollback", "--to", to, token=True)  # what never served is not kept
    while killer.total < most:
        killer.through(min(3, most - killer.total), "rollback", "--to", fro)
        if killer.engine.live().id != fro:
            killer.wrong.append(f"rollback --to {fro} left {killer.engine.live().id} live")
        fro, to = to, fro


def _life(killer: Killer) -> bool:
    """One improvement through every arrow, to live and back; False when nothing is left to improve."""
    killer.through(EACH_LIFE["analyze"], "analyze")
    for each in killer.site.must("status")["improvements"]:
        if each["status"] == "PROPOSED" and _proven(killer, each["id"]):
            killer.through(EACH_LIFE["request-approval"], "request-approval", each["id"])
            killer.must_be(each["id"], "AWAITING_APPROVAL", "request-approval")
            _to_live_and_back(killer, each["id"], EACH_LIFE)
            return True
    return False


def _to_live_and_back(killer: Killer, name: str, kills: dict[str, int]) -> None:
    """One that waits for an answer gets it, goes live, and is taken back."""
    before, digest = killer.engine.live().id, killer.engine.store.improvement(name).digest
    killer.through(kills["approve"], "approve", name, "--digest", digest)
    killer.must_be(name, "APPROVED", "approve")
    killer.through(kills["deploy"], "deploy", name)
    killer.must_be(name, "LIVE", "deploy")
    killer.through(kills["rollback"], "rollback")
    killer.must_be(name, "ROLLED_BACK", "rollback")
    if killer.engine.live().id != before:
        killer.wrong.append(f"rollback left {killer.engine.live().id} live, not {before}")


def _proven(killer: Killer, name: str) -> bool:
    killer.through(EACH_LIFE["generate"], "generate", name)
    if killer.engine.store.improvement(name).status != "GENERATED":
        return False
    return bool(killer.through(EACH_LIFE["test"], "test", name)["exit_code"] == 0)


def _loop(killer: Killer, kills: int) -> None:
    """`run` takes an improvement to the question, and after the answer to live, while it is killed again and again."""
    _looped(killer, "AWAITING_APPROVAL", kills - kills // 2)
    for each in _asked(killer):
        killer.site.must("approve", each.id, "--digest", each.digest, token=True)
    _looped(killer, "LIVE", kills // 2)


def _asked(killer: Killer) -> list[Improvement]:
    return [each for each in killer.engine.store.improvements() if each.status == "AWAITING_APPROVAL"]


def _looped(killer: Killer, wanted: str, kills: int) -> None:
    """`run` is killed so many times, and then goes on until an improvement is as wanted."""
    for left in range(kills, -1, -1):
        loop = subprocess.Popen(killer.site.command("run"), cwd=killer.site.folder, env=killer.site.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                start_new_session=True)
        if left:
            time.sleep(killer.draw.uniform(0.2, 12.0 if wanted == "LIVE" else 25.0))
            loop.kill()
            killer.kills["run"] = killer.kills.get("run", 0) + 1
        else:
            _reached(killer, wanted)
            until(lambda: in_order(killer.engine) and not killer.engine.store.unfinished(), 120,
                  "run does not stop what serves nobody")
            loop.terminate()
        loop.wait()
    _rested(killer)
    killer.look("run")


def _reached(killer: Killer, status: str) -> None:
    until(lambda: any(each.status == status for each in killer.engine.store.improvements()), 600,
          f"run gets nothing to {status}")


def _rested(killer: Killer) -> None:
    """Steps of a killed `run` go on by themselves: wait until nobody holds anything."""
    names = [name for (name,) in killer.engine.store.connection.execute("SELECT name FROM leases").fetchall()]
    until(lambda: not any(holder(killer.engine.store, name) for name in names), 300, "somebody is still at it")


if __name__ == "__main__":
    main("kills", __doc__, measure, {"kills": (int, "so many kills, in place of 200 (20 with --short)"),
                                     "tiny": (bool, "1: of deploy and rollback of a small app, for thousands")})
