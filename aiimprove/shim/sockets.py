"""Listening sockets that outlive the program that accepts on them."""

import ctypes
import fcntl
import os
import socket
from typing import Any

_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def above(descriptor: int) -> int:
    """The same descriptor out of the way of 3, 4, ...; closed at exec."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 200)
    os.close(descriptor)
    return moved


def listener(host: str, port: int) -> socket.socket:
    """A listening socket, out of the way of 3, 4, ...; raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    own = socket.socket(family)
    own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        own.bind((host, port))
    except OSError as error:
        own.close()
        raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from error
    own.listen(4096)
    return socket.socket(fileno=above(own.detach()))


def taken_over(pidfd: int, pid: int) -> list[socket.socket]:
    """The listening sockets of a running program, fetched from it; none where the system does not allow that."""
    found: dict[Any, socket.socket] = {}
    for own in sockets_of(pidfd, pid):
        if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            found.setdefault(own.getsockname()[:2], own)
    return list(found.values())


def sockets_of(pidfd: int, pid: int) -> list[socket.socket]:
    """Second descriptors of a program's TCP sockets; none where the system does not allow that."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            if not os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                continue
        except OSError:
            continue
        descriptor = _libc.syscall(_PIDFD_GETFD, pidfd, int(name), 0)
        if descriptor < 0:
            continue
        own = socket.socket(fileno=above(descriptor))
        if own.family != socket.AF_UNIX and own.type == socket.SOCK_STREAM:
            found.append(own)
    return found
