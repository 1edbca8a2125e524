"""No test may be skipped, and nothing that warns may be told to be silent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aiimprove.honesty.names import mentions
from aiimprove.honesty.written import Known, Written

SKIPS = frozenset({"skip", "skipif", "skipIf", "skipUnless", "xfail", "importorskip", "expectedFailure", "SkipTest",
                   "skipTest", "filterwarnings", "simplefilter"})
_TOLD = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no\s*(cover|branch|mutate)|nosec|pylint:\s*disable|"
                   r"mypy:|pyright:\s*ignore|ruff:\s*noqa|flake8:\s*noqa|pyre-)", re.IGNORECASE)
_OUTCOMES = frozenset({"collect_ignore", "collect_ignore_glob", "__test__", "pytestmark", "pytest_plugins"})


def objections(written: Written, known: Known) -> Iterator[str]:
    for line, comment in written.comments():
        if match := _TOLD.search(comment):
            yield written.at(line, f"silences a warning ({match[0].lstrip('# ')})")
    for each in mentions(written) if written.python else ():
        last = each.name.rpartition(".")[2]
        if last in SKIPS and ("." in each.name or each.imported):
            yield written.at(each.line, f"skips tests or silences warnings ({last})")
        elif last in _OUTCOMES and each.stored:
            yield written.at(each.line, f"decides which tests are run ({last})")
