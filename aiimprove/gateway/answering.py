"""Who answers a request, and what happens when a release does not: routes of Caddy's config.

What was never sent may wait for the service to be back, or go to the other slot that is still warm. What was sent may
be sent again only when it changes nothing and carries nothing; everything else is answered 503 at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiimprove.finding import Json
from aiimprove.gateway.hygiene import Routes

CANDIDATE_FAILED, TRIED_AGAIN = "candidate_failed", "tried_again"


@dataclass(frozen=True)
class Backing:
    """The address files of one service in the generation in force. A request that may wait does so for
    `held_seconds`."""

    link: Path
    service: str
    held_seconds: float

    def address(self, who: str) -> str:
        return file(self.link / f"{self.service}.{who}")


def file(path: Path) -> str:
    """The placeholder for what stands in a file, which is read for each request."""
    return "{file." + str(path) + "}"


def log(key: str, value: str, early: bool = True) -> dict[str, Json]:
    """`early`: an answer that was broken off is logged with it too."""
    return {"handler": "log_append", "key": key, "value": value, "early": early}


def candidate(backing: Backing) -> list[Json]:
    """The candidate; a visitor whose request it fails is answered by the stable release where that may be."""
    instead: list[Json] = [log(CANDIDATE_FAILED, "yes"), _held(backing, "stable")]
    failed = {"match": {"status_code": [5]}, "routes": [{"handle": instead}]}
    proxy = _proxy(backing.address("candidate"))
    once: Routes = [{"match": [_repeatable()], "terminal": True, "handle": [proxy | {"handle_response": [failed]}]},
                    {"handle": [proxy]}]
    return [_or_else(once, instead)]


def stable(backing: Backing, *, alone: bool = False) -> list[Json]:
    """The stable release; when it does not answer, the other slot while that is warm, or itself once it is back.

    `alone`: nobody else ever.
    """
    if alone:
        return [_held(backing, "stable")]
    again: list[Json] = [log(TRIED_AGAIN, "yes"), _held(backing, "spare", "stable")]
    return [_or_else([{"handle": [_proxy(backing.address("stable"))]}], again)]


def _or_else(routes: Routes, again: list[Json]) -> dict[str, Json]:
    """`again` when the routes failed in a way that allows it; else their error stands."""
    unsent = {"expression": "{http.error.message}.startsWith('dial ')"}
    return {"handler": "subroute", "routes": routes,
            "errors": {"routes": [{"match": [unsent, _repeatable()], "terminal": True, "handle": again},
                                  {"handle": [{"handler": "error", "error": "{http.error.message}",
                                               "status_code": "{http.error.status_code}"}]}]}}


def _repeatable() -> dict[str, Json]:
    """Requests that may be sent a second time: they change nothing and carry nothing."""
    body = {"header": {"Content-Length": ["*"]}}, {"header": {"Transfer-Encoding": ["*"]}}
    return {"method": ["GET", "HEAD"], "not": list(body)}


def _held(backing: Backing, *whom: str) -> dict[str, Json]:
    """Tries each in turn until one answers. An address is read anew at each attempt, so that a request that is held
    follows a switch."""
    return _proxy(*map(backing.address, whom)) | {"load_balancing": {
        "try_duration": f"{backing.held_seconds}s", "try_interval": "20ms", "retry_match": [_repeatable()],
        "selection_policy": {"policy": "round_robin"}}}


def _proxy(*addresses: str) -> dict[str, Json]:
    """Idle connections are given up before the services give them up (5 s and more)."""
    return {"handler": "reverse_proxy", "upstreams": [{"dial": each} for each in addresses], "flush_interval": -1,
            "transport": {"protocol": "http", "dial_timeout": "2s", "keep_alive": {"idle_timeout": "2s"}}}
