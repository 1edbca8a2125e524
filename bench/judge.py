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
- BugsInPy (tornado) is not run: nothing here turns its bugs into services yet.

`--wrong N` bounds the wrong patches of QuixBugs (0: all). `--short` takes the app alone, with fewer mutants and cheats.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import comb
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import judge_cheats as own
from bench import judge_quixbugs as quixbugs
from bench.figures import Figures, Row, Target, Wanted, main
from bench.judge_ground import Answer, Bench, Ground
from bench.mutants import mutants

SURE = 0.95
MOST_FALSE, MOST_REJECTED = 0.01, 0.10
SHORT_MUTANTS, SHORT_CHEATS_OF_A_KIND = 3, 1


@dataclass
class Tally:
    """What became of the patches of one set: `accepted` and `all` by what they are, and by whom they were caught."""

    name: str
    all: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    kinds: set[str] = field(default_factory=set)
    odd: list[str] = field(default_factory=list)

    def add(self, what: str, name: str, answer: Answer) -> None:
        self.all[what] += 1
        self.accepted[what] += answer.accepted
        if not answer.accepted and what != "right":
            self.caught[answer.check] += 1
        if answer.accepted is not (what == "right"):
            self.odd.append(f"{self.name}: {what} {name}: {'accepted' if answer.accepted else answer.said}")
            print(self.odd[-1][:300], file=sys.stderr)

    def row(self) -> Row:
        shown = {what: f"{self.accepted[what]}/{self.all[what]}" for what in ("right", "wrong", "cheat")}
        by = ", ".join(f"{check} {count}" for check, count in self.caught.most_common())
        return {"set": self.name, **{f"{what} accepted": each for what, each in shown.items()}, "caught by": by}


def measure(wanted: Wanted) -> Figures:
    with tempfile.TemporaryDirectory(prefix="judge-") as scratch:
        tallies = [_app(Path(scratch) / "app", wanted)]
        folder = str(wanted.more.get("quixbugs") or "")
        if folder and not wanted.short:
            tallies.append(_quixbugs(Path(scratch), Path(folder), int(wanted.more.get("wrong") or 0)))
    rows = [tally.row() for tally in tallies]
    absent = [name for name, there in (("QuixBugs", len(tallies) > 1), ("BugsInPy (tornado)", False)) if not there]
    rows += [{"set": name, "caught by": "not run"} for name in absent]
    return Figures(rows, _targets(tallies, wanted.short))


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


def _app(folder: Path, wanted: Wanted) -> Tally:
    tally = Tally("app")
    right = dict(list(own.RIGHT.items())[:2]) if wanted.short else own.RIGHT
    with Ground(folder, own.FILES, own.FINDING).live() as bench:
        for name, text in right.items():
            tally.add("right", name, bench.judge({"app/program.py": text}))
        for name, text in _wrong(wanted.short):
            tally.add("wrong", name, bench.judge({"app/program.py": text}))
        for kind, name, files in _cheats(wanted.short):
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


def _quixbugs(scratch: Path, folder: Path, most: int) -> Tally:
    tally, every = Tally("QuixBugs"), list(quixbugs.programs(folder))
    share = -(-most // len(every)) if most else sys.maxsize
    for program in every:
        passing, failing = quixbugs.split(program)
        if not failing:
            print(f"QuixBugs: {program.name} left out: no case shows its bug", file=sys.stderr)
            continue
        ground = Ground(scratch / program.name, quixbugs.files(program, passing), quixbugs.finding(program, failing))
        with ground.live() as bench:
            _program(tally, program, bench, share)
    return tally


def _program(tally: Tally, program: quixbugs.Program, bench: Bench, most: int) -> None:
    tally.add("right", program.name, bench.judge({"app/program.py": program.correct}))
    tally.add("wrong", f"{program.name} as it was", bench.judge({"app/program.py": program.buggy + "\n"}))
    inputs = [*(arguments for arguments, _ in program.cases), *quixbugs.more_inputs(program)]
    texts = list(mutants(program.correct))
    random.Random(program.name).shuffle(texts)
    texts = texts[:most * 2]
    given = quixbugs.answers([program.correct, *texts], inputs)
    wrong = [text for text, each in zip(texts, given[1:], strict=True) if each != given[0]]
    for number, text in enumerate(wrong[:most - 1]):
        tally.add("wrong", f"{program.name} mutant {number}\n{text}", bench.judge({"app/program.py": text}))


if __name__ == "__main__":
    main("judge", __doc__, measure, {"quixbugs": (str, "a checkout of QuixBugs"),
                                     "wrong": (int, "at most so many wrong patches of QuixBugs; 0: all")})
