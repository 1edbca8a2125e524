"""What is due: cheap questions to the store, so that a step that has nothing to do costs no process."""

from __future__ import annotations

import os
import time

from aiimprove.lock import holder
from aiimprove.way_back import in_order
from aiimprove.workspace import Workspace

LOOK_AGAIN_SECONDS = 3600.0


class Due:
    """The questions of `run`, one per step. Remembers what live looked like at the last look for findings."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._looked: tuple[tuple[object, object], float] | None = None

    def analyze(self) -> bool:
        """Live moved or wrote to its logs since the last look; or its data did, and the last look is an hour old."""
        if not self._live():
            return False
        seen, now = (self._code_and_logs(), self._data()), time.monotonic()
        if self._looked is not None:
            before, at = self._looked
            if seen == before or (seen[0] == before[0] and now - at < LOOK_AGAIN_SECONDS):
                return False
        self._looked = (seen, now)
        return True

    def generate(self) -> bool:
        """Something is proposed and there is room, or live outran something."""
        in_hand = self._count("GENERATED", "VERIFIED", "AWAITING_APPROVAL", "APPROVED")
        room = in_hand < self.workspace.config.limits.waiting
        return self._live() and ((room and self._count("PROPOSED") > 0) or self._outrun())

    def test(self) -> bool:
        return self._live() and self._count("GENERATED") > 0

    def request(self) -> bool:
        """Something is verified and may be asked, or a question is too old."""
        limits = self.workspace.config.limits
        room = self._count("AWAITING_APPROVAL") < limits.waiting
        return (room and self._count("VERIFIED") > 0) or self._late(limits.answer_days * 86400)

    def deploy(self) -> bool:
        """Something is approved, for what is live now, and nothing else is being deployed."""
        busy = self._number("SELECT COUNT(*) FROM deployments WHERE status NOT IN ('COMMITTED', 'ABORTED')") > 0
        return self._live() and not busy and self._number(
            "SELECT COUNT(*) FROM improvements WHERE status = 'APPROVED' AND json_extract(body, '$.base_commit') = ?",
            self.workspace.store.fact("live_commit")) > 0

    def settle(self) -> bool:
        """A deployment was left unfinished, or not tidied up, and nobody is at it."""
        store = self.workspace.store
        unfinished = [row[0] for row in store.connection.execute(
            "SELECT id FROM deployments WHERE status NOT IN ('COMMITTED', 'ABORTED')")]
        return (bool(unfinished) or not in_order(self.workspace)) and not any(holder(store, name) for name in (
            "deploy", *(f"watch {each}" for each in unfinished)))

    def preview(self) -> bool:
        from aiimprove import development

        return self._live() and not development.up_to_date(self.workspace)

    def _live(self) -> bool:
        return self.workspace.store.fact("live_release") is not None

    def _outrun(self) -> bool:
        marks = "('GENERATED', 'UNPROVEN', 'VERIFIED', 'AWAITING_APPROVAL', 'APPROVED')"
        return self._number(f"SELECT COUNT(*) FROM improvements WHERE status IN {marks} "
                            "AND json_extract(body, '$.base_commit') != ?",
                            self.workspace.store.fact("live_commit")) > 0

    def _late(self, seconds: float) -> bool:
        return self._number("SELECT COUNT(*) FROM improvements WHERE status = 'AWAITING_APPROVAL' AND updated < ?",
                            time.time() - seconds) > 0

    def _count(self, *statuses: str) -> int:
        marks = ",".join("?" * len(statuses))
        return self._number(f"SELECT COUNT(*) FROM improvements WHERE status IN ({marks})", *statuses)

    def _number(self, query: str, *values: object) -> int:
        return int(self.workspace.store.connection.execute(query, values).fetchone()[0])

    def _code_and_logs(self) -> object:
        config = self.workspace.config
        logs = [config.logs_folder / f"live_{name}.log" for name in config.services]
        return self.workspace.store.fact("live_commit"), [os.stat(log).st_size for log in logs if log.exists()]

    def _data(self) -> object:
        data = self.workspace.data("live")
        files = [data / each for service in self.workspace.config.services.values() for each in service.databases]
        changed = [file for each in files for file in (each, each.with_name(each.name + "-wal")) if file.exists()]
        return [os.stat(file).st_mtime for file in changed]
