"""A deployment goes forward or is undone, and ends once."""

from __future__ import annotations

import json
from itertools import product

import pytest

from aiimprove.errors import Refused
from aiimprove.release import Deployment, DeploymentStatus, Slot

ORDER = [DeploymentStatus.PREPARED, DeploymentStatus.STARTED, DeploymentStatus.CANARY, DeploymentStatus.WATCHING,
         DeploymentStatus.COMMITTED]
ENDED = (DeploymentStatus.COMMITTED, DeploymentStatus.ABORTED)


def test_the_slots_take_turns() -> None:
    assert Slot.BLUE.other is Slot.GREEN and Slot.GREEN.other is Slot.BLUE


@pytest.mark.parametrize(("before", "after"), list(product(DeploymentStatus, DeploymentStatus)))
def test_forward_or_undone(before: DeploymentStatus, after: DeploymentStatus) -> None:
    deployment = Deployment("d", "new", "old", Slot.GREEN, before, version=2)
    undone = after is DeploymentStatus.ABORTED
    allowed = before not in ENDED and (undone or ORDER.index(after) > ORDER.index(before))
    if allowed:
        moved = deployment.advance(after, "said")
        assert (moved.status, moved.version, moved.message) == (after, 3, "said")
    else:
        with pytest.raises(Refused, match=f"deployment d is {before}: it cannot become {after}"):
            deployment.advance(after)


@pytest.mark.parametrize("status", list(DeploymentStatus))
def test_which_have_ended(status: DeploymentStatus) -> None:
    assert Deployment("d", "new", "old", Slot.BLUE, status).ended is (status in ENDED)


def test_json_and_back() -> None:
    whole = Deployment("d", "new", "old", Slot.GREEN, DeploymentStatus.WATCHING, 4, "rollback", ("a",), ("b",), "m",
                       1.0, 2.0)
    assert Deployment.from_json(json.loads(json.dumps(whole.to_json()))) == whole
