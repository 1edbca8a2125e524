"""The last words of a program to those who listen to it without an end: WebSockets and event streams.

What a program leaves open when it ends is cut, and a cut is an error for whoever listens. So the shim takes a second
descriptor of these connections before it ends the program, and once that is gone it closes them as their protocol
wants it (RFC 6455, 5.5.1 and 7.4: close code 1012, service restart; RFC 9112, 7.1: the last chunk). The gateway opens
them from addresses of their own (gateway/answering.py), which is how they are known.
"""

import contextlib
import os
import socket

from aiimprove.shim.notes import session_of
from aiimprove.shim.sockets import sockets_of

WORDS = {"127.0.0.11": b"\x88\x02\x03\xf4", "127.0.0.12": b"0\r\n\r\n"}
_MOST_LEFT = 1 << 20

Held = list[tuple[socket.socket, bytes]]


def listeners(leader: int) -> Held:
    """The connections of a session of processes that get last words."""
    held: dict[object, tuple[socket.socket, bytes]] = {}
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        if session_of(pid) != leader:
            continue
        for own in _connections(pid):
            with contextlib.suppress(OSError):
                peer = own.getpeername()
                if peer[0] in WORDS:
                    held.setdefault(peer, (own, WORDS[peer[0]]))
    return list(held.values())


def _connections(pid: int) -> list[socket.socket]:
    with contextlib.suppress(OSError):
        pidfd = os.pidfd_open(pid)
        try:
            return sockets_of(pidfd, pid)
        finally:
            os.close(pidfd)
    return []


def say_goodbye(held: Held) -> None:
    """Says the last words and closes; where the program had closed by itself, nobody hears them."""
    for own, words in held:
        with contextlib.suppress(OSError):
            own.setblocking(False)
            own.send(words)
            own.shutdown(socket.SHUT_WR)
            own.recv(_MOST_LEFT)  # closing with something unread would take the last words back
        own.close()
