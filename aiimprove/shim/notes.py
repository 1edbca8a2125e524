"""What shims and the engine tell each other through files, and who a process is."""

import contextlib
import json
import os
from typing import Any


def say(sentence: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"shim: {sentence}\n".encode())


def stat_of(pid: int) -> tuple[str, int] | None:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])


def session_of(pid: int) -> int:
    """The session of a process that runs; 0 when it does not."""
    stat = stat_of(pid)
    try:
        return os.getsid(pid) if stat and stat[0] not in "ZX" else 0
    except OSError:
        return 0


def children_of(parent: int) -> list[int]:
    """The processes, zombies too, whose parent this is."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat") as stat:
            if int(stat.read().rpartition(")")[2].split()[1]) == parent:
                found.append(int(name))
    return found


def boot_id() -> str:
    with open("/proc/sys/kernel/random/boot_id") as boot:
        return boot.read().strip()


def identity(pid: int) -> dict[str, Any]:
    stat = stat_of(pid)
    return {"pid": pid, "started": stat[1] if stat else 0, "boot": boot_id()}


def runs(who: dict[str, Any]) -> bool:
    stat = stat_of(who["pid"])
    return stat is not None and stat[0] not in "ZX" and stat[1] == who["started"] and who["boot"] == boot_id()


def read_json(path: str) -> dict[str, Any] | None:
    try:
        with open(path) as file:
            content = json.load(file)
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path: str, content: dict[str, Any]) -> bool:
    """Replaces the file in one step; False on a full disk, which costs the note, never the program that is kept."""
    try:
        with open(f"{path}.{os.getpid()}", "w") as file:
            json.dump(content, file)
        os.rename(f"{path}.{os.getpid()}", path)
    except OSError as error:
        say(f"cannot write {path}: {error}")
        return False
    return True
