"""One more proof of an improvement that was proven already; for proof_impact: `python -m bench.one_proof ID` in the
site's folder. Prints the verdict and the seconds of each check."""

from __future__ import annotations

import shutil
import sys

from aiimprove import config
from aiimprove.proving import Case, prove
from aiimprove.workspace import Workspace


def main(improvement: str) -> None:
    engine = Workspace(config.load(), "bench")
    found, work = engine.store.improvement(improvement), engine.work("bench")
    evidence = prove(Case(engine.config, engine.repository, found.finding, engine.live(),
                          engine.store.release(found.release), engine.data("live"), work, engine.box, engine.progress))
    shutil.rmtree(work, ignore_errors=True)
    print(evidence.verdict, *(f"{each.name} {each.seconds:.1f} s" for each in evidence.checks))


if __name__ == "__main__":
    main(sys.argv[1])
