"""What the real gateway notes of visitors' requests, what it must not note, and what becomes of it."""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from traffic_site import Site, ask, make_config, raw
from traffic_waiting import until

from aiimprove import recording
from aiimprove.gateway import Cursor, Gateway
from aiimprove.recording import Recorded, raw_log
from aiimprove.recording.raw import take
from aiimprove.settings import Config, Recorder

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    config = replace(make_config(tmp_path), recorder=Recorder(reads_percent=100))
    site = Site(Gateway(config), config)
    try:
        assert site.gateway.start() == "started"
        site.live("one")
        yield site
    finally:
        site.end()


def recorded(config: Config, count: int) -> list[Recorded]:
    """The requests that are kept, once there are so many."""
    def arrived() -> bool:
        recording.read(config)
        return sum(recording.recent(config).met.values()) >= count
    until(arrived)
    return list(recording.recent(config).examples)


def test_reads_and_writes_are_kept_without_what_is_private(here: Site) -> None:
    port = here.public("backend")
    body = {"name": "Anna", "email": "anna@firma.example", "note": "call +49 30 1234567", "count": 3, "ids": [7]}
    said = ask(port, "/people", "POST", json.dumps(body), JSON, Authorization="Bearer s3cret", Cookie="sid=s3cret")
    assert json.loads(said.told["body"]) == body, "the service gets what was sent"
    ask(port, "/people?email=anna@firma.example&page=2", headers={"X-Api-Key": "s3cret", "Accept": "text/html"})
    ask(port, "/form", "POST", "password=s3cret&size=4", {"Content-Type": "application/x-www-form-urlencoded"})
    until(raw_log(here.config).exists)
    assert stat.S_IMODE(raw_log(here.config).stat().st_mode) == 0o600
    wrote, read, form = recorded(here.config, 3)
    kept = json.loads(wrote.body)
    assert (kept["count"], kept["ids"]) == (3, [7]) and kept["email"].endswith("@example.org")
    assert kept["name"] != "Anna" and len(kept["name"]) == 4 and kept["name"][0].isupper()
    assert read.uri == f"/people?email={kept['email'].replace('@', '%40')}&page=2", "joins still work"
    assert read.headers.get("accept") == "text/html" and form.body.endswith("&size=4")
    assert (wrote.shape, read.shape, form.shape) == (
        "POST backend/people {count:number,email:str,ids:[number],name:str,note:str}",
        "GET backend/people ?email,page", "POST backend/form form{password,size}")
    everything = b"".join(path.read_bytes() for path in raw_log(here.config).parent.iterdir())
    for private in (b"s3cret", b"anna@", b"Anna", b"1234567"):
        assert private not in everything


def test_nothing_of_an_operators_and_nothing_that_streams(here: Site) -> None:
    port, big = here.public("frontend"), "x" * 65_000
    ask(port, "/api/ai-status")
    ask(here.public("backend"), "/API/%61i-approve")
    ask(port, "/page", headers={"Cookie": "a=1; aiimprove_operator=x"})
    ask(port, "/page", headers={"Authorization": "Bearer aiop_x"})
    ask(port, "/page", headers={"X-Aiimprove-Replay": "yes"})
    ask(port, "/sse?n=1", headers={"Accept": "text/event-stream"})
    ask(port, "/upload", "POST", json.dumps(big), JSON)
    ask(port, "/upload", "POST", "x", {"Content-Type": "image/png"})
    chunked = "Transfer-Encoding: chunked\nContent-Type: application/json\nConnection: close\n\n2\n{}\n0\n\n"
    raw(port, f"POST /chunked HTTP/1.1\nHost: x\n{chunked}")
    ask(port, "/last")
    assert [each.uri for each in recorded(here.config, 1)] == ["/last"]


def test_a_body_stays_out_of_the_access_log(here: Site) -> None:
    ask(here.public("backend"), "/row", "POST", '{"a": 1}', JSON)
    until(lambda: here.gateway.log.exists() and b'"/row"' in here.gateway.log.read_bytes())
    assert b"recorded" not in here.gateway.log.read_bytes()
    answers, _ = here.gateway.answers(Cursor())
    assert [each.uri for each in answers] == ["/row"], "an answer counts once"


def test_what_was_read_is_gone_from_the_raw_log_and_it_goes_on(here: Site) -> None:
    for number in range(3):
        ask(here.public("backend"), f"/item/{number}")
        assert len(recorded(here.config, number + 1)) == number + 1
        log = raw_log(here.config)
        assert take(log) == b"" and not log.read_bytes().strip(b"\0")


def test_a_share_of_the_reads_counts_for_all_of_them(tmp_path: Path) -> None:
    config = replace(make_config(tmp_path), recorder=Recorder(reads_percent=30, writes_percent=0))
    site = Site(Gateway(config), config)
    try:
        site.gateway.start()
        site.live("one")
        for _ in range(300):
            ask(site.public("backend"), "/page")
        ask(site.public("backend"), "/row", "POST", "{}", JSON)
        recorded(config, 1)
        time.sleep(0.3)
        recording.read(config)
        met = recording.recent(config).met
    finally:
        site.end()
    assert set(met) == {"GET backend/page"} and 180 < met["GET backend/page"] < 420


def test_a_recorder_that_is_off_notes_nothing(tmp_path: Path) -> None:
    config = replace(make_config(tmp_path), recorder=Recorder(reads_percent=0, writes_percent=0))
    site = Site(Gateway(config), config)
    try:
        site.gateway.start()
        site.live("one")
        ask(site.public("backend"), "/row", "POST", "{}", JSON)
        until(lambda: site.gateway.log.exists() and b'"/row"' in site.gateway.log.read_bytes())
    finally:
        site.end()
    assert not raw_log(config).parent.exists() and recording.read(config) == 0 and os.listdir(config.state_folder)
