"""The public ports of an app: the usual ones that nobody else has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from aiimprove.recognition.commands import exposed_port
from aiimprove.recognition.seen import Seen, Service
from aiimprove.recognition.sources import Sources

_BACK, _FRONT = (8000, 8001), (3000, 3002)
FRONT = ("frontend", "client", "web", "site", "www", "ui")
"""How people name the folder that visitors see."""
_STEP, _LARGEST = 10, 65_000


def with_ports(at: Sources, services: Iterable[Service], taken: Callable[[int], bool]) -> tuple[Service, ...]:
    """Every service with a live_port and a dev_port of its own."""
    used: set[int] = set()
    done = []
    for service in services:
        live, dev = _FRONT if service.front or service.folder.rpartition("/")[2] in FRONT else _BACK
        named, where = exposed_port(at.at(service.folder))
        live_port = _free(named if named > 1023 else live, used, taken)
        dev_port = _free(named + 1 if named == live_port else dev, used, taken)
        usual = Seen(live_port, where if named == live_port else "what visitors use", guess=named != live_port)
        ports = {"live_port": usual, "dev_port": Seen(dev_port, "where you look at a candidate", guess=True)}
        done.append(replace(service, values={**service.values, **ports}))
    return tuple(done)


def _free(wanted: int, used: set[int], taken: Callable[[int], bool]) -> int:
    port = next(each for each in range(wanted, _LARGEST, _STEP) if each not in used and not taken(each))
    used.add(port)
    return port
