"""The words of a call: help for every verb, one envelope whatever happens, and exit codes that programs rely on."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tiny import CALL, PYTHON, Tiny

from aiimprove.event import Event

VERBS = ("analyze", "generate", "test", "request-approval", "approve", "reject", "deploy", "rollback", "health", "run",
         "status", "show", "findings", "preview", "logs", "audit", "up", "down")
GROUP = ("add", "remove", "list", "link", "login")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """The app with a commit, where nothing was ever started; calls of this module change nothing."""
    return Tiny(tmp_path_factory.mktemp("still"))


CALLS = [*((verb,) for verb in VERBS), *(("operator", each) for each in GROUP), ("operator",)]


@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_every_verb_explains_itself(still: Tiny, words: tuple[str, ...]) -> None:
    said = still.call(*words, "--help")
    assert (said.exit_code, said.errors) == (0, "") and f"Usage: aiimprove {' '.join(words)}" in said.output
    text = said.output.split("Options:")[0]
    assert len(text.split()) > 10 and "\x1b" not in said.output
    if words != ("operator",):
        assert "--json" in said.output
    for option in re.findall(r"^  (?:-\w, )?(--\w[\w-]*)(?: \S+)?  +(.*)$", said.output, re.MULTILINE):
        assert option[1], f"{option[0]} says nothing"


def test_a_call_without_a_verb_is_a_call_for_help(still: Tiny) -> None:
    for words in ((), ("--help",), ("-h",)):
        said = still.call(*words)
        assert said.exit_code == 0 and said.errors == "" and all(f"  {verb}" in said.output for verb in VERBS)


def test_the_version(still: Tiny) -> None:
    from aiimprove import __version__

    said = still.call("--version")
    assert (said.exit_code, said.output, said.errors) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(("words", "sentence"), [
    (("statsu",), "No such command 'statsu'. Did you mean 'status'?"), (("status", "--jsno"), "No such option: --jsno"),
    (("approve",), "Missing argument 'ID'"), (("show",), "Missing argument 'ID'"), (("up", "now"), "unexpected extra"),
    (("audit", "--limit", "x"), "Invalid value for '--limit'"), (("audit", "--limit", "0"), "Invalid value"),
    (("logs", "-n", "0"), "Invalid value"), (("operator", "ad"), "No such command 'ad'"),
    (("--frobnicate",), "No such option"), (("",), "No such command"), (("deploy", "-x"), "No such option")])
def test_wrong_words(still: Tiny, words: tuple[str, ...], sentence: str) -> None:
    plain = still.call(*words)
    assert plain.exit_code == 2 and plain.output == "" and sentence in plain.errors and plain.errors.count("\n") == 1
    enveloped = still.call(*words, "--json")
    assert enveloped.exit_code == 2 and enveloped.errors == "" and enveloped.error["code"] == "usage"
    assert enveloped.envelope["data"] == {}


NOTHING = {"analyze": 3, "generate": 3, "test": 3, "request-approval": 0, "deploy": 3, "rollback": 3, "preview": 3,
           "findings": 0, "logs": 0, "audit": 0, "status": 0, "health": 0}


@pytest.mark.parametrize("verb", NOTHING)
def test_before_anything_is_live(still: Tiny, verb: str) -> None:
    said = still.call(verb, "--json")
    assert said.exit_code == NOTHING[verb] and said.errors == ""
    assert said.envelope["command"] == verb
    if said.exit_code == 3:
        assert "nothing is live yet: 'aiimprove up'" in said.error["message"]


@pytest.mark.parametrize("words", [("approve", "x"), ("reject", "x"), ("show", "x"), ("generate", "x"), ("test", "x"),
                                   ("request-approval", "x"), ("preview", "x")], ids=" ".join)
def test_an_unknown_id(tiny: Tiny, words: tuple[str, ...]) -> None:
    tiny.pretend_live()
    said = tiny.call(*words, "--json")
    assert said.exit_code == 7 and said.error["code"] == "not_found" and "'x'" in said.error["message"]


@pytest.mark.parametrize(("words", "sentence"), [
    (("deploy", "nowhere"), "nowhere"), (("rollback", "--to", "r-none"), "there is no release r-none"),
    (("logs", "nothing"), "no log is named 'nothing'")], ids=str)
def test_other_unknown_things(tiny: Tiny, words: tuple[str, ...], sentence: str) -> None:
    tiny.pretend_live()
    said = tiny.call(*words, "--json")
    assert said.exit_code == 7 and said.error["code"] == "not_found" and sentence in said.error["message"]


@pytest.mark.parametrize("target", ["--upload-pack=x", "-x"])
def test_a_ref_that_looks_like_an_option(still: Tiny, target: str) -> None:
    assert still.call("deploy", "--json", "--", target).exit_code in (2, 3)
    assert still.call("deploy", target, "--json").exit_code == 2


# -- where it is called -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("verb", ["status", "up", "analyze", "audit"])
def test_a_bad_config(tiny: Tiny, verb: str) -> None:
    tiny.edit("config.toml", "[deploy]", "[delpoy]")
    said = tiny.call(verb, "--json")
    assert said.exit_code == 2 and said.error == {
        "code": "config", "message": "'delpoy' is not a key of config.toml: did you mean 'deploy'?"}
    assert tiny.call(verb).errors == "aiimprove: 'delpoy' is not a key of config.toml: did you mean 'deploy'?\n"
    assert not (tiny.state / "state.db").exists()


def test_a_config_that_breaks_after_status_was_polled(tiny: Tiny) -> None:
    assert tiny.call("status", "--json").exit_code == 0
    tiny.edit("config.toml", "[deploy]", "[delpoy]")
    assert tiny.call("status", "--json").error["code"] == "config"


def test_no_config(tiny: Tiny) -> None:
    (tiny.folder / "config.toml").unlink()
    for verb in ("status", "up"):
        said = tiny.call(verb, "--json")
        assert said.exit_code == 7 and "no config.toml in" in said.error["message"]


def test_not_a_git_repository(tiny: Tiny) -> None:
    shutil.rmtree(tiny.folder / ".git")
    said = tiny.call("up", "--json")
    assert said.exit_code == 2 and "is not a git repository: make it one with 'git init" in said.error["message"]
    assert tiny.call("down", "--json").exit_code == 0


def test_a_folder_of_another_repository(tiny: Tiny, tmp_path: Path) -> None:
    """The config must stand at the top of its own repository: the paths in it are paths of commits."""
    inner = tiny.folder / "inner"
    inner.mkdir()
    shutil.copy(tiny.folder / "config.toml", inner)
    said = tiny.call("up", "--json", cwd=inner)
    assert said.exit_code == 2 and "is not a git repository" in said.error["message"]


def test_no_commit_yet(tmp_path: Path) -> None:
    empty = Tiny(tmp_path, commit=False)
    said = empty.call("up", "--json")
    assert said.exit_code == 3
    assert "no commit yet: 'git add -A && git commit -m first' makes one" in said.error["message"]
    assert not list((empty.state / "run").glob("*/child.json"))


def test_from_a_folder_below_and_from_elsewhere(still: Tiny, tmp_path: Path) -> None:
    assert still.call("status", "--json", cwd=still.folder / "app").data["name"] == "tiny"
    elsewhere = still.call("status", "--json", cwd=tmp_path, env={"AIIMPROVE_REPOSITORY": str(still.folder)})
    assert elsewhere.data["name"] == "tiny"


def test_a_folder_that_shadows_our_modules(tiny: Tiny) -> None:
    for name in ("aiimprove", "commands", "typer", "json", "sqlite3"):
        (tiny.folder / f"{name}.py").write_text("raise SystemExit('shadowed')")
    for words in (("status", "--json"), ("audit", "--json")):
        assert tiny.call(*words).exit_code == 0


# -- what it looks like -----------------------------------------------------------------------------------------------

COLOUR = re.compile(r"\x1b\[")


def at_a_terminal(tiny: Tiny, *words: str, **env: str) -> str:
    """What a call prints when all its streams are a terminal."""
    code = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"
    done = subprocess.run([PYTHON, "-c", code, *CALL, *words], cwd=tiny.folder, stdin=subprocess.DEVNULL,
                          env=tiny.env | {"TERM": "xterm-256color"} | env, capture_output=True)
    return done.stdout.decode()


def test_colours_at_a_terminal_only_and_never_against_the_users_will(still: Tiny) -> None:
    store = still.store()
    store.append(Event("a.happened", "x", "test"))
    store.close()
    assert COLOUR.search(at_a_terminal(still, "audit"))
    assert not COLOUR.search(at_a_terminal(still, "audit", NO_COLOR="1"))
    assert not COLOUR.search(at_a_terminal(still, "audit", "--no-color"))
    assert not COLOUR.search(still.call("audit").output)
    assert not COLOUR.search(at_a_terminal(still, "audit", "--json"))


@pytest.mark.parametrize("words", [("audit", "--json"), ("status", "--json"), ("status",), ("strange", "--json")])
def test_a_reader_that_goes_away(still: Tiny, words: tuple[str, ...]) -> None:
    process = still.start(*words)
    assert process.stdin and process.stdout and process.stderr
    process.stdout.close()
    process.stdin.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert errors == "" and process.wait(30) == 1


@pytest.mark.parametrize("words", [("audit", "--json"), ("status", "--json")])
def test_a_disk_that_is_full_where_the_answer_goes(still: Tiny, words: tuple[str, ...]) -> None:
    with open("/dev/full", "w") as full:
        process = still.start(*words, stdout=full)
        errors = process.communicate()[1]
    assert process.returncode == 1 and "Traceback" not in errors


def test_streams_that_are_closed(still: Tiny) -> None:
    shell = ["sh", "-c", '"$@" <&- 2>&-', "sh", *CALL, "status", "--json"]
    done = subprocess.run(shell, cwd=still.folder, env=still.env, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith('{"aiimprove": 1')
