"""How a service of a release is started: words, environment and working directory, with every blank filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from aiimprove.errors import ConfigError
from aiimprove.release import Release
from aiimprove.settings import Config, Service

_BLANK = re.compile(r"\{([^{}]+)\}")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Launch:
    """What exec needs. `writable` is the only folder the service may write; `readable` what it must see besides
    the system (its release, its dependencies, the interpreter's home)."""

    service: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    port: int
    writable: Path | None = None
    readable: tuple[Path, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class Place:
    """Where a release's services run: one private port each, and the folder of their data. Only `live` ones go
    without what the config says for the development copy."""

    ports: Mapping[str, int]
    data: Path
    env: Mapping[str, str] = field(default_factory=dict)
    live: bool = False


def service_folder(config: Config, release: Release, name: str) -> Path:
    """The service's own folder in its artifact: its working directory."""
    service = config.services[name]
    root = config.state_folder / "artifacts" / release.services[name]
    return root if service.artifact else root / service.folder


def dependencies_folder(config: Config, release: Release, name: str) -> Path | None:
    digest = release.dependencies.get(name, "")
    return config.state_folder / "dependencies" / digest if digest else None


def blanks(config: Config, release: Release, name: str, place: Place) -> dict[str, str]:
    """Every {word} that the config of a service may use."""
    folder = dependencies_folder(config, release, name)
    filled = {
        "data": str(place.data), "folder": str(service_folder(config, release, name)),
        "dependencies": str(folder or ""), "python": str(folder / "bin" / "python") if folder else "python3",
        "port": str(place.ports.get(name, 0)),
    }
    for other, service in config.services.items():
        filled[f"{other}.port"] = str(place.ports.get(other, 0))
        filled[f"{other}.live_port"] = str(service.live_port)
        filled[f"{other}.dev_port"] = str(service.dev_port)
    return filled


def fill(words: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(_fill_word(word, values) for word in words)


def _fill_word(word: str, values: Mapping[str, str]) -> str:
    return _BLANK.sub(lambda blank: values.get(blank[1], blank[0]), word)


def launch(config: Config, release: Release, name: str, place: Place, words: Sequence[str] = ()) -> Launch:
    """The launch of service `name` of a release in a place; `words` replaces the service's own start command.

    The environment is scrubbed: the service's own `env`, the place's (env file), PORT, HOME in the data folder.
    """
    service = config.services[name]
    values = blanks(config, release, name, place)
    argv = fill(words or service.start, values)
    if not argv:
        raise ConfigError(f"[services.{name}] has no start command")
    folder = dependencies_folder(config, release, name)
    readable = [config.state_folder / "artifacts" / release.services[name]] + ([folder] if folder else [])
    return Launch(name, argv, _environment(service, values, place, folder), service_folder(config, release, name),
                  place.ports.get(name, 0), place.data, tuple(readable))


def _environment(service: Service, values: Mapping[str, str], place: Place, folder: Path | None) -> dict[str, str]:
    path = SYSTEM_PATH if folder is None else f"{folder / 'bin'}:{folder / 'node_modules' / '.bin'}:{SYSTEM_PATH}"
    base = {"PATH": path, "HOME": values["data"], "LANG": "C.UTF-8", "PORT": values["port"],
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    wanted = service.env if place.live else service.env | service.dev_env
    own = {key: fill([value], values)[0] for key, value in wanted.items()}
    return base | dict(place.env) | own
