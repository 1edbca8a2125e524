"""What a day came to, in a few lines: for whoever does not look every hour."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass

from aiimprove import process
from aiimprove.config import inherited
from aiimprove.errors import MachineFailed
from aiimprove.finding import Json
from aiimprove.improvement import Status
from aiimprove.workspace import Workspace

DAY = 86400.0
SENT = "digest_sent"
SHOWN = 3
_SECONDS = 60.0
_WORDS = {"improvement.live": "went live", "improvement.rolled_back": "taken back", "improvement.rejected": "rejected",
          "improvement.expired": "not answered in time", "improvement.verified": "proven",
          "improvement.failed": "failed their proof", "improvement.proposed": "found"}


@dataclass(frozen=True)
class Digest:
    """`since` in unix seconds; `happened` maps what happened, in words, to the ids it happened to; `waiting` are the
    ids that wait for an answer; `bad_health` counts the checks, of `checks`, at which live was not well."""

    since: float
    happened: dict[str, list[str]]
    waiting: list[str]
    checks: int
    bad_health: int
    titles: dict[str, str]

    @property
    def quiet(self) -> bool:
        """Whether there is nothing that anybody would want to be told."""
        return not (self.waiting or self.happened or self.bad_health)

    @property
    def text(self) -> str:
        lines = [f"waits for your answer: {self._named(name)}" for name in self.waiting]
        lines += [f"{words}: {self._listed(names)}" for words, names in self.happened.items()]
        if self.checks:
            lines.append(f"live was well at {self.checks - self.bad_health} of {self.checks} checks")
        return "\n".join(lines or ["nothing happened, and nothing waits for an answer"])

    def to_json(self) -> dict[str, Json]:
        return asdict(self) | {"quiet": self.quiet, "text": self.text}

    def _listed(self, names: list[str]) -> str:
        more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return ", ".join(map(self._named, names[:SHOWN])) + more

    def _named(self, name: str) -> str:
        return f"{self.titles[name]} ({name})" if self.titles.get(name) else name


def digest(workspace: Workspace, since: float) -> Digest:
    """What happened since then, and what waits now."""
    store, now = workspace.store, time.time()
    known = store.improvements()
    rows = store.connection.execute("SELECT name, subject FROM events WHERE at BETWEEN ? AND ? ORDER BY seq",
                                    (since, now)).fetchall()
    happened = {words: names for event, words in _WORDS.items()
                if (names := list(dict.fromkeys(subject for name, subject in rows if name == event)))}
    checks, bad = store.connection.execute(
        "SELECT COUNT(*), TOTAL(json_extract(body, '$.live') = 'failing') FROM health WHERE at BETWEEN ? AND ?",
        (since, now)).fetchone()
    return Digest(since, happened, [each.id for each in known if each.status is Status.AWAITING_APPROVAL], checks,
                  int(bad), {each.id: each.title for each in known})


def due(workspace: Workspace) -> bool:
    """A day has passed since the last one, whichever way the clock was set; the first comes after the first day."""
    sent = workspace.store.fact(SENT)
    return sent is None or abs(time.time() - float(sent)) >= DAY


def send(workspace: Workspace) -> str:
    """Give the last day's digest to the program of the config, when there is one and something to say; what was done,
    in words. Raises MachineFailed when the program fails: it is tried again the next day."""
    sent, now = workspace.store.fact(SENT), time.time()
    workspace.store.set_fact(SENT, now)
    if sent is None:
        return ""
    found = digest(workspace, float(sent))
    if found.quiet:
        return ""
    if workspace.config.digest:
        _hand_over(workspace, found.text)
    return "; ".join(found.text.splitlines())


def _hand_over(workspace: Workspace, text: str) -> None:
    words, problem = workspace.config.digest, ""
    try:
        done = process.run(words, cwd=workspace.config.repository, env=inherited("PATH", "HOME", "LANG", "TZ"),
                           deadline=_SECONDS, stdin=f"{text}\n".encode())
        problem = "took too long" if done.timed_out else f"ended with {done.exit_code}" if done.exit_code else ""
    except OSError as error:
        problem = f"could not be started ({error.strerror})"
    if problem:
        raise MachineFailed(f"the digest was not handed over: {words[0]} {problem}. 'aiimprove digest' prints it")
