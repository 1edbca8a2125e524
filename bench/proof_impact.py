"""What a visitor of live notices of a proof: the same load, with and without a proof beside it, in turns of seconds.

The proof is the one that `run` takes for the first improvement that can be written here (both copies, every check),
in a process as nice as the loop's step. Every three seconds all its processes are stopped (SIGSTOP), or go on, so that
both sides of the comparison see the same machine; requests that cross such a moment are left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from subprocess import Popen, TimeoutExpired

import psutil

from aiimprove.process import start
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.ground import seed, standing, workspace
from bench.load import Load, Sent
from bench.site import Site

PROOFS = 3
TURN_SECONDS = 3.0
SHORT_SECONDS = 90.0
MOST = 1.2
NICE = 10
VISITORS = {"GET": 2, "POST": 2, "page": 1, "clip in ranges": 1}


@dataclass(frozen=True)
class Turn:
    """Some seconds in which the proof ran, or stood still."""

    proving: bool
    began: float
    ended: float


def measure(wanted: Wanted) -> Figures:
    with standing(wanted) as site:
        seed(workspace(site), 5000)
        improvement = _tested(site)
        turns: list[Turn] = []
        proofs: list[Row] = []
        with Load({name: site.ports[f"{name}.live"] for name in ("backend", "frontend")}, VISITORS) as load:
            time.sleep(3)
            for _ in range(1 if wanted.short else PROOFS):
                seconds, said = _taken_in_turns(site, improvement, turns, SHORT_SECONDS if wanted.short else 3600)
                proofs.append({"kind": "the proof itself", "seconds": seconds, "verdict": said})
    return _figures(load.sent, turns, proofs)


def _tested(site: Site) -> str:
    """The first improvement that can be written, tested once, so that everything is built."""
    site.must("analyze")
    improvement: str = site.must("generate")["improvement"]["id"]
    site.must("test", improvement)
    return improvement


def _taken_in_turns(site: Site, improvement: str, turns: list[Turn], seconds: float) -> tuple[float, str]:
    """One proof, or its first `seconds`; the seconds in which it ran, and its verdict."""
    log = site.state / "proof.log"
    log.unlink(missing_ok=True)
    proof = start([sys.executable, "-P", "-m", "bench.one_proof", improvement], cwd=site.folder, env=site.env, log=log,
                  nice=NICE, die_with_parent=True)
    first, deadline = len(turns), time.monotonic() + seconds
    while proof.poll() is None and time.monotonic() < deadline:
        turns.append(_turn(True, lambda: _waited(proof)))
        _stand_still(proof)
        turns.append(_turn(False, lambda: time.sleep(TURN_SECONDS)))
        _go_on(proof)
    ended = proof.poll() is not None
    proof.kill()  # its children die with it
    proof.wait()
    ran = sum(turn.ended - turn.began for turn in turns[first:] if turn.proving)
    return ran, log.read_text().strip()[-200:] if ended else "not waited for"


def _waited(proof: Popen[bytes]) -> None:
    with suppress(TimeoutExpired):
        proof.wait(TURN_SECONDS)


def _turn(proving: bool, wait: Callable[[], object]) -> Turn:
    began = time.monotonic()
    wait()
    return Turn(proving, began, time.monotonic())


def _stand_still(proof: Popen[bytes]) -> None:
    """Parents first, until nobody is left who could start another."""
    stopped: set[int] = set()
    while fresh := [each for each in _tree(proof) if each.pid not in stopped]:
        for each in fresh:
            stopped.add(each.pid)
            with suppress(psutil.NoSuchProcess):
                each.suspend()


def _go_on(proof: Popen[bytes]) -> None:
    for each in reversed(_tree(proof)):
        with suppress(psutil.NoSuchProcess):
            each.resume()


def _tree(proof: Popen[bytes]) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(proof.pid)
        return [top, *top.children(recursive=True)]
    return []


def _figures(sent: Sequence[Sent], turns: Sequence[Turn], proofs: Sequence[Row]) -> Figures:
    whole = {proving: [each for each in sent if any(turn.began <= each.began and each.ended <= turn.ended
                                                    for turn in turns if turn.proving is proving)]
             for proving in (True, False)}
    rows = [_row(kind, proving, [each for each in these if kind in ("all", each.kind)])
            for kind in (*VISITORS, "all") for proving, these in whole.items()]
    return Figures([*rows, *proofs], [
        Target("live's p99 while a proof runs against without", rows[-2]["p99 ms"] / rows[-1]["p99 ms"], MOST),
        Target(f"requests lost, of {len(sent)}", sum(bool(each.problem) for each in sent), 0)])


def _row(kind: str, proving: bool, sent: Sequence[Sent]) -> Row:
    waited = [1000 * each.waited for each in sent]
    return {"kind": kind, "beside it": "proof" if proving else "none", "requests": len(sent),
            "p50 ms": percentile(waited, 0.5), "p99 ms": percentile(waited, 0.99),
            "longest ms": max(waited, default=0.0)}


if __name__ == "__main__":
    main("proof_impact", __doc__, measure)
