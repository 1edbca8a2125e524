"""config.toml: what is read, and one clear sentence for everything that is wrong with it."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest

from aiimprove.config import inherited, load, read_env_file, state_folder
from aiimprove.errors import ConfigError, NotFound

SERVICE = '[services.web]\nstart = ["serve"]\nlive_port = 4001\ndev_port = 4002\n'


def write(folder: Path, text: str) -> Path:
    (folder / "config.toml").write_text(text)
    return folder


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AIIMPROVE_STATE", "AIIMPROVE_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))


def test_what_is_left_out_is_filled_in(tmp_path: Path) -> None:
    config = load(write(tmp_path, SERVICE))
    assert config.services["web"].live_port == 4001 and config.services["web"].health == "/"
    assert (config.intervals.health, config.limits.waiting, config.author) == (30.0, 3, "recipes")
    assert config.repository == tmp_path and config.logs_folder == config.state_folder / "logs"


def test_defaults_are_not_shared(tmp_path: Path) -> None:
    config = load(write(tmp_path, SERVICE + '[services.api]\nstart = ["serve"]\n'))
    assert config.services["web"].smoke is not config.services["api"].smoke


def test_every_key_is_read(tmp_path: Path) -> None:
    config = load(write(tmp_path, 'name = "shop"\nlogs = "logs"\napprovals = "web"\n[intervals]\nhealth = 5\n[deploy]\n'
                        'healthy_answers = 4\n[env_file]\nlive = "x"\n' + SERVICE + 'env = { A = "1" }\n'))
    assert config.name == "shop" and config.approvals == "web" and config.logs_folder == tmp_path / "logs"
    assert config.intervals.health == 5.0 and config.deploy.healthy_answers == 4 and config.env_file.live == "x"
    assert config.services["web"].env == {"A": "1"}


def test_it_is_found_from_a_folder_below(tmp_path: Path) -> None:
    below = write(tmp_path, SERVICE) / "a" / "b"
    below.mkdir(parents=True)
    assert load(below).repository == tmp_path


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no config\.toml in .* or above it"):
        load(tmp_path)


@pytest.mark.parametrize(("text", "sentence"), [
    ("name = ", "is not TOML"),
    ("nmae = 'x'\n" + SERVICE, "'nmae' is not a key of config.toml: did you mean 'name'?"),
    ("[interval]\nhealth = 1\n" + SERVICE, "'interval' is not a key of config.toml: did you mean 'intervals'?"),
    ("[intervals]\nhealht = 1\n" + SERVICE, "'intervals.healht' is not a key of config.toml: did you mean 'health'?"),
    ("[intervals]\nqqq = 1\n" + SERVICE, "known are analyze, approvals, generate, health, test"),
    (SERVICE + "live_prot = 1", "'services.web.live_prot' is not a key of config.toml: did you mean 'live_port'?"),
    ("repository = '/'\n" + SERVICE, "'repository' is not a key"),
    ("state_folder = '/'\n" + SERVICE, "'state_folder' is not a key"),
    ("[intervals]\nhealth = 0\n" + SERVICE, "intervals.health must be at least 1, not 0"),
    ("[intervals]\nhealth = nan\n" + SERVICE, "intervals.health must be at least 1, not nan"),
    ("[intervals]\nhealth = inf\n" + SERVICE, "intervals.health must be"),
    ("[intervals]\nhealth = 'often'\n" + SERVICE, "intervals.health must be a number, not 'often'"),
    ("[intervals]\nhealth = true\n" + SERVICE, "intervals.health must be a number, not True"),
    ("intervals = 3\n" + SERVICE, "intervals must be a table, not 3"),
    ("[limits]\nwaiting = 2.5\n" + SERVICE, "limits.waiting must be a whole number, not 2.5"),
    ("[limits]\nwaiting = 51\n" + SERVICE, "limits.waiting must be from 1 to 50, not 51"),
    (SERVICE.replace("4001", "0"), "services.web.live_port must be from 1 to 65535, not 0"),
    (SERVICE.replace("4001", "70000"), "services.web.live_port must be from 1 to 65535, not 70000"),
    (SERVICE.replace("4001", "'4001'"), "services.web.live_port must be a whole number, not '4001'"),
    (SERVICE.replace("4002", "4001"), "services.web.dev_port is 4001, which services.web.live_port has already"),
    (SERVICE + '[services.api]\nstart = ["x"]\ndev_port = 4001\n',
     "services.api.dev_port is 4001, which services.web.live_port has already"),
    ("name = 'x'", "config.toml names no service"),
    ("[services]", "config.toml names no service"),
    ("[services.web]\nlive_port = 4001", "services.web.start is missing"),
    ("[services.'a b']\nstart = ['x']", "services.a b: a service is named with letters"),
    ("[services.'']\nstart = ['x']", "a service is named with letters"),
    ("[services]\nweb = 3", "services.web must be a table, not 3"),
    ("services = []", "services must be a table"),
    (SERVICE.replace('["serve"]', '"serve"'), "services.web.start must be a list of texts, not 'serve'"),
    (SERVICE.replace('["serve"]', '["serve", 1]'), "services.web.start must be a text, not 1"),
    (SERVICE + "env = { A = 1 }", "services.web.env.A must be a text, not 1"),
    (SERVICE + "runtime = 'ruby'", "services.web.runtime must be 'python', 'node' or empty, not 'ruby'"),
    (SERVICE + "folder = '/etc'", "services.web.folder must be a path inside the repository"),
    (SERVICE + "folder = '../x'", "services.web.folder must be a path inside the repository"),
    (SERVICE + "databases = ['../live.db']", "services.web.databases must be a path inside the data folder"),
    (SERVICE + "sources = ['web', '../x']", "services.web.sources must be a path inside the repository"),
    (SERVICE + "migrations = '/sql'", "services.web.migrations must be a path inside the repository"),
    (SERVICE + "health = 'up'", "services.web: the path 'up' must start with '/'"),
    (SERVICE + "smoke = ['/', 'up']", "services.web: the path 'up' must start with '/'"),
    ("approvals = 'wep'\n" + SERVICE, "approvals names 'wep', which is no service: did you mean 'web'?"),
    ("author = 3\n" + SERVICE, "author must be a text, not 3"),
    ("name = 'a b'\n" + SERVICE, "name must be letters, digits and '-'"),
    ("name = '../x'\n" + SERVICE, "name must be letters, digits and '-'"),
    ("name = ''\n" + SERVICE, "name must be letters, digits and '-'"),
])
def test_what_is_wrong_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b"name = '\xff'")
    with pytest.raises(ConfigError, match="is not TOML"):
        load(tmp_path)


def test_where_the_state_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = f"tiny-{zlib.crc32(bytes(tmp_path)):08x}"
    assert state_folder("tiny", tmp_path, {"XDG_STATE_HOME": "/x"}) == Path("/x/aiimprove") / named
    assert state_folder("tiny", tmp_path, {}, "here") == tmp_path / "here"
    assert state_folder("tiny", tmp_path, {"AIIMPROVE_STATE": "/elsewhere"}, "here") == Path("/elsewhere")
    monkeypatch.setenv("HOME", "/home/someone")
    assert state_folder("tiny", tmp_path, {}) == Path("/home/someone/.local/state/aiimprove") / named
    assert state_folder("tiny", tmp_path, {}, "~/s") == Path("/home/someone/s")


def test_an_env_file(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# secrets\nA=1\n export B = 'two'\nC=a=b\n\nnothing\n")
    file.chmod(0o600)
    assert read_env_file(str(file)) == {"A": "1", "B": "two", "C": "a=b"} and read_env_file("") == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_an_env_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "env"
    file.write_text("A=1")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_env_file(str(file))
    with pytest.raises(ConfigError, match="does not exist"):
        read_env_file(str(tmp_path / "none"))


def test_only_named_variables_are_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "s")
    monkeypatch.setenv("TZ", "UTC")
    assert inherited("TZ", "NOT_SET") == {"TZ": "UTC"}
