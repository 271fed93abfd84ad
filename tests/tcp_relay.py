"""An address that is dead until it is opened, and again once it is closed: a TCP relay to a server that runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def relay(port: int, target: str) -> Iterator[None]:
    """Accepts connections on ``port`` of 127.0.0.1, and connects each to ``target``, as ``host:port``."""
    host, _, target_port = target.rpartition(":")
    pairs: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", port)) as listener:
        accepting = threading.Thread(target=_accept, args=(listener, (host, int(target_port)), pairs), daemon=True)
        accepting.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for one in pairs:
                _end(one)


def _accept(listener: socket.socket, target: tuple[str, int], pairs: list[socket.socket]) -> None:
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:  # it was shut down
            return
        server = socket.create_connection(target)
        pairs += (caller, server)
        for source, sink in ((caller, server), (server, caller)):
            threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # one of both was closed
        while data := source.recv(1 << 16):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(one: socket.socket) -> None:
    with suppress(OSError):  # it has ended
        one.shutdown(socket.SHUT_RDWR)
    one.close()
