"""What people use to put another version of an app in the place of one: each as it is meant to be used, with the app of
bench/talks (or its twin for Node) behind it. A program is looked for in a folder that is given, then on PATH."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove.process import established, free_ports
from bench.talks_site import APP

DRAIN_SECONDS = 3.0
QUIETLY = ("--log-level", "warning", "--no-access-log")
_BELOW = ("", "bin", "venv/bin", "npm/node_modules/.bin")


class Missing(Exception):
    """A program is not installed."""


@dataclass
class Ground:
    """Where a peer runs: a folder of its own, the public port, and what was started there."""

    folder: Path
    programs: str
    port: int = field(default_factory=lambda: free_ports(1)[0])
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def find(self, program: str) -> str:
        path = os.pathsep.join([*(f"{self.programs}/{below}" for below in _BELOW if self.programs),
                                os.environ["PATH"], "/usr/sbin"])
        found = shutil.which(program, path=path)
        if not found:
            raise Missing(program)
        return found

    def env(self, **more: str) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "ROWS": str(self.folder / "rows.txt"),
                "RELEASE_FILE": str(self.folder / "release.txt"), "PYTHONPATH": str(APP), "PM2_HOME": str(self.folder),
                "PYTHONDONTWRITEBYTECODE": "1", **more}

    def spawn(self, *words: str, **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / "out.log").open("ab") as log:
            child = subprocess.Popen(words, cwd=self.folder, env=self.env(**env), stdout=log, stderr=log)
        self.started.append(child)
        return child

    def run(self, *words: str, **env: str) -> None:
        with (self.folder / "out.log").open("ab") as log:
            subprocess.run(words, cwd=self.folder, env=self.env(**env), stdout=log, stderr=log, check=True, timeout=60)

    def uvicorn(self, *more: str) -> subprocess.Popen[bytes]:
        return self.spawn(self.find("uvicorn"), "app:app", *QUIETLY, "--timeout-keep-alive", "75", *more)

    def release(self, name: str) -> None:
        (self.folder / "release.txt").write_text(name)

    def until_serves(self, name: str, port: int = 0) -> None:
        """Until ten answers in a row, each to a new connection, come from that release."""
        deadline, good = time.monotonic() + 30, 0
        while good < 10:
            assert time.monotonic() < deadline, f"{name} does not serve"
            good = good + 1 if _serving(port or self.port) == name else 0
            time.sleep(0.02)

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """SIGTERM, and SIGKILL after three seconds more, as the engine's own side of this bench has it."""
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def close(self) -> None:
        for child in self.started:
            if child.poll() is None:
                self.end(child)


def _serving(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return str(json.load(answer)["release"])
    except (OSError, ValueError):
        return ""


class Peer:
    """One way to switch; `start`, then any number of `switch`, then `stop`. Raises Missing."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def start(self) -> None:
        raise NotImplementedError

    def switch(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self.ground.close()


class StopStart(Peer):
    def start(self) -> None:
        self.child = self.ground.uvicorn("--port", str(self.ground.port))

    def switch(self) -> None:
        self.ground.end(self.child)
        self.start()


class UvicornHup(Peer):
    def start(self) -> None:
        self.child = self.ground.uvicorn("--port", str(self.ground.port), "--workers", "2")

    def switch(self) -> None:
        self.child.send_signal(signal.SIGHUP)


class GunicornHup(UvicornHup):
    def start(self) -> None:
        ground = self.ground
        self.child = ground.spawn(ground.find("gunicorn"), "app:app", "--workers", "2", "--worker-class",
                                  "uvicorn_worker.UvicornWorker", "--bind", f"127.0.0.1:{ground.port}",
                                  "--keep-alive", "75", "--graceful-timeout", "6", "--log-level", "warning")


class Pm2Reload(Peer):
    def start(self) -> None:
        self._pm2("start", str(APP / "app.js"), "--name", "talks", "-i", "2")

    def switch(self) -> None:
        self._pm2("reload", "talks")

    def stop(self) -> None:
        self._pm2("kill")

    def _pm2(self, *words: str) -> None:
        self.ground.run(self.ground.find("node"), self.ground.find("pm2"), *words, PORT=str(self.ground.port))


class CircusReload(Peer):
    def start(self) -> None:
        ground, (control, events) = self.ground, free_ports(2)
        self._control = f"tcp://127.0.0.1:{control}"
        ini = ground.folder / "circus.ini"
        env = "".join(f"{name} = {value}\n" for name, value in ground.env().items())
        command = f"{ground.find('uvicorn')} --fd $(circus.sockets.web) {' '.join(QUIETLY)} app:app"
        ini.write_text(f"""
[circus]
endpoint = {self._control}
pubsub_endpoint = tcp://127.0.0.1:{events}
[watcher:talks]
cmd = {command} --timeout-keep-alive 75
use_sockets = True
numprocesses = 2
graceful_timeout = 6
[socket:web]
host = 127.0.0.1
port = {ground.port}
[env:talks]
{env}""")
        ground.spawn(ground.find("circusd"), str(ini))

    def switch(self) -> None:
        self.ground.run(self.ground.find("circusctl"), "--timeout", "50", "--endpoint", self._control,
                        "reload", "talks", "--waiting")


class BlueGreen(Peer):
    """Start the other one, wait until it answers, point the proxy at it, drain, end the one before."""

    def start(self) -> None:
        self.port, self.child = self._fresh()
        self.begin()

    def switch(self) -> None:
        before, leaving = self.port, self.child
        self.port, self.child = self._fresh()
        self.point(before)
        until = time.monotonic() + DRAIN_SECONDS
        while established({before}) and time.monotonic() < until:
            time.sleep(0.05)
        self.ground.end(leaving)

    def begin(self) -> None:
        raise NotImplementedError

    def point(self, before: int) -> None:
        raise NotImplementedError

    def _fresh(self) -> tuple[int, subprocess.Popen[bytes]]:
        port = free_ports(1)[0]
        child = self.ground.uvicorn("--port", str(port))
        self.ground.until_serves((self.ground.folder / "release.txt").read_text(), port)
        return port, child


class NginxReload(BlueGreen):
    def begin(self) -> None:
        self._configure()
        self.ground.spawn(self.ground.find("nginx"), *self._words(), "-g", "daemon off;")

    def point(self, before: int) -> None:
        self._configure()
        self.ground.run(self.ground.find("nginx"), *self._words(), "-s", "reload")

    def _words(self) -> list[str]:
        return ["-p", str(self.ground.folder), "-c", str(self.ground.folder / "nginx.conf"), "-e", "stderr"]

    def _configure(self) -> None:
        folder = self.ground.folder
        kept = "".join(f"{name}_temp_path {folder}/{name};\n" for name in
                       ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (folder / "nginx.conf").write_text(f"""
pid {folder}/nginx.pid; error_log stderr warn; worker_processes 2;
events {{ worker_connections 512; }}
http {{ access_log off; {kept} client_max_body_size 20m; keepalive_timeout 75s;
 map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
 upstream app {{ server 127.0.0.1:{self.port}; keepalive 16; }}
 server {{ listen 127.0.0.1:{self.ground.port};
  location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
   proxy_set_header Host $host; proxy_set_header Upgrade $http_upgrade;
   proxy_set_header Connection $connection_upgrade; }} }} }}
""")


class HaproxyDrain(BlueGreen):
    """By its runtime interface, without a reload."""

    def begin(self) -> None:
        ground = self.ground
        (ground.folder / "haproxy.cfg").write_text(f"""
global
 stats socket {ground.folder}/control level admin
defaults
 mode http
 timeout connect 2s
 timeout client 75s
 timeout server 75s
 timeout tunnel 1h
frontend web
 bind 127.0.0.1:{ground.port}
 default_backend app
backend app
 http-reuse safe
 server one 127.0.0.1:{self.port}
 server two 127.0.0.1:{self.port} disabled
""")
        self._names = ["one", "two"]
        ground.spawn(ground.find("haproxy"), "-db", "-f", str(ground.folder / "haproxy.cfg"))

    def point(self, before: int) -> None:
        leaving, coming = self._names
        self._say(f"set server app/{coming} addr 127.0.0.1 port {self.port}")
        self._say(f"set server app/{coming} state ready")
        self._say(f"set server app/{leaving} state maint")
        self._names.reverse()

    def _say(self, words: str) -> None:
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.ground.folder / "control"))
            control.sendall(f"{words}\n".encode())
            while control.recv(4096):
                pass


PEERS: Mapping[str, type[Peer]] = {
    "stop, start (uvicorn)": StopStart, "uvicorn --workers 2, HUP": UvicornHup, "gunicorn, HUP": GunicornHup,
    "pm2 reload (Node cluster)": Pm2Reload, "circus reload": CircusReload, "nginx reload, blue/green": NginxReload,
    "haproxy, blue/green": HaproxyDrain,
}
