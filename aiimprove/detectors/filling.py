"""Rows for lists that are empty on the copy: without any, nothing tells a request that fails from one that works."""

from __future__ import annotations

from dataclasses import replace

from aiimprove.detectors.visit import Visit
from aiimprove.openapi import Route
from aiimprove.samples import harvest, request

ROWS, ROUNDS = 2, 2
"""Rows for each list; and rounds, since what one list is made of may stand in another."""


def filled(visit: Visit) -> Visit:
    """Posts made-up rows to every list that answers none, and looks again. Writes to the copy; whoever calls puts the
    data back. Raises Unreachable."""
    for _ in range(ROUNDS):
        empty = [route for route in visit.routes if _makes_rows(visit, route)]
        if not empty:
            return visit
        for route in sorted(empty, key=lambda route: len(route.parameters)):
            for _ in range(ROWS):
                request(route, visit.samples.valid(route)).crashes(visit.line)
        visit = replace(visit, samples=harvest(visit.line, visit.routes))
    return visit


def _makes_rows(visit: Visit, route: Route) -> bool:
    return route.method == "POST" and visit.samples.by_list.get(route.path.rstrip("/")) == []
