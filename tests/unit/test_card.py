"""The card shows what is there: no text can lie, and an author's words are only its claim."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tiny import FINDING

from aiimprove.card import card, diff, visible
from aiimprove.event import Event
from aiimprove.evidence import Check, Evidence, Measurement, Verdict
from aiimprove.improvement import Approval, Improvement, Status

PATCH = "diff --git a/app/a.py b/app/a.py\n--- a/app/a.py\n+++ b/app/a.py\n@@ -1 +1 @@\n-a\n+b\n" \
        "diff --git a/b c.py b/b c.py\nnew file mode 100644\n"
EVIDENCE = Evidence("b", "c", (
    Check("speed", Verdict.PASSED, "fast", (Measurement("p50", 3.0, 2.0, "ms"),), 1.234),
    Check("probe", Verdict.PASSED, "gone", (Measurement("size", 17345.0, 5712.0, "bytes"),
                                            Measurement("header", None, "nosniff")))), ("how it looks",))
WHOLE = Improvement("index", FINDING, Status.AWAITING_APPROVAL, 3, "recipes", "ai/index", "b", "c", PATCH, "it is good",
                    "r-1", "a", EVIDENCE, "d" * 64, None, "waits", 0, 1.0, 2.0)


@pytest.mark.parametrize(("char", "shown"), [
    ("\u202e", "<U+202E>"), ("\u2066", "<U+2066>"), ("\u200b", "<U+200B>"), ("\u200d", "<U+200D>"),
    ("\ufeff", "<U+FEFF>"), ("\u2028", "<U+2028>"), ("\x1b", "<U+001B>"), ("\r", "<U+000D>"), ("\x00", "<U+0000>"),
    ("\x7f", "<U+007F>"), ("\x9b", "<U+009B>"), ("\ue000", "<U+E000>"), ("\ud800", "<U+D800>"),
    ("\U000e0041", "<U+E0041>"), ("\xad", "<U+00AD>")])
def test_what_could_lie_is_written_out(char: str, shown: str) -> None:
    assert visible(f"a{char}b") == f"a{shown}b"


@pytest.mark.parametrize("text", ["plain", "ünïcödé", "日本語", "tab\tand\nline", "emoji 🙂", "<b>&amp;", "a\u0301"])
def test_honest_text_stays(text: str) -> None:
    assert visible(text) == text


def test_every_text_of_a_card_is_made_visible() -> None:
    bad = "x\u202ey\x1b[2J"
    finding = replace(FINDING, title=bad, summary=bad, place=bad)
    evidence = replace(EVIDENCE, checks=(Check("probe", Verdict.PASSED, bad, (Measurement(bad, bad, bad, bad),)),),
                       not_checked=(bad,))
    shown = card(replace(WHOLE, finding=finding, patch=f"diff --git a/{bad} b/{bad}\n{bad}", claim=bad, reason=bad,
                         evidence=evidence), [Event("e", "index", "anna", {"message": bad})])
    written = json.dumps(shown, ensure_ascii=False)
    assert "\u202e" not in written and "\\u001b" not in written and "<U+202E>" in written


def test_the_card_of_one_that_waits() -> None:
    shown = card(WHOLE, [Event("improvement.verified", "index", "run", {"message": "every check passed"}, 2, 5.0)],
                 ["too many"], "http://localhost:4002")
    assert (shown["id"], shown["status"], shown["digest"]) == ("index", "AWAITING_APPROVAL", "d" * 64)
    assert shown["before"] == "size: 17,345 bytes; header: -"
    assert shown["after"] == "size: 5,712 bytes; nosniff"
    assert shown["files"] == ["app/a.py", "b c.py"] and shown["diff"] == PATCH and shown["claim"] == "it is good"
    assert [each["name"] for each in shown["checks"]] == ["speed", "probe"] and shown["checks"][0]["seconds"] == 1.23
    assert shown["not_checked"] == ["how it looks"] and shown["refusals"] == ["too many"]
    assert shown["events"] == [{"at": 5.0, "name": "improvement.verified", "performer": "run",
                                "message": "every check passed"}]
    assert shown["dev_url"] == "http://localhost:4002" and shown["approval"] is None


def test_the_card_of_one_that_is_only_an_idea() -> None:
    shown = card(Improvement("index", FINDING))
    assert shown["before"] == shown["after"] == shown["diff"] == "" and shown["checks"] == [] and shown["claim"] is None
    assert shown["finding"]["fingerprint"] == FINDING.fingerprint


def test_an_approval_is_shown_without_more_than_who_and_when() -> None:
    shown = card(replace(WHOLE, approval=Approval("anna", "d", 7.0)))
    assert shown["approval"] == {"by": "anna", "at": 7.0}


def test_a_line_of_the_patch_cannot_pretend_to_be_a_file() -> None:
    patch = PATCH + "@@ -1 +1 @@\n+diff --git a/x b/x\n diff --git a/y b/y\n+x\x0cdiff --git a/z b/z\n"
    assert card(replace(WHOLE, patch=patch))["files"] == ["app/a.py", "b c.py"]


@pytest.mark.parametrize(("line", "file"), [
    ("a/app/a.py b/app/a.py", "app/a.py"), ("a/x b/y.py b/x b/y.py", "x b/y.py"), ("a/a/b/a b/a/b/a", "a/b/a"),
    ('"a/quo\\"te" "b/quo\\"te"', 'quo\\"te'), ("a/old.py b/new/name.py", "new/name.py"),
    ('a/old.py "b/new\\tname.py"', "new\\tname.py")])
def test_every_changed_file_is_named(line: str, file: str) -> None:
    assert card(replace(WHOLE, patch=f"diff --git {line}\n"))["files"] == [file]


def test_line_ends_of_a_file_are_shown_only_when_they_differ() -> None:
    same = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+three\r\n"
    mixed = "diff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-two\r\n+two\n"
    shown = diff(same + mixed)
    assert shown == same.replace("\r", "") + mixed.replace("\r", "<U+000D>")
    assert diff("") == ""
