"""A baseline and a candidate side by side, each a private copy of the app on its own clone of the data."""

from aiimprove.proving.copies import Copy, migrate, running_copy
from aiimprove.proving.proof import Case, Stand, judge_digest, prove

__all__ = ["Case", "Copy", "Stand", "judge_digest", "migrate", "prove", "running_copy"]
