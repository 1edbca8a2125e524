"""Which words may pass from inside the app: few verbs, always with a proof, and no other option."""

from __future__ import annotations

import pytest

from aiimprove.door import refusal


@pytest.mark.parametrize("words", [
    "status --operator --json", "status --json --operator", "show index --operator --json",
    "approve index --digest abc --token-stdin --json", "approve index --digest abc --one-way --token-stdin --json",
    "reject index --digest abc --reason no --token-stdin --json",
    "reject --reason --json index --digest abc --token-stdin --json", "operator login --json"])
def test_may_pass(words: str) -> None:
    assert refusal(words.split()) == ""


@pytest.mark.parametrize(("words", "why"), [
    ("", "nothing cannot be called"),
    ("deploy HEAD --token-stdin --json", "deploy cannot be called from inside the app"),
    ("rollback --token-stdin --json", "rollback cannot be called"), ("up --json", "up cannot be called"),
    ("down --json", "down cannot"), ("audit --json", "audit cannot"), ("logs --json", "logs cannot"),
    ("operator --json", "operator cannot"), ("operator add eve --token-stdin --json", "operator cannot"),
    ("operator link --json", "operator cannot"), ("operator list --json", "operator cannot"),
    ("run --once", "run cannot"), ("--json status --operator", "--json cannot"), ("--version", "--version cannot"),
    ("status --json", "status needs --operator"), ("status --operator", "status needs --operator and --json"),
    ("show index --json", "show needs --operator"), ("approve index --digest a --json", "approve needs --token-stdin"),
    ("reject index --json", "reject needs --token-stdin"), ("operator login", "operator needs --json"),
    ("status --operator --json --help", "--help cannot be used"), ("status --operator --json -h", "-h cannot be used"),
    ("status --operator --json --no-color", "--no-color cannot be used"),
    ("approve index --digest=abc --token-stdin --json", "--digest=abc cannot be used"),
    ("show a b --operator --json", "too many words"), ("approve a b --token-stdin --json", "too many words"),
    ("show index --operator --json --", "-- cannot be used"),
    ("show index --operator --json --digest", "--digest cannot be used")])
def test_may_not(words: str, why: str) -> None:
    assert why in refusal(words.split())


@pytest.mark.parametrize("words", ["approve i --digest --token-stdin --json", "reject i --reason --token-stdin --json"])
def test_a_flag_that_is_a_value_is_no_proof(words: str) -> None:
    assert "needs --token-stdin" in refusal(words.split())
