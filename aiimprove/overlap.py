"""When two findings are one cause at one place, seen from two sides: the one rule for it."""

from __future__ import annotations

from collections.abc import Mapping

from aiimprove.finding import Finding, Json


def one_thing(one: Finding, other: Finding) -> str:
    """What two findings have in common, so that only one of them is proposed at a time; empty when they are two things.

    The same exception in the same function of a service, from whatever route or log; or two indexes of a table of which
    one begins with the other.
    """
    if one.details.get("service") != other.details.get("service") or one.kind is not other.kind:
        return ""
    if one.fingerprint == other.fingerprint:
        return "the same cause in the same place"
    shared = sorted(_crashes(one) & _crashes(other))
    return shared[0] if shared else _index(one.details, other.details)


def _crashes(finding: Finding) -> set[str]:
    """Exception and function, as tracebacks told them."""
    told = [finding.details, *finding.details.get("parameters", ())]
    return {str(each["crash"]) for each in told if each.get("crash")}


def _index(one: Mapping[str, Json], other: Mapping[str, Json]) -> str:
    if not one.get("columns") or not other.get("columns") or _table(one) != _table(other):
        return ""
    columns = list(zip(one["columns"], other["columns"], strict=False))
    return f"an index of {one['table']} that begins with {columns[0][0]}" if all(a == b for a, b in columns) else ""


def _table(details: Mapping[str, Json]) -> tuple[Json, Json]:
    return details.get("database"), details.get("table")
