"""How a service is started: every blank filled, and nothing of our own environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from aiimprove.errors import ConfigError
from aiimprove.launch import SYSTEM_PATH, Launch, Place, Role, fill, launch
from aiimprove.release import Release
from aiimprove.settings import Config, Service

STATE = Path("/state")
API = Service(folder="api", runtime="python", start=["{python}", "-m", "api", "{port}", "{data}/x.db", "{web.port}",
                                                     "{web.live_port}", "{unknown}", "{folder}"],
              env={"DB": "{data}/x.db", "FRONT": "http://127.0.0.1:{web.port}", "A": "own"}, live_port=1, dev_port=2)
WEB = Service(folder="web", start=["serve", "{python}", "{dependencies}"], artifact="out", live_port=3, dev_port=4)
CONFIG = Config(services={"api": API, "web": WEB}, state_folder=STATE)
RELEASE = Release("r-1", "c", {"api": "aaa", "web": "bbb"}, {"api": "ddd"}, "x")
PLACE = Place({"api": 5001, "web": 5002}, Path("/data"), {"SECRET": "s", "A": "file"})


def started(name: str, *words: str) -> Launch:
    return launch(CONFIG, RELEASE, name, PLACE, words)


def test_every_blank_is_filled() -> None:
    assert started("api").argv == ("/state/dependencies/ddd/bin/python", "-m", "api", "5001", "/data/x.db", "5002", "3",
                                   "{unknown}", "/state/artifacts/aaa/api")
    assert started("web").argv == ("serve", "python3", "")


def test_other_words_in_place_of_the_start() -> None:
    assert started("api", "{python}", "migrate.py").argv == ("/state/dependencies/ddd/bin/python", "migrate.py")


def test_where_it_works() -> None:
    api, web = started("api"), started("web")
    assert (api.cwd, api.port, api.writable) == (STATE / "artifacts/aaa/api", 5001, Path("/data"))
    assert web.cwd == STATE / "artifacts/bbb"
    assert api.readable == (STATE / "artifacts/aaa", STATE / "dependencies/ddd")
    assert web.readable == (STATE / "artifacts/bbb",)


def test_the_environment_is_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIIMPROVE_STATE", "GIT_DIR", "PYTHONPATH", "LD_PRELOAD", "HTTP_PROXY"):
        monkeypatch.setenv(name, "ours")
    monkeypatch.setenv("HOME", "/home/ours")
    api = started("api").env
    assert "ours" not in api.values() and api["HOME"] == "/data" and api["PORT"] == "5001"
    assert set(api) == {"PATH", "HOME", "LANG", "PORT", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "SECRET", "A",
                        "FORWARDED_ALLOW_IPS",
                        "DB", "FRONT"}
    assert api["PATH"] == f"/state/dependencies/ddd/bin:/state/dependencies/ddd/node_modules/.bin:{SYSTEM_PATH}"
    assert started("web").env["PATH"] == SYSTEM_PATH


@pytest.mark.parametrize(("role", "expected"), [("live", "live"), ("dev", "dev"), ("test", "test")])
def test_the_role_says_what_is_added(role: Role, expected: str) -> None:
    api = replace(API, env={"R": "live"}, dev_env={"R": "dev"}, test_env={"R": "test"})
    config = replace(CONFIG, services={"api": api, "web": WEB})
    assert launch(config, RELEASE, "api", replace(PLACE, role=role)).env["R"] == expected


def test_the_config_wins_over_the_env_file() -> None:
    api = started("api").env
    assert (api["A"], api["SECRET"], api["DB"], api["FRONT"]) == ("own", "s", "/data/x.db", "http://127.0.0.1:5002")


def test_what_was_filled_in_is_not_filled_in_again() -> None:
    assert fill(["{a}"], {"a": "{b}", "b": "secret"}) == ("{b}",)


def test_without_words_there_is_no_start() -> None:
    with pytest.raises(ConfigError, match=r"\[services\.web\] has no start command"):
        launch(Config(services={"web": Service()}, state_folder=STATE), RELEASE, "web", PLACE)
