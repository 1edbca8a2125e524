"""The entry of the command line. The hot verb (`status --json`, polled by web pages) is answered by the standard
library alone; everything else goes through Typer's table."""

import os
import signal
import sys


def main() -> None:
    words = sys.argv[1:]
    door = os.environ.get("AIIMPROVE_DOOR")
    if door:
        from commands.through_door import call

        sys.exit(call(door, words))
    if words[:1] == ["status"] and "--json" in words:
        from commands.hot import answered

        try:
            done = answered(words[1:])
        except OSError:
            os._exit(1)  # nobody reads the answer
        if done:
            os._exit(0)  # Python taking itself apart would be a sixth of the whole time
    from commands.table import run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end, a command undoes what it has under way
    sys.exit(run(words))


if __name__ == "__main__":
    main()
