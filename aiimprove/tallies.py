"""What visitors got, counted: by release, service and class of status, with the times of the answers."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from aiimprove.openmetrics import Family, Sample, counter, histogram

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: the bounds that Prometheus' own clients use, so that panels made for those fit."""
MOST_RELEASES = 20
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Seen(Protocol):
    """An answer to a visitor, as the gateway's access log has it."""

    @property
    def environment(self) -> str: ...
    @property
    def release(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def failed_candidate(self) -> bool: ...
    @property
    def finished(self) -> bool: ...


@dataclass
class _Series:
    classes: list[int]
    times: list[int]
    seconds: float = 0.0
    candidate_failures: int = 0
    broken_off: int = 0


class Tallies:
    """Counters that only rise. Those of the releases that served longest ago are given up, so that there is an end to
    their number."""

    def __init__(self, saved: list[Any] | None = None) -> None:
        self._series: dict[tuple[str, str, str], _Series] = {
            (environment, service, release): _Series(*rest) for environment, service, release, *rest in saved or []}

    def saved(self) -> list[Any]:
        """For JSON, and for the start of the next process."""
        return [[*key, each.classes, each.times, each.seconds, each.candidate_failures, each.broken_off]
                for key, each in self._series.items()]

    def add(self, answer: Seen) -> None:
        """Count one answer. One that was broken off has neither a true status nor a true time."""
        key = (answer.environment, answer.service, answer.release)
        series = self._series.pop(key, None) or _Series([0] * len(_CLASSES), [0] * (len(BOUNDS) + 1))
        self._series[key] = series
        series.candidate_failures += answer.failed_candidate
        if not answer.finished:
            series.broken_off += 1
        elif 100 <= answer.status < 600:
            series.classes[answer.status // 100 - 1] += 1
            series.times[bisect_left(BOUNDS, answer.seconds)] += 1
            series.seconds += answer.seconds

    def give_up_the_oldest(self) -> None:
        releases = list(dict.fromkeys(release for _, _, release in reversed(self._series)))
        kept = set(releases[:MOST_RELEASES])
        self._series = {key: each for key, each in self._series.items() if key[2] in kept}

    def families(self) -> list[Family]:
        return [
            counter("aiimprove_requests", "Answers to visitors, by class of status.",
                    (Sample(count, {**labels, "class": name}) for labels, each in self._labelled()
                     for name, count in zip(_CLASSES, each.classes, strict=True))),
            counter("aiimprove_request_errors", "Answers with a server error.",
                    (Sample(each.classes[-1], labels) for labels, each in self._labelled())),
            counter("aiimprove_request_candidate_failures", "Requests that failed on a canary: stable answered them.",
                    (Sample(each.candidate_failures, labels) for labels, each in self._labelled())),
            counter("aiimprove_requests_broken_off", "Answers that the visitor or the service broke off.",
                    (Sample(each.broken_off, labels) for labels, each in self._labelled())),
            Family("aiimprove_request_seconds", "histogram", "Time from request to the end of its answer; streams too.",
                   tuple(sample for labels, each in self._labelled()
                         for sample in histogram(labels, BOUNDS, tuple(each.times), each.seconds)), "seconds"),
        ]

    def _labelled(self) -> Iterator[tuple[Mapping[str, str], _Series]]:
        for (environment, service, release), each in sorted(self._series.items()):
            yield {"environment": environment, "service": service, "release": release}, each
