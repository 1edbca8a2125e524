"""How many improvements may wait for an answer at once: on the first day people should not be asked much."""

from __future__ import annotations

import time

from aiimprove.workspace import Workspace

FIRST_DAY = 86400.0


def may_wait(workspace: Workspace) -> int:
    """As `limits` say: fewer while less than a day has passed since the first deployment that is on record. Whoever
    asks for one by its name is not held up by the first day."""
    limits = workspace.config.limits
    first = workspace.store.connection.execute("SELECT MIN(started) FROM deployments").fetchone()[0]
    young = first is not None and 0 <= time.time() - first < FIRST_DAY
    return min(limits.first_day, limits.waiting) if young else limits.waiting
