"""What the hot path needs of the config, kept beside the state so that it need not be parsed again."""

from __future__ import annotations

import json
import os
from typing import Any

from aiimprove import atomic
from aiimprove.settings import Config
from commands.hot import STAMP


def content(config: Config) -> dict[str, Any]:
    seen = os.stat(config.repository / "config.toml")
    return {"repository": str(config.repository), "seen": [seen.st_mtime_ns, seen.st_size], "name": config.name,
            "state_folder": str(config.state_folder), "logs_folder": str(config.logs_folder),
            "button": bool(config.approvals), "evidence_hours": config.limits.evidence_hours,
            "live_url": _address(config, "live_port"), "dev_url": _address(config, "dev_port")}


def stamp(config: Config) -> None:
    """Refresh the stamp when config.toml has changed since."""
    file, wanted = config.state_folder / STAMP, json.dumps(content(config))
    if file.is_file() and file.read_text("utf-8") == wanted:
        return
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    atomic.write(file, wanted)


def _address(config: Config, port: str) -> str | None:
    """Where people meet the site: the service that holds the button, else the first that is public."""
    named = [config.approvals] if config.approvals else []
    for name in [*named, *config.services]:
        found = getattr(config.services[name], port)
        if found:
            return f"http://{'localhost' if config.host == '127.0.0.1' else config.host}:{found}"
    return None
