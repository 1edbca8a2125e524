"""Replaying a probe against a running copy, and asking a service whether it is healthy: the only HTTP client here.

Everything is bounded: how long an answer may take, and how much of it is read.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial, reduce
from pathlib import Path
from urllib.parse import quote

import httpx

from aiimprove.alike import alike
from aiimprove.answer import MOST_BYTES, Answer, Replay, judge, validators
from aiimprove.errors import AiimproveError, NotHealthy, TooSlow
from aiimprove.finding import Json, Probe
from aiimprove.probes.bodies import content_type
from aiimprove.probes.plans import explain
from aiimprove.probes.recorded import STATEMENTS, reading, repeats
from aiimprove.probes.stub import ADDRESS, hanging

ANSWER_SECONDS = 15.0
PAUSE_SECONDS = 0.1
MET = "it asked a server that never answers"
HEAD_START_SECONDS = 0.05
_DROPPED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.WriteTimeout)


class Unreachable(AiimproveError):
    """Nothing answered where a service should be: the infrastructure failed, this is no verdict on the app."""

    code = "unreachable"


class Dropped(AiimproveError):
    """The app took the request and closed the connection, or fell silent, before it had answered."""

    code = "dropped"


def get(url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes = b"",
        seconds: float = ANSWER_SECONDS, most: int = MOST_BYTES) -> Answer:
    """Sends one request without following redirects. Raises Unreachable, or Dropped when it broke off midway."""
    with Line(url, seconds=seconds, most=most) as line:
        return line.send(method, "", headers=headers, body=body)


class Line:
    """A client for many requests to one service; `base` is the address in front of every path.

    Each request has a connection of its own: servers close the one on which they crashed, and a request that
    meets that closing would look like a crash too.
    """

    def __init__(self, base: str, *, seconds: float = ANSWER_SECONDS, most: int = MOST_BYTES) -> None:
        self._base, self._seconds, self._most = base, seconds, most
        self._client = httpx.Client(timeout=seconds, trust_env=False, verify=False,
                                    limits=httpx.Limits(max_keepalive_connections=0))

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """One request; `path` is already percent-encoded. Raises Unreachable or Dropped."""
        request = self._client.build_request(method, self._base + path, content=body or None,
                                             headers={"accept-encoding": "identity"} | dict(headers or {}))
        started = time.monotonic()
        try:
            answer = self._client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise Unreachable(f"nothing answers at {self._base}: {error}") from error
        except _DROPPED as error:
            raise Dropped(f"{method} {path or self._base} was not answered: {_words(error)}") from error
        return self._read(answer, started)

    def _read(self, answer: httpx.Response, started: float) -> Answer:
        raw = bytearray()
        try:
            for piece in answer.iter_raw():
                raw += piece
                if len(raw) >= self._most or time.monotonic() - started > self._seconds:
                    break  # a stream without end is read for as long as an answer may take
        except _DROPPED as error:
            raise Dropped(f"the answer broke off after {len(raw)} bytes: {_words(error)}") from error
        finally:
            answer.close()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Answer(answer.status_code, headers, bytes(raw[:self._most]), time.monotonic() - started)


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def replay(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Sends the probe to the service at `copy_url`, whose data folder is `data`.

    Raises Unreachable when nothing answers there.
    """
    return REPLAYS.get(probe.kind, _replay_unknown)(probe, copy_url, data)


def _replay_unknown(probe: Probe, copy_url: str, data: Path) -> Replay:
    return Replay(False, "no request is known that shows this")


def _replay_http(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Good when every request of the probe is answered well; else what was seen of the first that is not."""
    with Line(copy_url) as line:
        seen = [_asked(line, request, probe.expect) for request in (probe.request, *probe.request.get("also", ()))]
    return next((each for each in seen if not each.passed), seen[0])


def _asked(line: Line, request: Mapping[str, Json], expect: Mapping[str, Json]) -> Replay:
    try:
        return judge(expect, _sent(line, request, expect))
    except Dropped as dropped:
        return Replay(False, str(dropped))


def _sent(line: Line, request: Mapping[str, Json], expect: Mapping[str, Json]) -> Answer:
    body = request.get("body")
    sent = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = dict(request.get("headers", {}))
    if sent:
        headers = {"content-type": content_type(sent)} | headers
    if "encoding" in expect:
        headers["accept-encoding"] = ", ".join(expect["encoding"])
    return line.send(request["method"], request["path"], headers=headers, body=sent)


def _replay_alike(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Good when two requests are answered alike, but for what each of them says itself."""
    with Line(copy_url) as line:
        try:
            one, other = (_sent(line, each, {}) for each in (probe.request, probe.request["other"]))
        except Dropped as dropped:
            return Replay(False, str(dropped))
    seen = next((bad for each in (one, other) if not (bad := judge(probe.expect, each)).passed), None)
    same = alike(one, other, probe.request["said"])
    return seen or Replay(same, f"both answered {'alike' if same else 'differently'} ({one.status}, {other.status})")


def _replay_query_plan(probe: Probe, copy_url: str, data: Path) -> Replay:
    try:
        seen = explain(data / probe.request["database"], probe.request["sql"])
    except sqlite3.Error as error:
        raise Unreachable(f"the statement cannot be run on {probe.request['database']}: {error}") from error
    bad = seen.scans(probe.expect.get("no_scan_of", "")) or (probe.expect.get("no_temp_btree") and seen.sorts)
    return Replay(not bad, "; ".join(seen.plan), seen.milliseconds, "ms")


def _replay_beside(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Whether a second request is answered while the first still runs: as a share of what is left of the first. One
    that takes nearly as long by itself, before or after, waits for the machine and not for the other."""
    request, start = probe.request, threading.Event()
    with Line(copy_url) as line, ThreadPoolExecutor(1) as pool:
        try:
            before = line.send("GET", request["beside"]).seconds
            first = pool.submit(line.send, request["method"], request["path"])
            start.wait(HEAD_START_SECONDS)
            waited = line.send("GET", request["beside"]).seconds
            answer = first.result()
            alone = max(before, line.send("GET", request["beside"]).seconds)
        except Dropped as dropped:
            return Replay(False, str(dropped))
    if answer.status >= 400:
        return Replay(False, f"answered {answer.status}")
    left = answer.seconds - HEAD_START_SECONDS
    said = f"{request['beside']} took {waited * 1000:.0f} ms while {request['path']} ran {left * 1000:.0f} ms more"
    blocked = left >= probe.expect["least_seconds"] and waited > max(
        probe.expect["at_most_share"] * left, probe.expect.get("times_alone", 0.0) * alone)
    return Replay(not blocked, said, waited * 1000, "ms")


def _replay_again(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Asks for a file, and once more as who has it: the second answer is judged."""
    with Line(copy_url) as line:
        try:
            known = validators(_sent(line, probe.request, {}))
            return judge(probe.expect, _sent(line, {**probe.request, "headers": known}, {}))
        except Dropped as dropped:
            return Replay(False, str(dropped))


def _replay_hanging(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Good when a request is answered in time although what it makes the app ask never answers."""
    with hanging() as stub, Line(copy_url, seconds=probe.expect["within_seconds"]) as line:
        forms = [(form(ADDRESS), form(stub.address)) for form in (str, partial(quote, safe=""), quote)]
        request = {name: reduce(lambda text, pair: text.replace(*pair), forms, str(value))
                   for name, value in probe.request.items()}
        try:
            answer = _sent(line, request, {})
        except Dropped:
            met = f"{MET}, and there was no answer in {probe.expect['within_seconds']:g} s"
            return Replay(False, met if stub.met() else "there was no answer, and nobody was asked")
    return Replay(True, f"answered {answer.status} after {answer.seconds:.0f} s", answer.seconds, "s")


def _replay_statements(probe: Probe, copy_url: str, data: Path) -> Replay:
    """Good when the app sends no one statement that reads a table too often for a request. Raises NotRecorded."""
    recorded, most = reading(data), probe.expect["at_most"]
    answer = get(copy_url + probe.request["path"])
    count = repeats(recorded.fresh(), probe.request["table"])
    said = f"{count} times the same statement on {probe.request['table']}" if answer.status < 400 else \
        f"answered {answer.status}"
    return Replay(answer.status < 400 and count <= most, said, count, "statements")


REPLAYS: Mapping[str, Callable[[Probe, str, Path], Replay]] = {
    "http": _replay_http, "query-plan": _replay_query_plan, "beside": _replay_beside, "alike": _replay_alike,
    "hanging": _replay_hanging, "again": _replay_again, STATEMENTS: _replay_statements}


def wait_until_healthy(urls: Sequence[str], answers: int, deadline: float,
                       alive: Callable[[], bool] = lambda: True) -> None:
    """Returns once every url gave `answers` 200s in a row. Raises NotHealthy after `deadline` seconds, or at once
    when `alive` says that the process behind them is gone."""
    ends, pause, streak, reason = time.monotonic() + deadline, threading.Event(), 0, "nothing was asked"
    while streak < answers:
        reason = next((said for url in urls if (said := _unhealthy(url, ends))), "")
        streak = 0 if reason else streak + 1
        if not alive():
            raise NotHealthy(f"the service ended before it was healthy ({reason or 'it had just answered'})")
        if time.monotonic() >= ends and streak < answers:
            silent = reason and " answered " not in reason
            raise (TooSlow if silent else NotHealthy)(
                f"not healthy after {deadline:g} seconds: {reason or 'too few answers in a row'}")
        if streak < answers:
            pause.wait(PAUSE_SECONDS)


def _unhealthy(url: str, ends: float) -> str:
    """Why this url does not count as healthy; empty when it does."""
    try:
        answer = get(url, seconds=max(0.2, min(5.0, ends - time.monotonic())), most=65536)
    except (Unreachable, Dropped) as error:
        return str(error)
    return "" if answer.status == 200 else f"{url} answered {answer.status}"
