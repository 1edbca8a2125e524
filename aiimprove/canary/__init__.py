"""The judgement of a canary: sequential tests of what visitors, and replayed requests, got from two releases."""

from aiimprove.canary.control import PAIRS, SECONDS, Pair, set_aside
from aiimprove.canary.judgement import FAILED_PROBES, FIRST_GLANCE, MISSED, Judgement, counted, judge
from aiimprove.canary.ledger import ERRORS, Ledger
from aiimprove.canary.pace import Pace
from aiimprove.canary.routes import route
from aiimprove.canary.sequential import Tally

__all__ = ["ERRORS", "FAILED_PROBES", "FIRST_GLANCE", "MISSED", "PAIRS", "SECONDS", "Judgement", "Ledger", "Pace",
           "Pair", "Tally", "counted", "judge", "route", "set_aside"]
