"""What stands between the product and its broker, and can fall silent with connections open."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 65536  # bytes


class Proxy:
    """Passes everything on; after so many pieces of the server's, or when told to, nothing more."""

    def __init__(self, host: str, port: int) -> None:
        self.answers = float("inf")
        self.is_silent = threading.Event()
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets = [self._listener]
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
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
def proxy(host: str, port: int) -> Iterator[Proxy]:
    proxy = Proxy(host, port)
    try:
        yield proxy
    finally:
        proxy.close()
