"""A launcher that gives up access to files and then becomes another program (Landlock, Linux 5.13 and later).

    python -I landlock.py [--hide FOLDER]... [--share FOLDER]... [--read PATH]... [--write PATH]... -- PROGRAM [WORD]...

Without --hide the program may open nothing but what --read and --write name. With --hide it may read everything that
was there when it started, and write what lies in the shared folders, except what lies in the hidden folders and was
not named by --read or --write.
Where the kernel can (6.12), it may also signal only its own descendants. Exits 125 when the kernel knows no Landlock.
Standard library only: it runs as a script, under any Python 3.11 or later, without the package.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterator, Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_READ = 1 << 0 | 1 << 2 | 1 << 3          # execute, read a file, read a folder
_FILE = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14  # what a rule about a single file may hold
_SIGNALS_AND_ABSTRACT_SOCKETS = 1 << 0 | 1 << 1
_CAPABILITIES = struct.pack("=Ii", 0x20080522, 0)
UNSUPPORTED = 125


def version() -> int:
    """The Landlock ABI of this kernel; 0 when there is none."""
    return max(0, int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)))


def everything(abi: int) -> int:
    """All rights on files that this ABI can take away (moving between folders since 2, truncating since 3)."""
    return (1 << 13) - 1 | (1 << 13 if abi >= 2 else 0) | (1 << 14 if abi >= 3 else 0)


def beside(hidden: Sequence[str]) -> Iterator[str]:
    """Every path that neither is, holds, nor lies in a hidden folder, as few as possible.

    Links are left out: a rule follows them, and one could lead to what is hidden.
    """
    waiting = ["/"]
    while waiting:
        folder = waiting.pop()
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            if any(f"{secret}/".startswith(f"{path}/") for secret in hidden):
                waiting += [] if path in hidden else [path]
            elif not os.path.islink(path):
                yield path


class Rules:
    """A Landlock ruleset under construction."""

    def __init__(self, abi: int) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._all = everything(abi)
        scope = _SIGNALS_AND_ABSTRACT_SOCKETS if abi >= 6 else 0
        wanted = struct.pack("=QQQ", self._all, 0, scope)[:8 if abi < 4 else 16 if abi < 6 else 24]
        self._ruleset = self._call(_CREATE_RULESET, wanted, len(wanted), 0)

    def allow(self, path: str, writing: bool) -> None:
        """Paths that are not there, or that cannot be opened even now, need no rule."""
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        try:
            rights = self._all if writing else self._all & _READ
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                rights &= _FILE
            self._call(_ADD_RULE, self._ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)
        finally:
            os.close(descriptor)

    def enforce(self) -> None:
        """From here on the rules hold, for good, and root is a user like any other (it could look into processes)."""
        nothing = struct.pack("=6I", *[0] * 6)
        if self._libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or self._libc.capset(_CAPABILITIES, nothing):
            raise OSError(ctypes.get_errno(), "rights could not be given up")
        self._call(_RESTRICT_SELF, self._ruleset, 0)
        os.close(self._ruleset)

    def _call(self, number: int, *words: object) -> int:
        answer = int(self._libc.syscall(number, *words))
        if answer < 0:
            raise OSError(ctypes.get_errno(), "Landlock refused")
        return answer


def main(words: Sequence[str]) -> int:
    """Becomes the program, or returns UNSUPPORTED."""
    split = words.index("--")
    options, program = words[:split], words[split + 1:]
    named = {kind: [value for key, value in zip(options[::2], options[1::2], strict=True) if key == kind]
             for kind in ("--hide", "--share", "--read", "--write")}
    abi = version()
    if abi == 0:
        sys.stderr.write("this kernel has no Landlock\n")
        return UNSUPPORTED
    rules = Rules(abi)
    hidden = [os.path.realpath(folder) for folder in named["--hide"]]
    for path in beside(hidden) if hidden else ():
        rules.allow(path, writing=any(f"{path}/".startswith(f"{shared}/") for shared in named["--share"]))
    for shared in named["--share"]:
        if not any(f"{secret}/".startswith(f"{shared}/") for secret in hidden):
            rules.allow(shared, writing=True)
    for kind in ("--read", "--write"):
        for path in named[kind]:
            rules.allow(path, writing=kind == "--write")
    rules.enforce()
    os.execvp(program[0], list(program))
    raise AssertionError("exec returned")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
