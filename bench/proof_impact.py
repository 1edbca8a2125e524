"""What a visitor of live notices of a proof: the same load, with and without a proof beside it, in turns.

The proof is the one that `run` takes for the first improvement that can be written here (both copies, every check),
in a process as nice as the loop's. It is repeated with the same case; every repetition is followed by as much time
without one.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from aiimprove.proving import Case, prove
from bench.figures import Figures, Row, Target, Wanted, main, percentile
from bench.ground import seed, standing, workspace
from bench.load import Load, Sent
from bench.site import Site

ROUNDS, ROUNDS_SHORT = 5, 1
MOST = 1.2
NICE = 10
VISITORS = {"GET": 2, "POST": 2, "page": 1, "clip in ranges": 1}
Span = tuple[float, float]


def measure(wanted: Wanted) -> Figures:
    with standing(wanted) as site:
        seed(workspace(site), 5000)
        improvement = _tested(site)
        spans: list[Span] = []
        verdicts: list[str] = []
        with Load({name: site.ports[f"{name}.live"] for name in ("backend", "frontend")}, VISITORS) as load:
            time.sleep(3)
            for number in range(ROUNDS_SHORT if wanted.short else ROUNDS):
                began = time.monotonic()
                verdicts.append(_prove(site, improvement, number))
                spans.append((began, time.monotonic()))
                time.sleep(spans[-1][1] - began)
    return _figures(load.sent, spans, verdicts)


def _tested(site: Site) -> str:
    """The first improvement that can be written, tested once, so that everything is built."""
    site.must("analyze")
    improvement: str = site.must("generate")["improvement"]["id"]
    site.run("test", improvement)
    return improvement


def _prove(site: Site, improvement: str, number: int) -> str:
    ours, theirs = multiprocessing.get_context("spawn").Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_proof, args=(site, improvement, number, theirs))
    process.start()
    theirs.close()
    verdict: str = ours.recv()
    process.join()
    return verdict


def _proof(site: Site, improvement: str, number: int, answer: multiprocessing.connection.Connection) -> None:
    os.nice(NICE)
    engine = workspace(site)
    found = engine.store.improvement(improvement)
    work: Path = engine.work(f"bench-{number}")
    candidate = engine.store.release(found.release)
    evidence = prove(Case(engine.config, engine.repository, found.finding, engine.live(), candidate,
                          engine.data("live"), work, engine.box, engine.progress))
    shutil.rmtree(work, ignore_errors=True)
    answer.send(f"{evidence.verdict} ({', '.join(f'{each.name} {each.seconds:.1f} s' for each in evidence.checks)})")


def _figures(sent: Sequence[Sent], spans: Sequence[Span], verdicts: Sequence[str]) -> Figures:
    quiet = [(end, 2 * end - begin) for begin, end in spans]
    rows: list[Row] = [_row(window, number, kind, [each for each in sent
                                                   if kind in ("all", each.kind) and _in(each, span)])
                       for kind in (*VISITORS, "all")
                       for number, pair in enumerate(zip(spans, quiet, strict=True), 1)
                       for window, span in zip(("proof", "none"), pair, strict=True)]
    rows += [{"kind": "the proof itself", "round": number, "seconds": end - begin, "verdict": verdict}
             for number, (verdict, (begin, end)) in enumerate(zip(verdicts, spans, strict=True), 1)]
    both = [percentile([each.waited for each in sent if any(_in(each, span) for span in these)], 0.99)
            for these in (spans, quiet)]
    return Figures(rows, [
        Target("live's p99 while a proof runs against without", both[0] / both[1], MOST),
        Target("requests lost", sum(bool(each.problem) for each in sent), 0)])


def _row(window: str, number: int, kind: str, sent: Sequence[Sent]) -> Row:
    waited = [1000 * each.waited for each in sent]
    return {"kind": kind, "round": number, "beside it": window, "requests": len(sent),
            "p50 ms": percentile(waited, 0.5), "p99 ms": percentile(waited, 0.99),
            "longest ms": max(waited, default=0.0)}


def _in(one: Sent, span: Span) -> bool:
    return span[0] <= one.began < span[1]


if __name__ == "__main__":
    main("proof_impact", __doc__, measure)
