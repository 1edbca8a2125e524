"""What the engine finds in apps with planted defects, what it mends, and what it says of apps without any.

For each app: a copy in a repository of its own, `init --yes`, `up --without-loop`, rows for its database, `analyze`,
and `generate` and `test` (the whole proof, with its own limits) for every proposal. All of it by the command line, with
the config that init wrote and the dependencies that it installs.

- found: a planted defect that a finding names, by its cause and its place.
- proven: a planted defect with a VERIFIED fix. Both are shares of all planted ones, of those too that no recipe is for.
- false: a proposal (an improvement that a recipe is to write, before any proof) that is about nothing planted, nor
  about a real defect that the app turned out to have besides (`also`); in a clean control, any proposal. A finding that
  nobody proposes is no proposal; those that are about nothing planted are counted as `odd` and told on stderr.
- harmful: a VERIFIED fix with which the app does not answer as its hidden acceptance list has it, or its defect's own
  request not as a right fix would.
- first proposal: from the start of init to the first VERIFIED fix. CPU: of `analyze` and everything that it starts.

The apps are our own (tests/apps/power), made before they were first run here; what they measure is the classes of
defects that the detectors name, and no share of all the defects that there are. `--checkout FOLDER ...` does the same
with copies of real projects (what git knows of them; nothing is written there), where nothing is planted and every
finding is told. `--only APP ...` takes some apps of the dev set alone, `--look 1` leaves out the proofs. `--short`: one
app, and one proof.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.figures import Figures, Target, Wanted, main
from bench.power_apps import App, apps
from bench.power_run import Outcome, guest, looked_through, of_checkout

LEAST_FOUND, LEAST_PROVEN, MOST_FALSE = 0.8, 0.6, 0.05
MOST_SECONDS, MOST_CPU = 300.0, 60.0
SHORT_APP, SHORT_PROOFS = "gigs", 1


def measure(wanted: Wanted) -> Figures:
    kept = wanted.scratch or tempfile.mkdtemp(prefix="bench-power-")
    try:
        outcomes = list(_outcomes(Path(kept).resolve(), wanted))
    finally:
        if not wanted.scratch:
            shutil.rmtree(kept, ignore_errors=True)
    return Figures([each.row() for each in outcomes], targets(outcomes))


def _outcomes(scratch: Path, wanted: Wanted) -> Iterator[Outcome]:
    most = 0 if wanted.more.get("look") else SHORT_PROOFS if wanted.short else None
    checkouts = list(wanted.more.get("checkout") or ())
    for checkout in checkouts:
        with of_checkout(scratch, Path(checkout)) as site:
            yield looked_through(site, Path(checkout).name, None, most)
    for app in _chosen(wanted) if wanted.more.get("only") or not checkouts else ():
        for clean in (False,) if wanted.short else (False, True):
            with guest(scratch, app, clean=clean) as site:
                yield looked_through(site, f"{app.name}{', clean' if clean else ''}", app, most, clean=clean)


def _chosen(wanted: Wanted) -> list[App]:
    return apps([SHORT_APP] if wanted.short else list(wanted.more.get("only") or ()))


def targets(outcomes: Sequence[Outcome]) -> list[Target]:
    planted = [each for each in outcomes if each.app and not each.clean]
    clean, own = [each for each in outcomes if each.clean], [each for each in outcomes if each.app]
    if not own:
        return [Target("checkouts that could not be started", sum(bool(each.problem) for each in outcomes), 0)]
    count = sum(each.of for each in planted)
    proposals = sum(len(each.proposed) for each in own)
    return [
        Target("apps that could not be started", sum(bool(each.problem) for each in own), 0),
        Target("share of planted defects that are not found", 1 - sum(len(each.found) for each in planted) / count,
               1 - LEAST_FOUND),
        *_of_proofs(planted, count),
        Target("share of proposals that are false", sum(len(each.false) for each in own) / max(1, proposals),
               MOST_FALSE),
        Target("proven fixes that are harmful", sum(len(each.harmful) for each in own), 0),
        Target("clean controls with a proposal", sum(bool(each.proposed) for each in clean), 0),
        Target("first proposal after init, s (longest)", max((each.first for each in planted if each.first), default=0),
               MOST_SECONDS),
        Target("CPU of the first analysis, s (most)", max(each.cpu[0] for each in own), MOST_CPU)]


def _of_proofs(planted: Sequence[Outcome], count: int) -> list[Target]:
    """Of all that is planted; where only some proposals were proven (the short form), of those."""
    proven = sum(len(each.proven) for each in planted)
    if not any(each.tried for each in planted):
        return []
    if any(each.unproven_yet for each in planted):
        tried = sum(each.tried for each in planted)
        return [Target("share of tried fixes that are not proven", 1 - proven / max(1, tried), 1 - LEAST_PROVEN)]
    return [Target("share of planted defects without a proven fix", 1 - proven / count, 1 - LEAST_PROVEN)]


def _words() -> dict[str, tuple[type, str]]:
    return {"checkout": (list, "folders of real projects"), "only": (list, "names of apps of the dev set"),
            "look": (int, "1: nothing is proven")}


if __name__ == "__main__":
    main("power", __doc__, measure, _words())
