"""From the raw log into the store; and what a proof is given of it."""

from __future__ import annotations

import fcntl
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiimprove import atomic
from aiimprove.recording.kept import Kept
from aiimprove.recording.raw import FOLDER, raw_log, requests, take
from aiimprove.recording.redaction import Redaction
from aiimprove.recording.request import NO_TRAFFIC, Recorded, Traffic
from aiimprove.settings import Config

_STORE, _KEY, _LOCK = "requests.db", "key", "lock"


def read(config: Config) -> int:
    """Takes what the gateway noted since the last time into the store; how many requests that were."""
    folder = config.state_folder / FOLDER
    if not folder.is_dir():
        return 0
    with _alone(folder):
        made = requests(take(raw_log(config)), Redaction(_key(folder)))
        wanted = [each for each in made if _of_visitors(config, each)]
        return _kept(config).add(wanted) if wanted else 0


def recent(config: Config) -> Traffic:
    """What is kept now; nothing when nothing was ever recorded, or the store cannot be read."""
    if not (config.state_folder / FOLDER / _STORE).exists():
        return NO_TRAFFIC
    try:
        return _kept(config).recent(time.time())
    except sqlite3.DatabaseError:
        return NO_TRAFFIC


def forget(config: Config) -> None:
    """Removes what is beyond the limits of the config; everything, when nothing is to be recorded any more."""
    folder = config.state_folder / FOLDER
    if not (folder / _STORE).exists():
        return
    with _alone(folder):
        if config.recorder.reads_percent or config.recorder.writes_percent:
            _kept(config).forget(time.time())
        else:
            take(raw_log(config))
            (folder / _STORE).unlink()


def _of_visitors(config: Config, request: Recorded) -> bool:
    """Health is asked by machines, files that are named by their content differ in every build, and the document of
    the interface has a check of its own."""
    service = config.services.get(request.service)
    path = request.uri.partition("?")[0]
    return service is not None and path not in (service.health, service.ready, service.openapi) and not any(
        path.startswith(public) for public in service.assets)


def _kept(config: Config) -> Kept:
    return Kept(config.state_folder / FOLDER / _STORE, config.recorder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with open(folder / _LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _key(folder: Path) -> bytes:
    return atomic.make_once(folder / _KEY, secrets.token_bytes(32))
