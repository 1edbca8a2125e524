"""Anti-cheating rules: what no honest fix needs, looked for in the lines that a candidate adds.

Each rule is a function of `RULES` that yields a sentence for every line it objects to. Rules read, they run nothing.
They are strict: an author whose fix needs one of these things has to find another way, or a human makes the change.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from aiimprove.honesty import (
    answers,
    arrivals,
    hidden,
    literals,
    markers,
    memory,
    patience,
    quiet,
    scripts,
    silencing,
    swallowing,
)
from aiimprove.honesty.written import Known, Written

Rule = Callable[[Written, Known], Iterator[str]]

RULES: Mapping[str, Rule] = {
    "silencing": silencing.objections, "swallowing": swallowing.objections, "patience": patience.objections,
    "quiet": quiet.objections, "markers": markers.objections, "hidden": hidden.objections,
    "memory": memory.objections, "answers": answers.objections, "literals": literals.objections,
    "arrivals": arrivals.objections, "scripts": scripts.objections,
}


_LINE = re.compile(r":\d+ ")
_NEVER_CARRIED = frozenset({"patience", "literals", "arrivals"})


def spoken(files: Sequence[Written], known: Known) -> dict[str, list[str]]:
    """The sentences of each rule that objects to something."""
    said = {name: [each for written in files for each in _new(name, written, known)] for name in RULES}
    return {name: list(dict.fromkeys(each)) for name, each in said.items() if each}


def _new(name: str, written: Written, known: Known) -> Iterator[str]:
    """What a rule says about a file, but for what the changed lines held before."""
    found = list(RULES[name](written, known))
    if name in _NEVER_CARRIED or written.before is None or not found:
        yield from found
        return
    more = _all(name, written, written.after, known) - _all(name, written, written.before, known)
    for each in found:
        what = _LINE.sub(" ", each, count=1)
        if what == each or more[what] > 0:
            more[what] -= 1
            yield each


def _all(name: str, written: Written, text: str, known: Known) -> Counter[str]:
    """What a rule would say about every line of a file."""
    whole = Written(written.path, None, text, written.test)
    return Counter(_LINE.sub(" ", each, count=1) for each in RULES[name](whole, known))
