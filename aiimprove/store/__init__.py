"""state.db: the one truth about improvements, findings, releases, deployments and events.

Every change is a short transaction that carries its event; a status moves by compare-and-set, so that of two
processes that try the same step one wins and the other is told so.
"""

from aiimprove.store.opening import StoreDamaged
from aiimprove.store.store import Store

__all__ = ["Store", "StoreDamaged"]
