"""Which line of the app sent a statement, as the recorder saw it or a traceback tells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from aiimprove.detectors.tracebacks import Crash, own_file
from aiimprove.finding import Json


@dataclass(frozen=True)
class Sent:
    """A place in the app's own files, relative to its service, and the statement when it is known."""

    file: str
    function: str
    line: int
    sql: str = ""

    @classmethod
    def of(cls, crash: Crash) -> Sent:
        """Where an exception came from."""
        file, _, function = crash.place.partition(":")
        return cls(file, function, crash.line)


def senders(folder: Path, text: str, root: Path) -> Sent | None:
    """The line that sent the last recorded statement with this text in it, as it stands, so that its quotes are quotes
    of the statement; None when none was recorded, or when no file of the app was under way."""
    found = [row for file in sorted(folder.glob("*.jsonl")) for row in _rows(file)
             if text and text.lower() in str(row.get("sql", "")).lower()]
    for row in reversed(found):
        for name, line, function in row.get("sent_by", ()):
            if file := own_file(name, root):
                return Sent(file, function, line, row["sql"])
    return None


def _rows(file: Path) -> list[dict[str, Json]]:
    """What one process recorded; a line that is being written is left out."""
    lines = file.read_text("utf-8", "replace").split("\n")[:-1]
    return [json.loads(line) for line in lines if line.startswith("{")]
