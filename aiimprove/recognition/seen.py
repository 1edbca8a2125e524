"""What was recognised, and where each value of it was seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | list[str] | dict[str, str]


@dataclass(frozen=True)
class Seen:
    """A value of the config with the place in which it was seen. `guess`: it was not seen, it is what is usual."""

    value: Value
    where: str
    guess: bool = False

    @property
    def comment(self) -> str:
        return f"a guess: {self.where}" if self.guess else self.where


Values = Mapping[str, Seen]


@dataclass(frozen=True)
class Service:
    """One service of an app. `values` are keys of [services.NAME]; `health` are paths that may tell that it lives, the
    likely ones first; `pages` are addresses without parameters; `missing` are variables that it needs and that nobody
    gave a value; `notes` are sentences about what a person has to know or to do; `blocked` says why it cannot be
    started as it is."""

    name: str
    folder: str
    framework: str
    values: Values
    env: Values = field(default_factory=dict)
    dev_env: Values = field(default_factory=dict)
    test_env: Values = field(default_factory=dict)
    health: tuple[str, ...] = ("/",)
    pages: tuple[str, ...] = ()
    missing: Values = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    front: bool = False
    blocked: str = ""


@dataclass(frozen=True)
class Recognised:
    """An app: its name, its services in the order in which they start, and what concerns all of them."""

    name: Seen
    services: tuple[Service, ...]
    notes: tuple[str, ...] = ()
