"""What stands between the product and its broker, and can fall silent or be gone for a while."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

PIECE = 65536  # bytes


class Proxy:
    """Passes everything on; after so many pieces of the server's, or when told to, nothing more."""

    def __init__(self, url: str) -> None:
        self.answers = float("inf")
        self.is_silent = threading.Event()
        server = urlsplit(url)
        self._server = (server.hostname, server.port)
        self._port = 0
        self.open()
        self.url = url.replace(f"{server.hostname}:{server.port}", f"127.0.0.1:{self._port}")

    def open(self) -> None:
        """Listen, at the same port as before."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._sockets = [listener]
        threading.Thread(target=self._accept, args=[listener], daemon=True).start()

    def close(self) -> None:
        """Cut all connections, and refuse new ones."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        is_answer = source.getpeername() == self._server
        passed = 0
        with suppress(OSError):
            while piece := source.recv(PIECE):
                if self.is_silent.is_set() or (is_answer and passed >= self.answers):
                    return
                sink.sendall(piece)
                passed += 1
            sink.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(url: str) -> Iterator[Proxy]:
    """Stand before the server of an address; its own `url` is the one to use instead."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
