"""What is due: cheap questions to the store, so that a step that has nothing to do costs no process."""

from __future__ import annotations

import time

from aiimprove import looked
from aiimprove.backups import restore_under_way
from aiimprove.improvement import Status
from aiimprove.lock import holder
from aiimprove.patience import may_wait
from aiimprove.release import MACHINE_FAILED
from aiimprove.way_back import in_order
from aiimprove.workspace import GATE, Workspace

UPGRADE = "upgrade"
"""The lease of whoever puts another version of aiimprove in place."""

MACHINE_PAUSE = 60.0
"""Seconds before what the machine failed at is tried again."""


class Due:
    """The questions of `run`, one per step."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def analyze(self) -> bool:
        """There is something to look at that was not looked at before."""
        return self._live() and looked.worth_it(self.workspace)

    def generate(self) -> bool:
        """Something is proposed and there is room, or live outran something."""
        in_hand = self._count("GENERATED", "VERIFIED", "AWAITING_APPROVAL", "APPROVED")
        room = in_hand < self.workspace.config.limits.waiting
        return self._live() and ((room and self._count("PROPOSED") > 0) or self._outrun())

    def test(self) -> bool:
        """Something is written, or a proof does not count any more."""
        if not self._live():
            return False
        return self._count("GENERATED") > 0 or self._lapsed()

    def gate(self) -> bool:
        """The gate was not fed yet as things stand, and there is something to feed it with."""
        if self._proven() == 0:
            return False
        from aiimprove import gate

        return gate.due(self.workspace) is not None

    def request(self) -> bool:
        """Something is verified and may be asked, or a question is too old."""
        limits = self.workspace.config.limits
        room = self._count("AWAITING_APPROVAL") < may_wait(self.workspace)
        may = room and self._count("VERIFIED") > 0 and not self._gate_closed()
        return may or self._late(limits.answer_days * 86400)

    def deploy(self) -> bool:
        """Something is approved, for what is live now, and nothing else is being deployed."""
        busy = self._number("SELECT COUNT(*) FROM deployments WHERE status NOT IN ('COMMITTED', 'ABORTED')") > 0
        return self._live() and not busy and not self._machine_failed() and self._may_be_deployed()

    def _may_be_deployed(self) -> bool:
        """Something is approved whose proof still counts."""
        if self._count("APPROVED") == 0 or self._gate_closed():
            return False
        from aiimprove import freshness

        approved = self.workspace.store.improvements({Status.APPROVED})
        return any(not freshness.lapsed(self.workspace, each) for each in approved)

    def _lapsed(self) -> bool:
        """A proof does not count any more, although its base still serves."""
        if self._proven() == 0:
            return False
        from aiimprove import freshness

        return freshness.due(self.workspace) is not None

    def _machine_failed(self) -> bool:
        """Moments ago, at a deployment: a full disk needs a pause, and somebody."""
        now = time.time()
        return self._number("SELECT COUNT(*) FROM deployments WHERE status = 'ABORTED' "
                            "AND json_extract(body, '$.message') LIKE ? "
                            "AND json_extract(body, '$.finished') BETWEEN ? AND ?",
                            f"{MACHINE_FAILED}%", now - MACHINE_PAUSE, now) > 0

    def settle(self) -> bool:
        """A deployment was left unfinished, or not tidied up, and nobody is at it."""
        store = self.workspace.store
        unfinished = [row[0] for row in store.connection.execute(
            "SELECT id FROM deployments WHERE status NOT IN ('COMMITTED', 'ABORTED')")]
        left = bool(unfinished) or restore_under_way(self.workspace.config) or not in_order(self.workspace)
        return left and not any(holder(store, name) for name in (
            "deploy", *(f"watch {each}" for each in unfinished)))

    def predictions(self) -> bool:
        """Something has been live for a moment, and live was not asked yet whether it does what was predicted."""
        from aiimprove import settlement

        return self._count("LIVE") > 0 and settlement.due(self.workspace) is not None

    def pairs(self) -> bool:
        """Two stand side by side that were not tried together."""
        if self._proven() < 2:
            return False
        from aiimprove import pairs

        return pairs.due(self.workspace) is not None

    def prune(self) -> bool:
        """A day has passed, or the disk runs low; or it is time to measure again."""
        from aiimprove import upkeep

        return upkeep.due(self.workspace) or upkeep.measuring_due(self.workspace)

    def digest(self) -> bool:
        """A day has passed since the last one."""
        from aiimprove import digest

        return digest.due(self.workspace)

    def preview(self) -> bool:
        from aiimprove import development

        return self._live() and not development.up_to_date(self.workspace)

    def upgrade(self) -> bool:
        """Another version is being put in place: nothing may be started until that is done."""
        return holder(self.workspace.store, UPGRADE) is not None

    def _live(self) -> bool:
        return self.workspace.store.fact("live_release") is not None

    def _outrun(self) -> bool:
        marks = "('GENERATED', 'UNPROVEN', 'VERIFIED', 'AWAITING_APPROVAL', 'APPROVED')"
        return self._number(f"SELECT COUNT(*) FROM improvements WHERE status IN {marks} "
                            "AND json_extract(body, '$.base_commit') != ?",
                            self.workspace.store.fact("live_commit")) > 0

    def _late(self, seconds: float) -> bool:
        return self._number("SELECT COUNT(*) FROM improvements WHERE status = 'AWAITING_APPROVAL' AND "
                            "COALESCE(NULLIF(json_extract(body, '$.asked'), 0), updated) < ?",
                            time.time() - seconds) > 0

    def _gate_closed(self) -> bool:
        return not (self.workspace.store.fact(GATE) or {"open": True})["open"]

    def _proven(self) -> int:
        return self._count("VERIFIED", "AWAITING_APPROVAL", "APPROVED")

    def _count(self, *statuses: str) -> int:
        marks = ",".join("?" * len(statuses))
        return self._number(f"SELECT COUNT(*) FROM improvements WHERE status IN ({marks})", *statuses)

    def _number(self, query: str, *values: object) -> int:
        return int(self.workspace.store.connection.execute(query, values).fetchone()[0])
