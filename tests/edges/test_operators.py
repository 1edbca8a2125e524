"""Who may say yes: tokens, one-time links and browser sessions, and how they end."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from aiimprove import operators
from aiimprove.errors import NotFound, NotOperator, UsageError
from aiimprove.store import Store


def test_a_token_is_its_operators(store: Store) -> None:
    anna, ben = operators.add(store, "anna", "terminal"), operators.add(store, "ben", "terminal")
    assert anna != ben and anna.startswith("aiop_") and len(anna) > 40
    assert (operators.verify(store, anna), operators.verify(store, f" {ben}\n")) == ("anna", "ben")


@pytest.mark.parametrize("token", ["", "\n", "aiop_", "aiop_wrong", "' OR '1'='1", "%", "anna", "\0", "x" * 100_000])
def test_a_wrong_token_is_nobodys(store: Store, token: str) -> None:
    operators.add(store, "anna", "terminal")
    with pytest.raises(NotOperator, match="not an operator's") as caught:
        operators.verify(store, token)
    assert caught.value.exit_code == 3


def test_nothing_that_is_stored_is_a_token(store: Store) -> None:
    token, secret = operators.add(store, "anna", "terminal"), operators.link(store, "anna", "terminal")
    stored = "\n".join(store.connection.iterdump())
    assert token not in stored and secret not in stored
    for row in store.connection.execute("SELECT token_hash FROM operators UNION SELECT secret_hash FROM links"):
        with pytest.raises(NotOperator):
            operators.verify(store, row[0])


def test_a_name_is_taken_once(store: Store) -> None:
    operators.add(store, "anna", "terminal")
    with pytest.raises(UsageError, match="there is an operator 'anna' already"):
        operators.add(store, "anna", "terminal")


@pytest.mark.parametrize("name", ["", " ", "a b", "anna@web-1", "a\nb", "--json", "../x", "a%", "-", "\u202eanna"])
def test_what_is_no_name(store: Store, name: str) -> None:
    with pytest.raises(UsageError, match="is not a name"):
        operators.add(store, name, "terminal")
    assert operators.everyone(store) == []


def test_a_link_works_once(store: Store) -> None:
    operators.add(store, "anna", "terminal")
    secret = operators.link(store, "anna", "terminal")
    session = operators.login(store, secret + "\n")
    assert session.name.startswith("anna@web-") and operators.verify(store, session.token) == session.name
    assert 29 * 86400 < session.expires - time.time() <= 30 * 86400
    with pytest.raises(NotOperator, match="used already or is too old"):
        operators.login(store, secret)


def test_of_many_that_use_a_link_at_once_one_gets_in(store: Store) -> None:
    secret = operators.link(store, "anna", "terminal")
    code = ("import sys; from pathlib import Path; from aiimprove import operators; from aiimprove.errors import "
            "NotOperator; from aiimprove.store import Store\n"
            "try: print(operators.login(Store(Path(sys.argv[1])), sys.argv[2]).name)\nexcept NotOperator: pass")
    starts = [subprocess.Popen([sys.executable, "-c", code, str(store.file), secret], stdout=subprocess.PIPE, text=True)
              for _ in range(5)]
    assert [start.communicate(timeout=30)[0].startswith("anna@web-") for start in starts].count(True) == 1


def test_a_link_gets_too_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "LINK_SECONDS", -1.0)
    secret = operators.link(store, "anna", "terminal")
    with pytest.raises(NotOperator, match="too old"):
        operators.login(store, secret)


def test_a_session_gets_too_old(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators, "SESSION_SECONDS", -1.0)
    session = operators.login(store, operators.link(store, "anna", "terminal"))
    with pytest.raises(NotOperator):
        operators.verify(store, session.token)
    assert operators.everyone(store) == []


def test_a_removed_operator_is_gone_everywhere(store: Store) -> None:
    token = operators.add(store, "anna", "terminal")
    first = operators.login(store, operators.link(store, "anna", "terminal"))
    second = operators.login(store, operators.link(store, "anna", "terminal"))
    pending = operators.link(store, "anna", "terminal")
    operators.remove(store, "anna", "terminal")
    for dead in (token, first.token, second.token):
        with pytest.raises(NotOperator):
            operators.verify(store, dead)
    with pytest.raises(NotOperator):
        operators.login(store, pending)


def test_removing_one_leaves_the_others(store: Store) -> None:
    tokens = [operators.add(store, name, "terminal") for name in ("anna_b", "annaxb", "anna")]
    sessions = [operators.login(store, operators.link(store, name, "terminal")) for name in ("annaxb", "anna")]
    operators.remove(store, "anna_b", "terminal")
    assert [operators.verify(store, token) for token in tokens[1:]] == ["annaxb", "anna"]
    assert [operators.verify(store, session.token) for session in sessions] == [each.name for each in sessions]


def test_removing_nobody(store: Store) -> None:
    with pytest.raises(NotFound, match="no operator is named 'eve'"):
        operators.remove(store, "eve", "terminal")
    assert store.events() == []


def test_one_browser_can_be_signed_out(store: Store) -> None:
    token = operators.add(store, "anna", "terminal")
    session = operators.login(store, operators.link(store, "anna", "terminal"))
    operators.remove(store, session.name, "terminal")
    with pytest.raises(NotOperator):
        operators.verify(store, session.token)
    assert operators.verify(store, token) == "anna"


def test_everything_is_an_event(store: Store) -> None:
    operators.add(store, "anna", "terminal")
    session = operators.login(store, operators.link(store, "anna", "up"))
    operators.remove(store, "anna", "ben")
    assert [(event.name, event.subject, event.performer) for event in store.events()] == [
        ("operator.added", "anna", "terminal"), ("operator.invited", "anna", "up"),
        ("operator.signed_in", session.name, session.name), ("operator.removed", "anna", "ben")]
    assert store.broken_at() is None
