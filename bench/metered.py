"""A command, and the processor seconds of everything that it started: `python bench/metered.py FILE COMMAND ...`.

Writes the seconds into FILE, and ends as the command does. Whoever loses his parent on the way becomes a child of this
one (PR_SET_CHILD_SUBREAPER, prctl(2)), so that nothing that ended before the command is missed; what still runs when
the command ends is not in it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def main(file: str, command: list[str]) -> int:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command)
    ended, status = 0, 0
    while ended != child.pid:
        ended, status = os.wait()
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(file).write_text(f"{used.ru_utime + used.ru_stime:.2f}")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
