"""One complete decision about an environment's traffic, as a folder that is never edited."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from aiimprove import atomic
from aiimprove.release import Environment

KEPT = 20
NO_CANARY = "none"


@dataclass(frozen=True)
class Generation:
    """Who answers: `stable` and `candidate` are the private ports of each service of a release.

    `spare` are those of the other slot while it is warm: they answer for a stable release that does not; during a
    canary that is the candidate. `threshold` of 1000 visitors meet the candidate. Without a release every request is
    answered 503. `banner` is the text of the header X-Aiimprove-Dev on the development ports. `number` is given when
    traffic is switched to it.
    """

    release: str = ""
    stable: Mapping[str, int] = field(default_factory=dict)
    candidate_release: str = ""
    candidate: Mapping[str, int] = field(default_factory=dict)
    threshold: int = 0
    banner: str = ""
    number: int = 0
    spare: Mapping[str, int] = field(default_factory=dict)

    def with_canary(self, release: str, ports: Mapping[str, int], threshold: int) -> Generation:
        """The same with a candidate that gets `threshold` of 1000 new visitors."""
        if not 0 <= threshold <= 1000:
            raise ValueError(f"a threshold is between 0 and 1000, not {threshold}")
        return replace(self, candidate_release=release, candidate=dict(ports), threshold=threshold)

    def files(self, services: Collection[str]) -> dict[str, str]:
        """What Caddy reads, all of it for every service: a missing file would hold requests back."""
        names: dict[str, str] = {}
        for service in services:
            names[f"{service}.stable"] = _address(self.stable.get(service, 0))
            names[f"{service}.candidate"] = _address((self.candidate or self.stable).get(service, 0))
            names[f"{service}.spare"] = _address((self.spare or self.candidate or self.stable).get(service, 0))
        return names | {
            "generation": str(self.number), "release": self.release,
            "canary": self.candidate_release or NO_CANARY, "below": self._below(), "banner": _one_line(self.banner),
            "generation.json": json.dumps(asdict(self), sort_keys=True),
        }

    def _below(self) -> str:
        """The first uuid, in the order of text, that does not meet the candidate."""
        share = self.threshold * 65536 // 1000
        return "g" if share == 65536 else f"{share:04x}"


def _address(port: int) -> str:
    return f"127.0.0.1:{port}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).encode("ascii", "replace").decode()


class Generations:
    """The folder of a gateway: gen/<number> and one link for each environment."""

    def __init__(self, folder: Path, services: Collection[str]) -> None:
        self.folder = folder
        self._services = services

    def current(self, environment: Environment) -> Generation | None:
        return self.read(self.folder / environment.value)

    def whole(self, environment: Environment) -> bool:
        """Whether Caddy finds everything that it reads; an older engine may have written less."""
        link = self.folder / environment.value
        return all((link / name).exists() for name in Generation().files(self._services))

    def read(self, folder: Path) -> Generation | None:
        try:
            return Generation(**json.loads((folder / "generation.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, generation: Generation) -> Generation:
        """Puts the generation on disk under the next number; nobody uses it yet."""
        numbered = replace(generation, number=max(self._numbers(), default=0) + 1)
        unfinished = self.folder / "gen" / f".{numbered.number}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for name, content in numbered.files(self._services).items():
            (unfinished / name).write_text(content)
        unfinished.rename(self.folder / "gen" / str(numbered.number))
        return numbered

    def use(self, environment: Environment, number: int) -> None:
        """The switch: one rename."""
        atomic.link(self.folder / environment.value, Path("gen") / str(number))

    def prune(self, needed: Collection[int]) -> None:
        """Removes old generations, except the newest, the ones in force and the `needed`."""
        in_force = {Path(os.readlink(self.folder / each.value)).name for each in Environment
                    if (self.folder / each.value).is_symlink()}
        for number in sorted(self._numbers())[:-KEPT]:
            if number not in needed and str(number) not in in_force:
                shutil.rmtree(self.folder / "gen" / str(number), ignore_errors=True)

    def _numbers(self) -> list[int]:
        return [int(entry.name) for entry in (self.folder / "gen").glob("[0-9]*")]
