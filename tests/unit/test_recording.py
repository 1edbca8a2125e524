"""Recorded requests: what is taken out of them, what makes them alike, and how many are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove.recording import Kept, Recorded
from aiimprove.recording.raw import requests, take
from aiimprove.recording.redaction import Redaction, private
from aiimprove.settings import Recorder

HIDE = Redaction(b"k" * 32)
NOW = 1_800_000_000.0


@pytest.mark.parametrize("name", [
    "password", "new_password", "apiKey", "X-Auth-Token", "csrf_token", "email", "Email-Address", "phone_number",
    "firstName", "name", "user", "card_number", "access_token", "session_id"])
def test_names_of_private_fields(name: str) -> None:
    assert private(name)


@pytest.mark.parametrize("name", ["page", "title", "id", "count", "file", "keyword"])
def test_names_of_other_fields(name: str) -> None:
    assert not private(name)


@pytest.mark.parametrize("text", [
    "anna@firma.example", "+49 30 1234567", "4111 1111 1111 1111", "eyJhbGciOi.eyJzdWIi.c2ln",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc"])
def test_values_that_speak_for_themselves(text: str) -> None:
    hidden = HIDE.text(f"see {text} there")
    assert text not in hidden and hidden.startswith("see ") and hidden.endswith(" there")


@pytest.mark.parametrize("text", [
    "a plain note", "3", "2026-11-22T20:15:00", "0190c1de-7e1f-7c3b-8d2a-0123456789ab", "10.5", "hello-world"])
def test_values_that_stay(text: str) -> None:
    assert HIDE.text(text) == text


def test_the_same_value_is_always_replaced_by_the_same_of_its_shape() -> None:
    body = {"user": {"first": "Anna", "tags": ["Bo"]}, "phone": 4930123, "ok": True, "items": [{"email": "a@b.de"}]}
    one, two = (json.loads(HIDE.body(json.dumps(body).encode(), "application/json")) for _ in range(2))
    assert one == two and one["ok"] is True and len(str(one["phone"])) == 7 and one["phone"] != 4930123
    assert one["user"]["first"][0].isupper() and one["user"]["first"] != "Anna", "what stands below is private too"
    assert HIDE.uri("/u/a%40b.de?email=a@b.de") == (
        f"/u/{one['items'][0]['email']}?email={one['items'][0]['email'].replace('@', '%40')}")
    assert Redaction(b"o" * 32).alike("Anna") != HIDE.alike("Anna"), "another machine replaces it by something else"


def test_an_address_without_anything_private_stays_to_the_letter() -> None:
    for uri in ("/videos/12?q=a%20b&page=2", "/", "/a%2Fb/", "/x?flag"):
        assert HIDE.uri(uri) == uri


def test_only_headers_that_say_nothing_about_a_person() -> None:
    sent = {"Accept": "*/*", "X-Api-Key": "k", "User-Agent": "u", "Sec-Fetch-Site": "none", "Referer": "r"}
    assert HIDE.headers(sent) == {"accept": "*/*", "sec-fetch-site": "none"}


def test_bodies_that_nobody_can_redact_are_refused() -> None:
    for body in (b"\xff\xfe", b"{", b"[" * 2000 + b"]" * 2000):
        with pytest.raises((ValueError, RecursionError)):
            HIDE.body(body, "application/json")
    line = {"ts": NOW, "service": "api", "recorded_share": "10", "recorded_body": "e3g=",
            "request": {"method": "POST", "uri": "/a", "headers": {}}}
    assert list(requests(json.dumps(line).encode() + b"\n{\n[]\n", HIDE)) == []
    line["recorded_body"] = ""
    assert [each.shape for each in requests(json.dumps(line).encode(), HIDE)] == ["POST api/a"]


def test_a_log_that_begins_with_a_hole(tmp_path: Path) -> None:
    log = tmp_path / "raw.log"
    (tmp_path / "raw-2026.log").write_bytes(b"older\n")
    log.write_bytes(b"\0" * 5000 + b"newer\n")
    assert take(log) == b"older\n\nnewer\n" and log.read_bytes() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["raw.log"]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    yield Kept(tmp_path / "recorded" / "requests.db", Recorder())


def asked(number: int = 0, **changes: object) -> Recorded:
    return replace(Recorded("api", "GET", f"/items/{number}", at=NOW, share=10.0), **changes)  # type: ignore[arg-type]


def test_the_latest_examples_of_a_shape_and_how_often_it_was_met(kept: Kept, tmp_path: Path) -> None:
    assert kept.add([asked(number) for number in range(9)], NOW) == 9
    seen = kept.recent(NOW)
    assert seen.met == {"GET api/items/:id": 90.0} and [each.uri for each in seen.examples] == [
        "/items/6", "/items/7", "/items/8"]
    assert (tmp_path / "recorded" / "requests.db").stat().st_mode & 0o777 == 0o600


def test_what_is_old_and_what_a_wrong_clock_left_goes(kept: Kept) -> None:
    kept.add([asked(1), asked(2, at=NOW + 10 * 86400)], NOW)
    assert [each.uri for each in kept.recent(NOW).examples] == ["/items/1"]
    kept.forget(NOW + 49 * 3600)
    assert kept.recent(NOW).examples == () and kept.recent(NOW + 49 * 3600).met == {}


def test_the_store_has_bounds(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "requests.db", Recorder(megabytes=0.1))
    many = [Recorded("api", "POST", f"/{chr(97 + n % 26)}{chr(97 + n // 26)}", {}, json.dumps("x" * 500), NOW)
            for n in range(26 * 26)]
    for _ in range(3):
        kept.add(many, NOW)
    examples = kept.recent(NOW).examples
    assert 100 < len(examples) < 200 and examples[-1].uri == many[-1].uri
    assert (tmp_path / "requests.db").stat().st_size < 600_000
