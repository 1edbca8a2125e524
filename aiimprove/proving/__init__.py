"""A baseline and a candidate side by side, each a private copy of the app on its own clone of the data."""

from aiimprove.proving.copies import CLONES, Copy, running_copy, running_on, until_healthy
from aiimprove.proving.proof import Case, Stand, judge_digest, prove, prove_several

__all__ = ["CLONES", "Case", "Copy", "Stand", "judge_digest", "prove", "prove_several", "running_copy",
           "running_on", "until_healthy"]
