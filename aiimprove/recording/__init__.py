"""Requests of visitors, kept for replay: taken from the gateway's raw log, redacted, grouped by shape, bounded.

Everything stands in the folder `recorded` of the state folder, away from state.db: it may be removed at any time.
"""

from aiimprove.recording.kept import Kept
from aiimprove.recording.raw import FOLDER, raw_log
from aiimprove.recording.reading import forget, read, recent
from aiimprove.recording.request import NO_TRAFFIC, Recorded, Traffic

__all__ = ["FOLDER", "NO_TRAFFIC", "Kept", "Recorded", "Traffic", "forget", "raw_log", "read", "recent"]
