"""A small app that is live, with somebody who writes to it all the time, and what must be true whatever struck it."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tiny import Said, Tiny

from aiimprove.build import build
from aiimprove.release import Release
from aiimprove.workspace import Workspace
from bench.invariants import broken
from bench.small import Writer, approved

FAULTY = Path(__file__).with_name("faulty.py")
ROOT = FAULTY.parent.parent


class Struck:
    """The app with two releases: `first` is live, `second` comes with approved improvements."""

    def __init__(self, tiny: Tiny) -> None:
        self.tiny = tiny
        said = tiny.call("up", "--without-loop")
        assert said.exit_code == 0, said
        self.token = tiny.operator()
        self.engine: Workspace = tiny.workspace()
        self.first = self.engine.live()
        self.second = self._build({"app/new.txt": "new"})

    def _build(self, files: dict[str, str]) -> Release:
        commit = self.tiny.commit(files)
        return build(self.engine.config, self.engine.repository, commit, self.engine.box, str, trusted=True)

    def worse(self, path: str, old: str, new: str) -> Release:
        """A release of one more commit, in which a file is changed."""
        self.tiny.edit(path, old, new)
        return self._build({})

    def approved(self, release: Release | None = None) -> str:
        """An improvement that was proven and approved, to be deployed."""
        return approved(self.engine, release or self.second)

    def verb(self, *words: str, **how: object) -> Said:
        """A verb, as the operator, without a fault."""
        return self.tiny.call(*words, "--token-stdin", stdin=self.token + "\n", **how)  # type: ignore[arg-type]

    def faulty(self, what: str, number: int | str, *words: str) -> subprocess.Popen[str]:
        """A verb under way on which a fault falls at a step (tests/faulty.py)."""
        command = subprocess.Popen(
            [sys.executable, "-P", str(FAULTY), str(self.tiny.state), what, str(number), "--", *words,
             "--token-stdin"], cwd=self.tiny.folder, env=self.tiny.env | {"PYTHONPATH": str(ROOT)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert command.stdin is not None
        command.stdin.write(self.token + "\n")
        command.stdin.flush()
        return command

    @contextmanager
    def waiting(self, step: str, *words: str) -> Iterator[subprocess.Popen[str]]:
        """A verb that waits right before a step while the block runs, and is done after it."""
        command = self.faulty("wait", step, *words)
        assert command.stderr is not None and command.stdin is not None
        try:
            line = next((line for line in command.stderr if line.startswith("step: ")), "")
            assert step in line, (step, line, command.wait(5))
            yield command
        finally:
            if command.poll() is None:
                command.stdin.write("\n")
            self.said = command.communicate(timeout=120)

    def steps(self, *words: str) -> list[str]:
        """The steps that a verb takes from here; it takes them."""
        _, errors = self.faulty("list", 0, *words).communicate(timeout=60)
        return [line.partition(": ")[2] for line in errors.splitlines() if line.startswith("step: ")]

    def through(self, *words: str, tries: int = 1, seconds: float = 60.0) -> Said:
        """The same command again, until it is done; an AssertionError after so many tries."""
        for _ in range(tries):
            said = self.verb(*words, seconds=seconds)
            if said.exit_code == 0:
                return said
        raise AssertionError(f"{words} does not get through: {said}")

    def wrong(self) -> list[str]:
        """What is not as it must be now that nothing is under way."""
        return [*broken(self.tiny.state, self.engine), *([] if self.answers() else ["the site does not answer"])]

    def answers(self, path: str = "/count") -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.tiny.live_port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def lost(self, writer: Writer) -> list[str]:
        """Acknowledged notes that are not there exactly once, and others that are there twice."""
        return writer.lost(self.tiny.state / "data" / "live" / "notes.db")


@contextmanager
def struck(tiny: Tiny) -> Iterator[Struck]:
    """The app, live without a loop; stopped afterwards."""
    try:
        yield Struck(tiny)
    finally:
        assert tiny.call("down").exit_code == 0


def until(question: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
