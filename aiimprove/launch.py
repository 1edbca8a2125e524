"""How a service of a release is started: words, environment and working directory, with every blank filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from aiimprove.errors import ConfigError
from aiimprove.finding import Json
from aiimprove.release import Release
from aiimprove.settings import Config, Service

_BLANK = re.compile(r"\{([^{}]+)\}")
RELEASED = ("folder", "artifact", "start", "env", "dev_env", "writable", "health", "ready", "smoke", "migrate")
"""What of a service's config belongs to a release: how it is started, migrated and asked whether it is healthy."""

GATEWAY_ADDRESSES = "127.0.0.1,127.0.0.11,127.0.0.12"
"""Where the gateway's requests come from: uvicorn and gunicorn believe these what they say about the visitor."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Launch:
    """What exec needs. `writable` is the folder that the service may write; `readable` what it must see besides
    the system (its release, its dependencies, the interpreter's home); `further` what else a live one may write."""

    service: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    port: int
    writable: Path | None = None
    readable: tuple[Path, ...] = field(default_factory=tuple)
    further: tuple[Path, ...] = ()


Role = Literal["live", "dev", "test"]


@dataclass(frozen=True)
class Place:
    """Where a release's services run: one private port each, and the folder of their data. `role` says what the
    config adds to their environment: `dev_env` on the development copy and in proofs, `test_env` for tests."""

    ports: Mapping[str, int]
    data: Path
    env: Mapping[str, str] = field(default_factory=dict)
    role: Role = "dev"


def settings_now(config: Config) -> dict[str, dict[str, Json]]:
    """The part of the config that a release made now keeps."""
    return {name: {key: getattr(service, key) for key in RELEASED} for name, service in config.services.items()}


def as_released(config: Config, release: Release) -> Config:
    """The config with the services of a release as they were when it was made; ports and all else are the present
    ones. A release that kept no settings, or none for a service, gets the present ones."""
    now = config.services
    services = {name: replace(now.get(name, Service()), **release.settings.get(name, {})) for name in release.services}
    return replace(config, services=services or now)


def service_folder(config: Config, release: Release, name: str) -> Path:
    """The service's own folder in its artifact: its working directory."""
    service = as_released(config, release).services[name]
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

    Both are as the release was made. The environment is scrubbed: the service's own `env`, the place's (env file),
    PORT, HOME in the data folder.
    """
    config = as_released(config, release)
    service = config.services[name]
    values = blanks(config, release, name, place)
    argv = fill(words or service.start, values)
    if not argv:
        raise ConfigError(f"[services.{name}] has no start command")
    folder = dependencies_folder(config, release, name)
    readable = [config.state_folder / "artifacts" / release.services[name]] + ([folder] if folder else [])
    return Launch(name, argv, _environment(service, values, place, folder), service_folder(config, release, name),
                  place.ports.get(name, 0), place.data, tuple(readable),
                  tuple(Path(each).expanduser() for each in service.writable))


def _environment(service: Service, values: Mapping[str, str], place: Place, folder: Path | None) -> dict[str, str]:
    path = SYSTEM_PATH if folder is None else f"{folder / 'bin'}:{folder / 'node_modules' / '.bin'}:{SYSTEM_PATH}"
    base = {"PATH": path, "HOME": values["data"], "LANG": "C.UTF-8", "PORT": values["port"],
            "FORWARDED_ALLOW_IPS": GATEWAY_ADDRESSES,
            "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    added: dict[Role, dict[str, str]] = {"live": {}, "dev": service.dev_env, "test": service.test_env}
    wanted = service.env | added[place.role]
    own = {key: fill([value], values)[0] for key, value in wanted.items()}
    return base | dict(place.env) | own
