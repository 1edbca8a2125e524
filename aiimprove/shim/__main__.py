"""`python -I -S __main__.py HOME/spec.json`: detaches and keeps the program of the spec alive.

The spec: {argv, env, cwd, log, stop_seconds, healthy_seconds, longest_pause, listen: [[host, port]...], guard,
whole_family, log_bytes: above which the log begins anew}.
Sockets of `listen` reach the program as descriptors 3, 4, ... In HOME it writes child.json (who the program is) and
state.json (shim, restarts, last_exit, stopped). TERM ends both, HUP reads the spec again and restarts the program.
`guard` is a gateway's folder: when watch.json there is not renewed in time, traffic goes back (see lease.py).
Exit codes: 0 running, detached; 75 another shim keeps this program; 98 an address is taken or the log cannot be opened.
"""

import os
import sys

if __name__ == "__main__":
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from aiimprove.shim.daemon import main

    sys.exit(main(sys.argv[1]))
