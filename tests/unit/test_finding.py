"""One cause in one place is one finding, whatever the words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tiny import FINDING

from aiimprove.finding import Finding, Kind, Probe, digest_of


@pytest.mark.parametrize("change", [
    {"title": "other words"}, {"summary": "other words"}, {"impact": 99.0}, {"details": {"ms": 3}},
    {"detector": "another"}, {"probe": Probe("http", "app", {"path": "/2"}, {})}])
def test_the_fingerprint_does_not_depend_on(change: dict[str, object]) -> None:
    assert replace(FINDING, **change).fingerprint == FINDING.fingerprint


@pytest.mark.parametrize("change", [{"kind": Kind.BUG}, {"cause": "another"}, {"place": "elsewhere"}])
def test_the_fingerprint_depends_on(change: dict[str, object]) -> None:
    assert replace(FINDING, **change).fingerprint != FINDING.fingerprint


def test_the_fingerprint_is_the_same_on_every_machine_and_day() -> None:
    probe = Probe("http", "api", {}, {})
    assert Finding("d", Kind.BUG, "integer-out-of-range", "GET /items page", "t", "s", probe).fingerprint == \
        digest_of(["bug", "integer-out-of-range", "GET /items page"])[:16] == "a7cce9cb20107d0b"


def test_parts_do_not_run_into_each_other() -> None:
    assert replace(FINDING, cause="ab", place="c").fingerprint != replace(FINDING, cause="a", place="bc").fingerprint


def test_a_probe_is_known_by_all_of_it() -> None:
    probe = Probe("http", "api", {"path": "/"}, {"status_below": 500})
    others = [replace(probe, kind="x"), replace(probe, service="x"), replace(probe, request={}),
              replace(probe, expect={"status_below": 501})]
    assert len({each.digest() for each in [probe, *others]}) == 5
    assert Probe("http", "api", {"path": "/"}, {"status_below": 500}).digest() == probe.digest()


def test_json_and_back() -> None:
    data = json.loads(json.dumps(FINDING.to_json()))
    assert data["fingerprint"] == FINDING.fingerprint and Finding.from_json(data) == FINDING


def test_the_order_of_keys_does_not_matter_to_a_digest() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) != digest_of({"a": 2, "b": 1})
