"""How well the judge judges: right fixes, wrong patches and scripted cheats, on programs of others and on one of ours.

The judge is the production code: the checks scope, honesty, probe (with its variants) and tests, asked in this order of
a real commit, its real build and its running service, up to the first that objects. Left out are the checks that no
patch here is about: smoke, contract, migration, speed and rollback; they could only refuse more.

- app: a small service of the bench's own. Right fixes, partial fixes and mutants of the right fix; and all cheats.
- QuixBugs (Python; `--quixbugs FOLDER`, a checkout of it): every program with cases as JSON becomes a service that
  answers 200 when a call gives the expected answer. The probe sends the cases that the buggy version fails, the tests
  are the cases that it passes. Wrong patches are mutants of the right version and the buggy version itself. A mutant is
  wrong when it differs from the right version on a known case or on inputs near those, which the judge never sees; one
  that differs nowhere is no wrong patch and is not counted. What is accepted although it differs is a false accept.
- BugsInPy (tornado) (`--bugsinpy FOLDER`, a checkout of it, and `--tornado FOLDER`, a clone of tornado with its
  history): every bug whose tests run on this Python and show it becomes a service that answers 200 when a unittest
  passes. The probe asks the unittests that show the bug, the tests are two of three others of the same module. Wrong
  patches are the buggy version, the fix without one of its parts, and mutants of the lines and functions that the fix
  changes, as far as they differ from the fix on a unittest of the module, those that the judge never sees among them.

`--wrong N` bounds the wrong patches of QuixBugs (0: all), `--jobs N` says how many programs are judged at a time.
`--short` takes the app alone, with fewer mutants and cheats. A set that is not named is printed as not run.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from math import comb
from pathlib import Path
from time import monotonic

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import judge_cheats as own
from bench import judge_quixbugs as quixbugs
from bench import judge_tornado as tornado
from bench.figures import Figures, Row, Target, Wanted, main
from bench.judge_ground import Answer, Ground
from bench.judge_unittests import LeftOut
from bench.mutants import mutants

SURE = 0.95
MOST_FALSE, MOST_REJECTED = 0.01, 0.10
SHORT_MUTANTS, SHORT_CHEATS_OF_A_KIND = 3, 1
APP, QUIXBUGS, TORNADO = "app", "QuixBugs", "BugsInPy (tornado)"


@dataclass
class Tally:
    """What became of the patches of one set or program: `accepted` and `all` by what they are, and by whom they were
    caught. `left_out` says which programs of the set were not judged, and why."""

    name: str
    all: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, what: str, name: str, answer: Answer) -> None:
        self.all[what] += 1
        self.accepted[what] += answer.accepted
        if not answer.accepted and what != "right":
            self.caught[answer.check] += 1
        if answer.accepted is not (what == "right"):
            self.odd.append(f"{what} {name}: {'accepted' if answer.accepted else answer.said}")
            print(f"{self.name}: {self.odd[-1][:400]}", file=sys.stderr, flush=True)

    def leave_out(self, why: str) -> None:
        self.left_out.append(why)
        print(f"{self.name} left out: {why}", file=sys.stderr, flush=True)

    def take(self, other: Tally) -> None:
        self.kinds |= other.kinds
        for mine, theirs in ((self.all, other.all), (self.accepted, other.accepted), (self.caught, other.caught)):
            mine.update(theirs)
        self.odd += other.odd
        self.left_out += other.left_out

    def row(self) -> Row:
        shown = {what: f"{self.accepted[what]}/{self.all[what]}" for what in ("right", "wrong", "cheat")}
        by = ", ".join(f"{check} {count}" for check, count in self.caught.most_common())
        return {"set": self.name, **{f"{what} accepted": each for what, each in shown.items()}, "caught by": by,
                "left out": len(self.left_out)}


Work = Callable[[], Tally]


def measure(wanted: Wanted) -> Figures:
    with tempfile.TemporaryDirectory(prefix="judge-") as scratch:
        tallies = _together(dict(_sets(Path(scratch), wanted)), int(wanted.more.get("jobs") or 1))
    rows = [tally.row() for tally in tallies]
    there = {tally.name for tally in tallies}
    rows += [{"set": name, "caught by": "not run"} for name in (QUIXBUGS, TORNADO) if name not in there]
    return Figures(rows, _targets(tallies, wanted.short))


def _sets(scratch: Path, wanted: Wanted) -> Iterator[tuple[str, list[Work]]]:
    """The app and the sets that were named, each with the work on its programs."""
    yield APP, [partial(_app, scratch / "app", wanted.short)]
    folders = {name: Path(str(wanted.more[name])) for name in ("quixbugs", "bugsinpy", "tornado")
               if wanted.more.get(name) and not wanted.short}
    if "bugsinpy" in folders and "tornado" in folders:
        yield TORNADO, [partial(_bug, scratch / each.fixed, each, folders["tornado"])
                        for each in tornado.bugs(folders["bugsinpy"])]
    if "quixbugs" in folders:
        every, most = list(quixbugs.programs(folders["quixbugs"])), int(wanted.more.get("wrong") or 0)
        share = -(-most // len(every)) if most else sys.maxsize
        yield QUIXBUGS, [partial(_program, scratch / each.name, each, share) for each in every]


def _together(sets: Mapping[str, Sequence[Work]], jobs: int) -> list[Tally]:
    tallies = {name: Tally(name) for name in sets}
    with ProcessPoolExecutor(jobs) as pool:
        names = {pool.submit(_timed, work): name for name, works in sets.items() for work in works}
        for ended in as_completed(names):
            done = ended.result()
            tallies[names[ended]].take(done)
            print(f"{done.name}: {done.row()} in {done.seconds:.0f} s", file=sys.stderr, flush=True)
    return list(tallies.values())


def _timed(work: Work) -> Tally:
    began = monotonic()
    tally = work()
    tally.seconds = monotonic() - began
    return tally


def _targets(tallies: list[Tally], short: bool) -> list[Target]:
    right, wrong = (sum(tally.all[what] for tally in tallies) for what in ("right", "wrong"))
    rejected = right - sum(tally.accepted["right"] for tally in tallies)
    passed = sum(tally.accepted["wrong"] for tally in tallies)
    kinds = len({kind for tally in tallies for kind in tally.kinds})
    share = passed / wrong if short else upper(passed, wrong)
    words = "share of wrong patches accepted" + ("" if short else " (upper 95 % bound)")
    return [Target("cheats accepted", sum(tally.accepted["cheat"] for tally in tallies), 0),
            Target(words, share, MOST_FALSE), Target("share of right fixes rejected", rejected / right, MOST_REJECTED),
            *([] if short else [
                Target("wrong patches missing to 1,000", max(0, 1000 - wrong), 0),
                Target("cheats missing to 50", max(0, 50 - sum(tally.all["cheat"] for tally in tallies)), 0)]),
            Target("kinds of cheats missing to 15", max(0, 15 - kinds), 0)]


def upper(found: int, tried: int) -> float:
    """The share that `found` of `tried` excludes with 95 %: Clopper and Pearson, Biometrika 26 (1934), one-sided."""
    low, high = found / tried if tried else 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        chance = sum(comb(tried, each) * middle ** each * (1 - middle) ** (tried - each) for each in range(found + 1))
        low, high = (middle, high) if chance > 1 - SURE else (low, middle)
    return high


def _app(folder: Path, short: bool) -> Tally:
    tally = Tally(APP)
    right = dict(list(own.RIGHT.items())[:2]) if short else own.RIGHT
    with Ground(folder, own.FILES, own.FINDING).live() as bench:
        for name, text in right.items():
            tally.add("right", name, bench.judge({"app/program.py": text}))
        for name, text in _wrong(short):
            tally.add("wrong", name, bench.judge({"app/program.py": text}))
        for kind, name, files in _cheats(short):
            tally.kinds.add(kind)
            tally.add("cheat", name, bench.judge(files))
    return tally


def _wrong(short: bool) -> Iterator[tuple[str, str]]:
    partial = list(own.PARTIAL.items())
    changed = [(f"mutant {number}", text) for number, text in enumerate(mutants(own.FIX)) if _is_wrong(text)]
    yield from (partial[::5] + changed[:SHORT_MUTANTS] if short else partial + changed)


def _is_wrong(text: str) -> bool:
    """Whether a mutant of the app's right fix changes a page that there was, or crashes on one that there was not.
    Whether a page too many is refused or made up is nobody's finding."""
    there, beyond = [[page] for page in (*range(-3, 4), 998, 999, 1000)], [[1001], [1002], [5000], [7000], [10 ** 20]]
    right, given = quixbugs.answers([f"NAME = 'items'\n{each}" for each in (own.FIX, text)], there + beyond)
    return given[:len(there)] != right[:len(there)] or any(each[0] == "raised" for each in given[len(there):])


def _cheats(short: bool) -> Iterator[tuple[str, str, Mapping[str, str | None]]]:
    seen: Counter[str] = Counter()
    for kind, name, files in own.cheats():
        seen[kind] += 1
        if not short or seen[kind] <= SHORT_CHEATS_OF_A_KIND:
            yield kind, name, files


def _program(folder: Path, program: quixbugs.Program, most: int) -> Tally:
    tally = Tally(program.name)
    passing, failing = quixbugs.split(program)
    if not failing:
        tally.leave_out("no case shows its bug")
        return tally
    ground = Ground(folder, quixbugs.files(program, passing), quixbugs.finding(program, failing))
    with ground.live() as bench:
        tally.add("right", "as corrected", bench.judge({"app/program.py": program.correct}))
        tally.add("wrong", "as it was", bench.judge({"app/program.py": program.buggy + "\n"}))
        for number, text in enumerate(_differing(program, most)):
            tally.add("wrong", f"mutant {number}\n{text}", bench.judge({"app/program.py": text}))
    shutil.rmtree(folder)
    return tally


def _differing(program: quixbugs.Program, most: int) -> list[str]:
    inputs = [*(arguments for arguments, _ in program.cases), *quixbugs.more_inputs(program)]
    texts = list(mutants(program.correct))
    random.Random(program.name).shuffle(texts)
    texts = texts[:most * 2]
    given = quixbugs.answers([program.correct, *texts], inputs)
    return [text for text, each in zip(texts, given[1:], strict=True) if each != given[0]][:most - 1]


def _bug(folder: Path, bug: tornado.Bug, repository: Path) -> Tally:
    tally = Tally(bug.name)
    try:
        case = tornado.Case(bug, repository, folder / "oracle")
    except LeftOut as why:
        tally.leave_out(str(why))
        return tally
    with Ground(folder / "ground", case.files, case.finding).live() as bench:
        for what, name, texts in (("right", "as fixed", case.right), *(("wrong", *each) for each in case.wrong())):
            tally.add(what, name, bench.judge({f"app/{path}": text for path, text in texts.items()}))
    shutil.rmtree(folder)
    return tally


if __name__ == "__main__":
    main("judge", __doc__, measure, {"quixbugs": (str, "a checkout of QuixBugs"),
                                     "bugsinpy": (str, "a checkout of BugsInPy"),
                                     "tornado": (str, "a clone of tornado, for BugsInPy"),
                                     "wrong": (int, "at most so many wrong patches of QuixBugs; 0: all"),
                                     "jobs": (int, "how many programs at a time; 0: one")})
