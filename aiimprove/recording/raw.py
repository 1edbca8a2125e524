"""The raw log of the gateway: what it noted is taken out of it, so that nothing unredacted stays."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from aiimprove.finding import Json
from aiimprove.recording.redaction import Redaction
from aiimprove.recording.request import Recorded
from aiimprove.settings import Config

FOLDER = "recorded"
_NAME = "raw.log"


def raw_log(config: Config) -> Path:
    return config.state_folder / FOLDER / _NAME


def take(log: Path) -> bytes:
    """What stands in the log, which is empty afterwards; at worst a line that is written just now is lost.

    The gateway writes on where it was: the room before is a hole, which reads as zeros and takes no space.
    """
    content = []
    for path in [*sorted(log.parent.glob(f"{log.stem}-*{log.suffix}")), log]:
        with suppress(FileNotFoundError):
            content.append(path.read_bytes().lstrip(b"\0"))
            if path == log:
                os.truncate(path, 0)
            else:
                path.unlink()
    return b"\n".join(content)


def requests(content: bytes, redaction: Redaction) -> Iterator[Recorded]:
    """The requests of the log, redacted. What cannot be redacted is left out."""
    for line in content.splitlines():
        with suppress(ValueError, KeyError, TypeError, RecursionError):
            yield _request(json.loads(line.lstrip(b"\0")), redaction)


def _request(logged: Json, redaction: Redaction) -> Recorded:
    asked = logged["request"]
    headers = redaction.headers({name: values[0] for name, values in asked.get("headers", {}).items() if values})
    raw = base64.b64decode(logged.get("recorded_body", ""))
    body = redaction.body(raw, headers.get("content-type", "")) if raw else ""
    made = Recorded(logged["service"], asked["method"], redaction.uri(asked["uri"]), headers, body,
                    float(logged["ts"]), float(logged["recorded_share"]))
    if not made.uri.startswith("/") or not made.shape:
        raise ValueError("no path")
    return made
