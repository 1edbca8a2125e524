"""Who answers a request, and what happens when a release does not: routes of Caddy's config.

What was never sent may wait for the service to be back, or go to the other slot that is still warm. What was sent may
be sent again only when it changes nothing and carries nothing; everything else is answered 503 at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aiimprove.finding import Json
from aiimprove.gateway.hygiene import Routes

WEBSOCKETS_FROM, EVENTS_FROM = "127.0.0.11", "127.0.0.12"
CANDIDATE_FAILED, TRIED_AGAIN = "candidate_failed", "tried_again"


@dataclass(frozen=True)
class Backing:
    """The address files of one service in the generation in force. A request that may wait does so for
    `held_seconds`. What earlier releases had below the public paths `assets` stands in the folder `kept`."""

    link: Path
    service: str
    held_seconds: float
    assets: tuple[str, ...] = ()
    kept: Path = Path()

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
    failed: Json = {"match": {"status_code": [5]}, "routes": [{"handle": instead}]}
    proxy = _proxy(backing.address("candidate"))
    read: Routes = [{"match": [_repeatable()], "terminal": True, "handle": [
        {"handler": "subroute", "routes": _with_assets(backing, proxy, failed)}]}]
    return [_or_else([*read, *_by_listening(proxy)], instead)]


def stable(backing: Backing, *, alone: bool = False) -> list[Json]:
    """The stable release; when it does not answer, the other slot while that is warm, or itself once it is back.

    `alone`: nobody else ever.
    """
    if alone:
        return [_held(backing, "stable")]
    again: list[Json] = [log(TRIED_AGAIN, "yes"), _held(backing, "spare", "stable")]
    return [_or_else(_with_assets(backing, _proxy(backing.address("stable"))), again)]


def _or_else(routes: Routes, again: list[Json]) -> dict[str, Json]:
    """`again` when the routes failed in a way that allows it; else their error stands."""
    unsent = {"expression": "{http.error.message}.startsWith('dial ')"}
    return {"handler": "subroute", "routes": routes,
            "errors": {"routes": [{"match": [unsent, _repeatable()], "terminal": True, "handle": again},
                                  {"handle": [{"handler": "error", "error": "{http.error.message}",
                                               "status_code": "{http.error.status_code}"}]}]}}


def _with_assets(backing: Backing, proxy: dict[str, Json], *handled: Json) -> Routes:
    """A file that the release does not have is looked for among those of earlier ones."""
    plain = _by_listening(proxy | ({"handle_response": list(handled)} if handled else {}))
    if not backing.assets:
        return plain
    missing: Json = {"match": {"status_code": [404]}, "routes": _earlier(backing)}
    below = {"method": ["GET", "HEAD"], "path": [f"{each}*" for each in backing.assets]}
    return [{"match": [below], "terminal": True,
             "handle": [proxy | {"handle_response": [*handled, missing]}]}, *plain]


def _earlier(backing: Backing) -> Routes:
    """The file as it was when its release served, with what the service says about every answer; else its 404."""
    own = ["Cache-Control", "Content-Encoding", "Content-Length", "Content-Type", "Etag", "Last-Modified", "Vary",
           "Transfer-Encoding"]
    found = {"file": {"root": str(backing.kept), "try_files": ["/*{http.request.uri.path}"]}}
    return [
        {"match": [found], "terminal": True, "handle": [
            log("earlier_asset", "yes"), {"handler": "copy_response_headers", "exclude": own},
            {"handler": "headers", "response": {"set": {"Cache-Control": ["public, max-age=31536000, immutable"]}}},
            {"handler": "rewrite", "uri": "{http.matchers.file.relative}"},
            {"handler": "file_server", "root": str(backing.kept)}]},
        {"handle": [{"handler": "copy_response"}]}]


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


def _by_listening(proxy: dict[str, Json]) -> Routes:
    """What is listened to without an end comes from addresses of its own (shim/farewell.py)."""
    kinds = {WEBSOCKETS_FROM: {"Connection": ["*pgrade*"], "Upgrade": ["websocket"]},
             EVENTS_FROM: {"Accept": ["text/event-stream*"]}}
    ways: Routes = [{"match": [{"header": wanted}], "terminal": True, "handle": [
        proxy | {"transport": proxy["transport"] | {"local_address": address}}]} for address, wanted in kinds.items()]
    return [*ways, {"handle": [proxy]}]


def _proxy(*addresses: str) -> dict[str, Json]:
    """Idle connections are given up before the services give them up (5 s and more)."""
    return {"handler": "reverse_proxy", "upstreams": [{"dial": each} for each in addresses], "flush_interval": -1,
            "transport": {"protocol": "http", "dial_timeout": "2s", "keep_alive": {"idle_timeout": "2s"}}}
