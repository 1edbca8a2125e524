"""From a yes to live, and back.

approve to live: an improvement waits for an answer and the loop runs, on its own intervals and without a canary.
Measured from the moment at which `approve` has returned, to the gateway's generation that names the new release (all
traffic), and to the first visitor's answer that is as the improvement promised (its own probe, sent to live).

rollback: from the start of the command to the gateway's generation that names the release before, while that one is
still warm (during the watch), and cold (after it). Two commits take turns there, put live by
`aiimprove.rollout.put_live`, the code below `deploy`, because nothing needs a proof to be taken back.
"""

from __future__ import annotations

import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from aiimprove.errors import ReleaseFailed
from aiimprove.probes import replay
from aiimprove.release import Environment, Release
from aiimprove.rollout import Order, put_live
from aiimprove.system import start_loop
from aiimprove.workspace import Workspace
from bench.figures import Figures, Row, Target, Wanted, main
from bench.ground import another_release, own_intervals, standing, workspace
from bench.site import Site, until

MOST_TO_LIVE_S, MOST_BACK_S = 10.0, 1.0
WATCH_SECONDS = 12.0


def measure(wanted: Wanted) -> Figures:
    rounds = 1 if wanted.short else 3
    with standing(wanted, watch=WATCH_SECONDS, change=own_intervals) as site:
        engine = workspace(site)
        rows = [row for _ in range(rounds) for row in _shipped(site, engine)]
        releases = (another_release(site, engine), engine.live())
        for _ in range(2 * rounds):
            rows.append(_warm(site, engine, releases[0]))
        for _ in range(rounds):
            put_live(engine, Order(releases[0]))
            rows.append(_row("rollback, cold", _timed(site, releases[1], ("rollback",))))
    medians = {name: statistics.median(row["seconds"] for row in rows if row["what"] == name)
               for name in dict.fromkeys(row["what"] for row in rows)}
    table = [_row(f"median: {name}", seconds) for name, seconds in medians.items()]
    return Figures([*rows, *table], [
        Target("approve to 100 % live, s", medians["approve to all traffic"], MOST_TO_LIVE_S),
        Target("approve to the first improved answer, s", medians["approve to first improved answer"], MOST_TO_LIVE_S),
        Target("rollback when warm, s", medians["rollback, warm"], MOST_BACK_S)])


def _row(what: str, seconds: float) -> Row:
    return {"what": what, "seconds": seconds}


def _shipped(site: Site, engine: Workspace) -> list[Row]:
    """Prove one improvement, then approve it and watch it go live."""
    waiting = _asked(site)
    finding = engine.store.improvement(waiting["id"]).finding
    start_loop(engine)
    until(lambda: site.must("status")["running"], 60, "the loop does not run")
    time.sleep(5)  # its first look at everything is over
    seen: dict[str, float] = {}
    watchers = [threading.Thread(target=_note, args=(seen, name, question)) for name, question in {
        "approve to all traffic": lambda: _serves(engine, waiting["release"]),
        "approve to first improved answer": lambda: replay(finding.probe, site.url(finding.probe.service),
                                                           engine.data("live")).passed}.items()]
    for watcher in watchers:
        watcher.start()
    site.must("approve", waiting["id"], "--digest", waiting["digest"], token=True)
    approved = time.monotonic()
    for watcher in watchers:
        watcher.join()
    until(lambda: site.improvement(waiting["id"])["status"] == "LIVE", 120, "it did not get live")
    site.stop_loop()
    return [_row(name, at - approved) for name, at in seen.items()]


def _asked(site: Site) -> dict[str, Any]:
    """An improvement that waits for an answer, made by the verbs themselves."""
    while True:
        for verb in ("analyze", "generate", "test", "request-approval"):
            site.run(verb)
        waiting = [each for each in site.must("status")["improvements"] if each["status"] == "AWAITING_APPROVAL"]
        if waiting:
            return site.improvement(waiting[0]["id"])


def _warm(site: Site, engine: Workspace, release: Release) -> Row:
    """Put a release live from a thread, take it back while it is watched."""
    back = engine.live()

    def deploy() -> None:
        try:
            put_live(workspace(site), Order(release))
        except ReleaseFailed:
            return  # it is taken back: what is measured

    deploying = threading.Thread(target=deploy)
    deploying.start()
    until(lambda: _serves(engine, release.id), 120, "the release did not get live")
    time.sleep(2)
    seconds = _timed(site, back, ("rollback",))
    deploying.join()
    return _row("rollback, warm", seconds)


def _timed(site: Site, back: Release, words: tuple[str, ...]) -> float:
    """Seconds from the start of the command to all traffic at `back`."""
    engine = workspace(site)
    began = time.monotonic()
    command = subprocess.Popen(site.command(*words, "--json", "--token-stdin"), cwd=site.folder, env=site.env,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert command.stdin is not None
    command.stdin.write(f"{site.token}\n")
    command.stdin.close()
    seen: dict[str, float] = {}
    _note(seen, "back", lambda: _serves(engine, back.id))
    assert command.stdout is not None
    said = command.stdout.read()
    assert command.wait() == 0, said
    return seen["back"] - began


def _note(seen: dict[str, float], name: str, question: Callable[[], bool]) -> None:
    """Ask a hundred times a second, and note when the answer became yes."""
    pause, deadline = threading.Event(), time.monotonic() + 120
    while not question():
        assert time.monotonic() < deadline, f"never: {name}"
        pause.wait(0.01)
    seen[name] = time.monotonic()


def _serves(engine: Workspace, release: str) -> bool:
    current = engine.gateway.current(Environment.LIVE)
    return current is not None and current.release == release


if __name__ == "__main__":
    main("ship", __doc__, measure)
