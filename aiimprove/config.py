"""config.toml and the environment, read into a frozen Config. The only reader of os.environ."""

from __future__ import annotations

import difflib
import math
import os
import tomllib
import zlib
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from aiimprove.errors import ConfigError, NotFound
from aiimprove.settings import Config, Deploy, Service

FILE = "config.toml"
_LARGEST, _LONGEST_NAME = 1_000_000_000, 64
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def find(start: Path) -> Path:
    """The nearest config.toml at or above `start`. Raises NotFound."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise NotFound(f"no {FILE} in {start} or above it: 'aiimprove init' writes one (docs/config.md says what it holds)")


def load(start: Path | None = None) -> Config:
    """The config of the repository that `start` (else AIIMPROVE_REPOSITORY, else here) belongs to.

    Raises ConfigError with one sentence that names the key, NotFound when there is no file.
    """
    file = find((start or here()).resolve())
    try:
        return parse(file.read_text("utf-8"), file)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None


def here() -> Path:
    """The folder that a call is about: AIIMPROVE_REPOSITORY, else the one it was made in."""
    return Path(os.environ.get("AIIMPROVE_REPOSITORY") or os.getcwd()).resolve()


def parse(text: str, file: Path) -> Config:
    """The config that `file` holds, or would hold. Raises ConfigError."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{file} is nested too deeply") from None
    config: Config = _table(Config, table, "")
    _check(config)
    return _with_folders(config, file.parent)


def state_folder(name: str, repository: Path, environ: Mapping[str, str], configured: str = "") -> Path:
    """Where the state of a repository lives: AIIMPROVE_STATE, the config's word, else below $XDG_STATE_HOME."""
    named = environ.get("AIIMPROVE_STATE") or configured
    if named:
        return (repository / Path(named).expanduser()).resolve()
    home = Path(environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "aiimprove" / f"{name}-{zlib.crc32(os.fsencode(repository)):08x}"


def read_env_file(path: str) -> dict[str, str]:
    """The KEY=value lines of an env file; empty when `path` is. Raises ConfigError when it is missing or open to
    others."""
    if not path:
        return {}
    file = Path(path).expanduser()
    if not file.is_file():
        raise ConfigError(f"the env file {file} does not exist")
    if file.stat().st_mode & 0o077:
        raise ConfigError(f"the env file {file} can be read by others: 'chmod 600 {file}'")
    rows = (line.split("=", 1) for line in file.read_text("utf-8").splitlines()
            if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip().removeprefix("export "): value.strip().strip("'\"") for name, value in rows}


def inherited(*names: str) -> dict[str, str]:
    """The named variables of our own environment, as far as they are set."""
    return {name: os.environ[name] for name in names if name in os.environ}


def _with_folders(config: Config, repository: Path) -> Config:
    state = state_folder(config.name, repository, os.environ, config.state)
    logs = repository / config.logs if config.logs else state / "logs"
    return replace(config, repository=repository, state_folder=state, logs_folder=logs)


# -- reading a table into a dataclass -----------------------------------------------------------------------------

def _table(shape: type, table: Mapping[str, Any], where: str) -> Any:
    known = {each.name: each for each in fields(shape) if not each.metadata.get("derived")}
    hints = get_type_hints(shape)
    for name in table:
        if name not in known:
            raise ConfigError(f"{where + name!r} is not a key of {FILE}{_nearest(name, known)}")
    return shape(**{name: _value(known[name], hints[name], value, where + name) for name, value in table.items()})


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}?" if close else f": known are {', '.join(sorted(known))}"


def _value(spec: Field[Any], hint: Any, value: Any, where: str) -> Any:
    if spec.name == "services":
        return {name: _service(name, table) for name, table in _expect(value, dict, where).items()}
    if is_dataclass(hint):
        return _table(hint, _expect(value, dict, where), where + ".")  # type: ignore[arg-type]
    if hint in (int, float):
        return _number(spec, hint, value, where)
    if hint is str:
        return _expect(value, str, where)
    if hint == list[float]:
        return [_number(spec, float, each, where) for each in _expect(value, list, where, "a list of numbers")]
    return _collection(hint, value, where)


def _service(name: str, table: Any) -> Service:
    if not name.replace("-", "").replace("_", "").isalnum() or not name[0].isalpha() \
            or len(name) > _LONGEST_NAME:
        raise ConfigError(f"services.{name[:_LONGEST_NAME]}: a service is named with letters, digits, '-' and '_', at "
                          f"most {_LONGEST_NAME} of them")
    service: Service = _table(Service, _expect(table, dict, f"services.{name}"), f"services.{name}.")
    return service


def _number(spec: Field[Any], hint: Any, value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or (hint is int and isinstance(value, float)):
        raise ConfigError(f"{where} must be {'a whole number' if hint is int else 'a number'}, not {value!r}")
    least, most = spec.metadata["least"], spec.metadata["most"]
    if not math.isfinite(value) or (least is not None and value < least) or value > (most or _LARGEST):
        bounds = f"from {least} to {most or _LARGEST}" if most or value > _LARGEST else f"at least {least}"
        raise ConfigError(f"{where} must be {bounds}, not {value}")
    return int(value) if hint is int else float(value)


def _collection(hint: Any, value: Any, where: str) -> Any:
    if hint == dict[str, str]:
        table = _expect(value, dict, where)
        return {name: _expect(each, str, f"{where}.{name}") for name, each in table.items()}
    return [_expect(each, str, where) for each in _expect(value, list, where)]


def _expect(value: Any, wanted: type, where: str, words: str = "") -> Any:
    if not isinstance(value, wanted):
        names = {"str": "a text", "list": "a list of texts", "dict": "a table"}
        raise ConfigError(f"{where} must be {words or names[wanted.__name__]}, not {value!r}")
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{where} must not hold a NUL character: {value!r}")
    return value


# -- what a single key cannot see ---------------------------------------------------------------------------------

def _check(config: Config) -> None:
    if not config.services:
        raise ConfigError(f"{FILE} names no service: add a table [services.NAME] with a start command")
    if not all(part.isalnum() for part in config.name.replace("_", "-").split("-")) or len(config.name) > _LONGEST_NAME:
        raise ConfigError(f"name must be letters, digits and '-', at most {_LONGEST_NAME} of them, not {config.name!r}")
    if config.approvals and config.approvals not in config.services:
        raise ConfigError(f"approvals names {config.approvals!r}, which is no service"
                          f"{_nearest(config.approvals, config.services)}")
    for name, service in config.services.items():
        _check_service(name, service)
    _check_canary(config.deploy)
    _check_ports(config)


def _check_canary(deploy: Deploy) -> None:
    if deploy.canary_steps != sorted(set(deploy.canary_steps)):
        raise ConfigError(f"deploy.canary_steps must rise from step to step, not {deploy.canary_steps}")
    if deploy.inconclusive not in ("abort", "promote"):
        raise ConfigError(f"deploy.inconclusive must be 'abort' or 'promote', not {deploy.inconclusive!r}")


def _check_service(name: str, service: Service) -> None:
    if not service.start:
        raise ConfigError(f"services.{name}.start is missing: the words that start it on 127.0.0.1:{{port}}")
    if service.runtime not in ("", "python", "node"):
        raise ConfigError(f"services.{name}.runtime must be 'python', 'node' or empty, not {service.runtime!r}")
    for key in ("folder", "artifact", "migrations", "tests", "sources", "lock_files", "databases", "assets"):
        named = getattr(service, key)
        for inner in [named] if isinstance(named, str) else named.values() if key == "assets" else named:
            if Path(inner).is_absolute() or ".." in Path(inner).parts:
                raise ConfigError(f"services.{name}.{key} must be a path inside the "
                                  f"{'data folder' if key == 'databases' else 'repository'}, not {inner!r}")
    for path in (service.health, service.ready, service.openapi, *service.smoke):
        if path and (not path.startswith("/") or not path.isprintable() or " " in path):
            raise ConfigError(f"services.{name}: the path {path!r} must start with '/' and hold no blanks")
    for words in service.journeys:
        method, path, _ = (*words.split(None, 2), "", "", "")[:3]
        if method not in _METHODS or not path.startswith("/"):
            raise ConfigError(f"services.{name}.journeys: {words!r} must be a method ({', '.join(_METHODS)}), a path "
                              "and, if there is one, a body in JSON")
    _check_outside(name, service)


def _check_outside(name: str, service: Service) -> None:
    """What a service gets besides its folder: variables, further folders and the public paths of its files."""
    for public in service.assets:
        if not (public.startswith("/") and public.endswith("/") and len(public) > 1) or set(public) & set("{}*?[]% \\"):
            raise ConfigError(f"services.{name}.assets: {public!r} must be a path like '/static/', from '/' to '/'")
    for folder in service.writable:
        if not Path(folder).expanduser().is_absolute():
            raise ConfigError(f"services.{name}.writable must be full paths, not {folder!r}")
    for variable in (*service.env, *service.dev_env, *service.test_env):
        if not variable or "=" in variable:
            raise ConfigError(f"services.{name}.env: {variable!r} cannot be the name of a variable")


def _check_ports(config: Config) -> None:
    seen = {config.metrics_port: "metrics_port"}
    for name, service in config.services.items():
        for key in ("live_port", "dev_port"):
            port = getattr(service, key)
            if port and port in seen:
                raise ConfigError(f"services.{name}.{key} is {port}, which {seen[port]} has already")
            seen[port] = f"services.{name}.{key}"
