"""Variants of a probe: the same for one secret, others for another, and never the probe itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

from aiimprove.checks.variants import seed, variants
from aiimprove.finding import Finding, Kind, Probe

FINDING = Finding("hostile_values", Kind.BUG, "integer-out-of-range", "x", "", "", Probe(
    "http", "shop", {"method": "GET", "path": "/items?page=5000"}, {"status_below": 500}), details={"highest_ok": 1000})


def paths(finding: Finding, drawn: str) -> list[str]:
    return [str(each.request["path"]) for each in variants(finding, drawn)]


def test_they_follow_from_a_secret_of_the_state_folder(tmp_path: Path) -> None:
    drawn = seed(tmp_path, FINDING.probe)
    assert drawn == seed(tmp_path, FINDING.probe) and (tmp_path / "judge.secret").stat().st_mode & 0o777 == 0o600
    assert paths(FINDING, drawn) == paths(FINDING, drawn) != paths(FINDING, "another")


def test_numbers_lie_beyond_the_border() -> None:
    asked = paths(FINDING, "a")
    assert "/items?page=1001" in asked and "/items?page=%35%30%30%30" in asked and "/items?page=5000" not in asked
    assert all(int(each.partition("=")[2]) > 1000 for each in asked if "%" not in each)


def test_whatever_the_secret_some_are_small_and_some_are_larger_than_the_probes() -> None:
    for drawn in map(str, range(200)):
        asked = [int(each.partition("=")[2]) for each in paths(FINDING, drawn) if "%" not in each]
        assert min(asked) < 1100 and any(5000 < each <= 5050 for each in asked) and max(asked) > 9_000


def test_numbers_in_a_body_and_below_zero() -> None:
    sent = {"method": "POST", "path": "/items", "body": {"page": -5000, "also": 3}}
    below = replace(FINDING, probe=replace(FINDING.probe, request=sent), details={"lowest_ok": -7})
    bodies = [each.request["body"] for each in variants(below, "a")]
    assert {"page": -8, "also": 3} in bodies and all(body["page"] < -7 for body in bodies)


def test_other_addresses_of_the_finding() -> None:
    packed = replace(FINDING, cause="no-compression", details={"paths": ["/a", "/b", "/items?page=5000"]})
    asked = paths(packed, "a")
    assert {"/a", "/b"} < set(asked) and any(each.startswith("/items?page=5000&v") for each in asked)


def test_other_literals_of_a_statement() -> None:
    slow = replace(FINDING, probe=Probe("query-plan", "shop", {
        "database": "x", "sql": "SELECT a FROM b WHERE c = 'd' AND e > 7 ORDER BY f LIMIT 5"}, {}))
    sql = variants(slow, "a")[0].request["sql"]
    assert "'d'" not in sql and "> 7 " not in sql and sql.endswith("ORDER BY f LIMIT 5")


def test_a_cause_without_known_variants_has_none() -> None:
    assert variants(replace(FINDING, cause="ZeroDivisionError"), "a") == []


def test_headers_are_asked_of_redirects_and_errors_too() -> None:
    bare = replace(FINDING, cause="missing-security-headers", details={"refused": ["/items/x", "/items/"]}, probe=Probe(
        "http", "shop", {"method": "GET", "path": "/items"}, {"headers": [{"name": "Referrer-Policy"}]}))
    lenient = [each.request["path"] for each in variants(bare, "a") if each.expect.get("any_status")]
    assert lenient[1:] == ["/items/x", "/items/"] and len(lenient[0]) == 17
    assert paths(bare, "a") != paths(bare, "b") and len(paths(bare, "a")) == 4


def test_only_security_headers_are_asked_of_what_is_not_there() -> None:
    kept = replace(FINDING, cause="hashed-not-kept", details={"paths": ["/a.0a1b2c3d.js"]}, probe=Probe(
        "http", "shop", {"method": "GET", "path": "/b.1a1b2c3d.js"}, {"headers": [{"name": "Cache-Control"}]}))
    assert [path.partition("?")[0] for path in paths(kept, "a")] == ["/b.1a1b2c3d.js", "/a.0a1b2c3d.js"]


def test_texts_are_put_where_the_attack_stood() -> None:
    attack = "no' OR 'qk7' LIKE 'qk7"
    sent = {"method": "POST", "path": "/items?q=no%27%20OR%20%27qk7%27%20LIKE%20%27qk7",
            "body": '{"q": "no\' OR \'qk7\' LIKE \'qk7"}', "other": {}, "said": [attack]}
    hole = replace(FINDING, cause="sql-injection", details={"attack": attack}, probe=Probe(
        "alike", "shop", sent, {"status_below": 500}))
    made = variants(hole, "a")
    assert {each.kind for each in made} == {"http", "alike"} and variants(hole, "b") != made
    for each in made:
        assert "qk7" not in str(each.request) and ("other" in each.request) == (each.kind == "alike")
        asked = parse_qs(each.request["path"].partition("?")[2])["q"][0]
        assert json.loads(each.request["body"])["q"] == asked and "'" in asked
