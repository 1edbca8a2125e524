"""A small app of a stranger, for benches of many rounds: one service, SQLite, and approved improvements at will."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from string import Template

from aiimprove.evidence import Evidence
from aiimprove.finding import Finding, Kind, Probe
from aiimprove.improvement import Approval, Improvement, Status
from aiimprove.process import free_ports
from aiimprove.proving import judge_digest
from aiimprove.release import Release
from aiimprove.workspace import Workspace
from bench.site import SOURCE, Site

APP = SOURCE / "tests" / "apps" / "tiny"
_PROBE = Probe("http", "app", {"path": "/notes"}, {"status": 200})


def site(scratch: Path) -> Site:
    """The app in a repository of its own, committed, on free ports. Nothing runs yet."""
    folder, state, home = scratch / "site", scratch / "state", scratch / "home"
    shutil.copytree(APP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    home.mkdir()
    live, dev = free_ports(2)
    (folder / "config.toml").write_text(Template((APP / "config.toml").read_text()).substitute(
        python=getattr(sys, "_base_executable", sys.executable), live_port=live, dev_port=dev)
        .replace("[proof]", "[limits]\nattempts = 1000000\n\n[proof]"))
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "AIIMPROVE_STATE": str(state)}
    made = Site(folder, state, {"app.live": live, "app.dev": dev}, env=env)
    made.git("init", "-q", "-b", "main")
    made.commit("first")
    return made


def approved(engine: Workspace, release: Release) -> str:
    """The id of an improvement for what is live, as it stands when it was proven and approved."""
    live, name = engine.live(), f"small-{secrets.token_hex(4)}"
    finding = Finding("errors", Kind.BUG, "bench", f"app:{name}", f"Improvement {name}", "For a bench.", _PROBE, 1.0)
    proof = Evidence(live.commit, release.commit, (), (), release.artifact,
                     judge_digest(engine.config), finding.probe.digest(), time.time())
    engine.store.add(Improvement(name, finding, Status.APPROVED, base_commit=live.commit, commit=release.commit,
                                 digest="d" * 64, artifact=release.artifact, release=release.id, evidence=proof,
                                 approval=Approval("bench", "d" * 64, time.time())), "bench")
    return name


class Writer:
    """Posts one note after the other over a connection that is kept, and never repeats one."""

    def __init__(self, port: int) -> None:
        self.acknowledged: list[str] = []
        self.failed: list[str] = []
        self._port, self._stop, self._count, self._name = port, threading.Event(), 0, secrets.token_hex(8)
        self._thread = threading.Thread(target=self._write)

    def __enter__(self) -> Writer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def lost(self, database: Path) -> list[str]:
        """Acknowledged notes that are not there exactly once, and others that are there twice."""
        with closing(sqlite3.connect(database, timeout=10)) as connection:
            rows = Counter(text for (text,) in connection.execute("SELECT text FROM notes WHERE tag = 'struck'"))
        return [text for text in self.acknowledged if rows[text] != 1] + [
            text for text in self.failed if rows[text] > 1]

    def _write(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._stop.wait(0.02):
            self._count += 1
            text = f"note {self._name} {self._count}"
            try:
                connection.request("POST", "/notes", json.dumps({"tag": "struck", "text": text}))
                answer = connection.getresponse()
                answer.read()
                (self.acknowledged if answer.status == 201 else self.failed).append(text)
            except (OSError, http.client.HTTPException):
                self.failed.append(text)
                connection.close()
        connection.close()
