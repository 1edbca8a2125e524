"""A unix socket's server that lets in so many at once, and sends whoever comes besides away."""

import os
import socketserver
import threading
from typing import Any


class BoundedServer(socketserver.ThreadingUnixStreamServer):
    """Listens at `folder`/socket; one thread for each of at most `most` visitors. The folder is entered, since the
    path of a socket must be short; that of a folder need not be."""

    daemon_threads = True

    def __init__(self, folder: str, request: type[socketserver.BaseRequestHandler], most: int) -> None:
        self._inside = threading.Semaphore(most)
        self.request_queue_size = most
        self.address = f"/proc/self/fd/{os.open(folder, os.O_RDONLY | os.O_DIRECTORY)}/socket"
        if os.path.lexists(self.address):
            os.unlink(self.address)
        super().__init__(self.address, request)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._inside.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._inside.release()
