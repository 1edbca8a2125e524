"""The checks of a proof: one small file each, with a `run(stand)` that answers with a verdict and a sentence."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from aiimprove.errors import NotFound

if TYPE_CHECKING:
    from aiimprove.evidence import Check
    from aiimprove.proving import Stand

CHECKS = {name: f"{__name__}.{name}" for name in (
    "contract", "honesty", "migration", "probe", "replay", "resources", "rollback", "scope", "smoke", "speed",
    "strength", "tests")}


class Checker(Protocol):
    """A module of this package. What the machine is to blame for is raised, as an AiimproveError or OSError."""

    def run(self, stand: Stand) -> Check: ...


def load(name: str) -> Checker:
    """The check of that name. Raises NotFound."""
    if name not in CHECKS:
        raise NotFound(f"there is no check named {name}")
    return cast(Checker, importlib.import_module(CHECKS[name]))
