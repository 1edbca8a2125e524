"""Slots with real services under real shims."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from traffic_site import SERVICE
from traffic_waiting import until

from aiimprove.errors import NotHealthy, Refused
from aiimprove.launch import Launch
from aiimprove.process import Identity, port_holder
from aiimprove.release import Environment, Release, Slot
from aiimprove.settings import Config, Deploy, EnvFiles, Service
from aiimprove.slots import RunningSlot, Slots

LIVE, DEV, BLUE, GREEN = Environment.LIVE, Environment.DEV, Slot.BLUE, Slot.GREEN
START = [sys.executable, "-I", "traffic_service.py", "{port}", "one"]


def _config(folder: Path, **services: Service) -> Config:
    return Config(state_folder=folder / "state", logs_folder=folder / "logs", services=services,
                  deploy=Deploy(start_seconds=5.0, healthy_answers=2, stop_seconds=2.0))


def _service(**more: object) -> Service:
    return replace(Service(start=START, health="/health", smoke=["/page"]), **more)  # type: ignore[arg-type]


def _release(config: Config, name: str = "r1") -> Release:
    folder = config.state_folder / "artifacts" / "digest"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SERVICE.name).write_text(SERVICE.read_text())
    return Release(name, "c" * 40, dict.fromkeys(config.services, "digest"), {}, "a" * 64)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    config = _config(tmp_path, backend=_service(), frontend=_service())
    yield config
    for environment in Environment:
        for running in Slots(config).running(environment).values():
            Slots(config).stop(running)


def _ask(running: RunningSlot, service: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://127.0.0.1:{running.ports[service]}/", timeout=5) as answer:
        told = json.load(answer)
    assert isinstance(told, dict)
    return told


def test_a_started_slot_answers_and_is_found_by_others(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    assert all(_ask(running, service)["release"] == "one" for service in config.services)
    assert dict(Slots(config).running(LIVE)) == {BLUE: running} and not Slots(config).running(DEV)
    assert set(running.identities()) == {"backend", "frontend"}
    Slots(config).verify(running)
    assert [urllib.request.urlopen(url).status for url in Slots(config).health_urls(running)] == [200, 200]


def test_two_releases_run_beside_each_other_and_live_beside_dev(config: Config) -> None:
    slots = Slots(config)
    places = [(BLUE, LIVE), (GREEN, LIVE), (BLUE, DEV)]
    ports = [port for slot, where in places
             for port in slots.start(_release(config), slot, where).ports.values()]
    assert len(set(ports)) == 6
    with pytest.raises(Refused):
        slots.start(_release(config, "r2"), BLUE, LIVE)
    slots.stop(slots.running(LIVE)[GREEN])
    assert set(slots.running(LIVE)) == {BLUE} and set(slots.running(DEV)) == {BLUE}


def test_stopping_leaves_nothing(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    processes = list(running.identities().values())
    Slots(config).stop(running)
    assert not any(each.alive() for each in processes) and not Slots(config).running(LIVE)
    assert not any(port_holder(port) for port in running.ports.values())


def test_a_release_that_dies_is_refused_at_once_with_its_last_words(tmp_path: Path) -> None:
    broken = _service(start=[sys.executable, "-c", "raise SystemExit('no database here')"])
    config = _config(tmp_path, backend=_service(), frontend=broken)
    config = replace(config, deploy=replace(config.deploy, start_seconds=60.0))
    began = time.monotonic()
    with pytest.raises(NotHealthy, match=r"(?s)frontend of release r1.*no database here"):
        Slots(config).start(_release(config), BLUE, LIVE)
    assert time.monotonic() - began < 20 and not Slots(config).running(LIVE)


@pytest.mark.parametrize("change, reason", [
    ({"health": "/fail"}, "500"), ({"ready": "/fail"}, "500"), ({"smoke": ["/page", "/fail"]}, "/fail answered 500"),
])
def test_a_release_that_never_gets_healthy_is_refused(tmp_path: Path, change: dict[str, object], reason: str) -> None:
    config = _config(tmp_path, backend=_service(**change))
    config = replace(config, deploy=replace(config.deploy, start_seconds=1.5))
    with pytest.raises(NotHealthy, match=reason):
        Slots(config).start(_release(config), BLUE, LIVE)
    assert not Slots(config).running(LIVE)


def test_a_killed_service_comes_back_on_its_port(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    first = running.identities()["backend"]
    first.signal(signal.SIGKILL)
    until(lambda: running.identities().get("backend") not in (None, first))
    Slots(config).verify(running)
    assert _ask(running, "backend")["pid"] == running.identities()["backend"].pid != first.pid


def test_killed_shims_are_replaced_and_adopt(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    before = running.identities()
    for kept in running.kept().values():
        shim = kept.state().shim
        assert shim is not None and shim.signal(signal.SIGKILL) and shim.wait(5)
    assert dict(Slots(config).running(LIVE)) == {BLUE: running}
    assert Slots(config).revive() == 2 and Slots(config).revive() == 0
    assert running.identities() == before


def test_verify_refuses_what_does_not_answer_now(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    shim, service = running.kept()["backend"].state().shim, running.identities()["backend"]
    for who in (shim, service):
        assert who is not None and who.signal(signal.SIGKILL) and who.wait(5)
    with pytest.raises(NotHealthy, match="backend of release r1"):
        Slots(config).verify(running)
    assert Slots(config).revive() == 1
    Slots(config).verify(running)


def test_drain_waits_for_the_last_connection(config: Config) -> None:
    running = Slots(config).start(_release(config), BLUE, LIVE)
    until(lambda: Slots(config).drain(running, 0))
    with socket.create_connection(("127.0.0.1", running.ports["backend"])) as connection:
        connection.sendall(b"GET /?s=0.3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert not Slots(config).drain(running, 0.1)
        began = time.monotonic()
        assert Slots(config).drain(running, 10)
        assert time.monotonic() - began < 2
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_each_slot_has_its_own_log_and_a_link_names_the_one_in_use(config: Config) -> None:
    slots = Slots(config)
    (config.logs_folder).mkdir(parents=True)
    for slot, release in ((BLUE, "r1"), (GREEN, "r2")):
        running = slots.start(_release(config, release), slot, LIVE)
        slots.link_logs(running)
        link = config.logs_folder / "live_backend.log"
        assert link.is_symlink() and link.resolve() == slots.log(running, "backend").resolve()
        assert release in link.resolve().name and slot.value in link.resolve().name


def test_services_get_their_own_environment_and_secrets_only(config: Config, tmp_path: Path,
                                                             monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = tmp_path / "live.env"
    secrets.write_text("KEY=value\n")
    secrets.chmod(0o600)
    monkeypatch.setenv("OURS", "hidden")
    config = replace(config, env_file=EnvFiles(live=str(secrets)))
    for environment, expected in ((LIVE, True), (DEV, False)):
        running = Slots(config).start(_release(config), BLUE, environment)
        pid = running.identities()["backend"].pid
        names = Path(f"/proc/{pid}/environ").read_text().split("\0")
        assert ("KEY=value" in names) is expected and not any(name.startswith("OURS=") for name in names)
        assert f"HOME={Slots(config).data(environment, BLUE)}" in names


def test_a_launcher_can_be_put_in_front(config: Config) -> None:
    def niced(started: Launch, environment: Environment) -> Launch:
        return replace(started, argv=("nice", "-n", {LIVE: "1", DEV: "5"}[environment], *started.argv))

    running = Slots(config, niced).start(_release(config), BLUE, DEV)
    stat = Path(f"/proc/{running.identities()['backend'].pid}/stat").read_text()
    assert stat.rpartition(")")[2].split()[16] == "5"


def test_what_a_killed_starter_left_is_found_and_stopped(tmp_path: Path) -> None:
    config = _config(tmp_path, backend=_service(health="/fail"), frontend=_service())
    config = replace(config, deploy=replace(config.deploy, start_seconds=60.0))
    _release(config)
    script = f"""
import sys
sys.path[:0] = {[str(Path(__file__).parents[2]), str(Path(__file__).parent)]!r}
from pathlib import Path
from test_slots import *
from test_slots import _config, _release, _service
config = _config(Path({str(tmp_path)!r}), backend=_service(health="/fail"), frontend=_service())
config = replace(config, deploy=replace(config.deploy, start_seconds=60.0))
Slots(config).start(_release(config), BLUE, LIVE)
"""
    starter = subprocess.Popen([sys.executable, "-c", script])
    until(lambda: BLUE in Slots(config).running(LIVE) and len(Slots(config).running(LIVE)[BLUE].identities()) == 2, 20)
    starter.kill()
    starter.wait()
    left = Slots(config).running(LIVE)[BLUE]
    processes: list[Identity] = list(left.identities().values())
    assert len(processes) == 2
    Slots(config).stop(left)
    assert not any(each.alive() for each in processes) and not Slots(config).running(LIVE)
