"""Runs a verb, kills it with -9 at random moments, and runs it again until it is through."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from aiimprove.workspace import Workspace
from bench.invariants import broken
from bench.site import Site

SECONDS = {"analyze": 5.0, "generate": 1.5, "test": 20.0, "request-approval": 0.7, "approve": 0.7, "deploy": 4.0,
           "rollback": 3.0}
"""How long a verb takes at least, before it was seen."""
TRIES = 10


@dataclass
class Killer:
    """Runs verbs on a site and kills them. `wrong` are sentences about what must not be."""

    site: Site
    engine: Workspace
    draw: random.Random
    kills: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    takes: dict[str, float] = field(default_factory=lambda: dict(SECONDS))

    @property
    def total(self) -> int:
        return sum(self.kills.values())

    def through(self, kills: int, *words: str, look: bool = True) -> dict[str, Any]:
        """Kill the command so many times, then let it get through, and look at everything."""
        verb = words[0]
        for _ in range(kills):
            self._kill(verb, words)
        began = time.monotonic()
        envelope = self._finish(words)
        took = time.monotonic() - began
        self.slowest[verb] = max(self.slowest.get(verb, 0.0), took)
        if took > self.takes[verb] / 2:  # else there was nothing left to do
            self.takes[verb] = took
        if look:
            self.look(" ".join(words))
        return envelope

    def look(self, after: str) -> None:
        found = [f"after {after}: {sentence}" for sentence in broken(self.site.state, self.engine)]
        for sentence in found:
            print(sentence, flush=True)
        self.wrong += found

    def must_be(self, name: str, status: str, after: str) -> None:
        seen = self.engine.store.improvement(name).status
        if seen != status:
            self.wrong.append(f"after {after}: {name} is {seen}, not {status}")
            print(self.wrong[-1], flush=True)

    def _kill(self, verb: str, words: tuple[str, ...]) -> None:
        command = subprocess.Popen(self.site.command(*words, "--json", "--token-stdin") if _asks(verb) else
                                   self.site.command(*words, "--json"), cwd=self.site.folder, env=self.site.env,
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        assert command.stdin is not None
        command.stdin.write(f"{self.site.token}\n".encode())
        command.stdin.close()
        try:
            command.wait(self.draw.uniform(0.05, self.takes[verb]))
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()
            self.kills[verb] = self.kills.get(verb, 0) + 1

    def _finish(self, words: tuple[str, ...]) -> dict[str, Any]:
        for _ in range(TRIES):
            envelope = self.site.run(*words, token=_asks(words[0]))
            if envelope["exit_code"] in (0, 4) or self._taken_back(words):  # 4: the proof says no, which is an answer
                return envelope
            print(" ".join(words), envelope["errors"], flush=True)
            time.sleep(1)
        self.wrong.append(f"{' '.join(words)} does not get through: {envelope['errors']}")
        return envelope


    def _taken_back(self, words: tuple[str, ...]) -> bool:
        """Whether it was a deploy whose release failed under its watch: that too is an answer."""
        return words[0] == "deploy" and self.engine.store.improvement(words[1]).status == "ROLLED_BACK"


def _asks(verb: str) -> bool:
    return verb in ("approve", "deploy", "rollback")
