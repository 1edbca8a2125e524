"""Which answers are alike: the same service, the same method, the same shape of path."""

from __future__ import annotations

READS = ("GET", "HEAD", "OPTIONS")
_LONGEST_WORD, _DEEPEST = 32, 5


def route(service: str, method: str, uri: str) -> str:
    """For example `GET frontend/videos/:id`. What varies from visitor to visitor is left out: the query, segments
    with digits, long ones, and what lies deeper than the fifth."""
    path = uri.partition("?")[0].partition("#")[0]
    parts = [_shape(part) for part in path.strip("/").split("/")[:_DEEPEST]]
    return f"{method} {service}/{'/'.join(parts)}"


def writes(named: str) -> bool:
    return named.partition(" ")[0] not in READS


def _shape(part: str) -> str:
    varies = len(part) > _LONGEST_WORD or "%" in part or any(each.isdigit() for each in part)
    return ":id" if varies else part
