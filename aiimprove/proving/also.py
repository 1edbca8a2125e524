"""What else a candidate mends: other findings whose probe fails on the live version and not on it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from aiimprove.errors import AiimproveError
from aiimprove.finding import Finding
from aiimprove.prediction import only_reads
from aiimprove.probes import replay
from aiimprove.proving.copies import Copy

SECONDS = 10.0
TWICE = 2


def also_mended(others: Iterable[Finding], baseline: Copy, candidate: Copy) -> dict[str, str]:
    """Fingerprint and title of those of the findings that are gone on the candidate. Only such that read are asked, in
    at most SECONDS; what cannot be asked is not told."""
    ends, found = time.monotonic() + SECONDS, {}
    for each in others:
        if time.monotonic() > ends:
            break
        if each.probe.kind != "none" and only_reads(each.probe) and _gone(each, baseline, candidate):
            found[each.fingerprint] = each.title
    return found


def _gone(finding: Finding, baseline: Copy, candidate: Copy) -> bool:
    try:
        return all(not _passes(finding, baseline) and _passes(finding, candidate) for _ in range(TWICE))
    except (AiimproveError, OSError):
        return False


def _passes(finding: Finding, copy: Copy) -> bool:
    return replay(finding.probe, copy.urls.get(finding.probe.service, ""), copy.data).passed
