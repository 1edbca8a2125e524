"""Reading one address of the web: guarded, bounded in size and time, redirects checked like the first address."""

import contextlib
import http.client
import socket
import ssl
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from library.guard import AddressRefused, Guard
from library.values import web_address

USER_AGENT = "VideoLibraryBot/1.0"
REDIRECTS = {301, 302, 303, 307, 308}
MAX_ADDRESSES = 3

Connect = Callable[[tuple[str, int], float], socket.socket]
Permit = Callable[[str], None]


class FetchFailed(Exception):
    """The address could not be read; the message says why."""


@dataclass(frozen=True)
class Limits:
    """bytes: of a body, also when unpacked; seconds: for one address with all its redirects."""

    bytes: int = 5_000_000
    seconds: float = 8.0
    connect_seconds: float = 3.0
    redirects: int = 5


@dataclass(frozen=True)
class Document:
    """What an address gave. `url` is where the redirects ended."""

    url: str
    status: int
    content_type: str
    body: bytes


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was checked, instead of resolving the host a second time."""

    def __init__(self, host: str, port: int, checked: list[str], tls: bool, limits: Limits, connect: Connect) -> None:
        super().__init__(host, port, timeout=limits.seconds)
        self.default_port = 443 if tls else 80
        self._checked, self._tls, self._limits, self._open = checked[:MAX_ADDRESSES], tls, limits, connect
        self._cut = False
        # http.client forgets its socket as soon as an answer without a length begins.
        self._wire: socket.socket | None = None

    def connect(self) -> None:
        failure: OSError = OSError("the host has no address")
        for address in self._checked:
            try:
                raw = self._open((address, self.port), self._limits.connect_seconds)
                break
            except OSError as error:
                failure = error
        else:
            raise failure
        raw.settimeout(self._limits.seconds)
        self.sock = self._wire = raw
        if self._cut:
            raise TimeoutError("connected too late")
        if self._tls:
            self.sock = self._wire = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)

    def cut(self) -> None:
        """End a transfer that another thread is waiting for, or is about to begin."""
        self._cut = True
        if self._wire is not None:
            with contextlib.suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)


class Fetcher:
    """Fetches for one thread; `abort` may be called from any."""

    def __init__(self, guard: Guard, limits: Limits | None = None, connect: Connect | None = None) -> None:
        self._guard = guard
        self._limits = limits or Limits()
        self._connect: Connect = connect or (lambda address, timeout: socket.create_connection(address, timeout))
        self._current: _Connection | None = None
        self._aborted = threading.Event()

    def get(self, url: str, permit: Permit = lambda url: None) -> Document:
        """Read the address. `permit` is asked before each hop and raises to refuse it.

        Raises FetchFailed; an answer of any status but a redirect is a Document.
        """
        late = threading.Event()
        watch = threading.Timer(self._limits.seconds, self._cut, [late])
        watch.daemon = True
        watch.start()
        try:
            return self._follow(url, permit, late)
        except AddressRefused as error:
            raise FetchFailed(str(error)) from error
        except (OSError, http.client.HTTPException, zlib.error, ValueError) as error:
            raise FetchFailed(self._reason(error, late)) from error
        finally:
            watch.cancel()

    def abort(self) -> None:
        """End the transfer that runs now and refuse new ones."""
        self._aborted.set()
        if self._current is not None:
            self._current.cut()

    def _cut(self, late: threading.Event) -> None:
        late.set()
        if self._current is not None:
            self._current.cut()

    def _follow(self, url: str, permit: Permit, late: threading.Event) -> Document:
        for _ in range(self._limits.redirects + 1):
            permit(url)
            answer = self._once(url, late)
            if isinstance(answer, Document):
                return answer
            url = answer
        raise FetchFailed(f"more than {self._limits.redirects} redirects")

    def _once(self, url: str, late: threading.Event) -> Document | str:
        parts = urlsplit(url)
        tls, host = parts.scheme == "https", parts.hostname or ""
        port = parts.port or (443 if tls else 80)
        checked = self._guard.addresses(host, port)
        connection = _Connection(host, port, checked, tls, self._limits, self._connect)
        self._current = connection
        if late.is_set() or self._aborted.is_set():
            connection.cut()
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip"})
            answer = self._read(url, connection.getresponse())
        finally:
            self._current = None
            connection.close()
        if late.is_set() or self._aborted.is_set():
            raise TimeoutError("cut off")
        return answer

    def _reason(self, error: Exception, late: threading.Event) -> str:
        if self._aborted.is_set():
            return "stopped"
        return f"no whole answer within {self._limits.seconds:g} s" if late.is_set() else str(error) or repr(error)

    def _read(self, url: str, response: http.client.HTTPResponse) -> Document | str:
        if response.status in REDIRECTS:
            target = web_address(response.getheader("Location", ""), url)
            if target is None:
                raise FetchFailed("a redirect without an address")
            return target
        body = response.read(self._limits.bytes + 1)
        if response.getheader("Content-Encoding", "").lower() == "gzip":
            body = zlib.decompressobj(wbits=31).decompress(body, self._limits.bytes + 1)
        if len(body) > self._limits.bytes:
            raise FetchFailed(f"larger than {self._limits.bytes} bytes")
        return Document(url, response.status, response.getheader("Content-Type", ""), body)
