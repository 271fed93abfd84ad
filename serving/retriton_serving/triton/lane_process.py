"""One of the processes of a lane: its number, its share of the lane's bounds, and the others.

Triton hands each request to a process that is free. Health is that of all: the process that receives a probe has it
computed by the others first, over a socket in the folder of this start, which only this user can open.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from retriton_serving.batching.request import Request, Tokens, Vectors
from retriton_serving.contract.errors import EncoderUnavailable, RequestRefused
from retriton_serving.contract.models import process_name
from retriton_serving.contract.variables import DRAIN_FOLDER

_ANSWER_S = 3.0  # as long as the supervisor waits
_OK = b"ok"
_MESSAGE_BYTES_MAX = 4096  # a probe is a few tokens, an answer one line


class LaneProcess:
    """A process of a lane.

    Args:
        config: of the model, from Triton.
        instance: the name of Triton's instance; it ends in the number of the process.

    Attributes:
        name: of the process: the lane's, and the number.
        count: processes of the lane.
    """

    def __init__(self, config: dict[str, Any], instance: str) -> None:
        self._lane = str(config["name"])
        self._number = int(instance.rpartition("_")[2])
        self.count = int(config["instance_group"][0]["count"])
        self.name = process_name(self._lane, self._number)
        folder = os.environ.get(DRAIN_FOLDER)
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY) if folder and self.count > 1 else -1

    def share(self, amount: int) -> int:
        """This process's part of a bound of the lane, at least 1."""
        return max(1, -(-amount // self.count))

    @property
    def has_others(self) -> bool:
        """Whether there are other processes, which can be asked."""
        return self._folder >= 0

    def listen(self, submit: Callable[[Request], None]) -> None:
        """Computes the probes of the others from now on; ``submit`` may raise `RequestRefused`."""
        if self.has_others:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(self._address(self._number))
            listener.listen()
            threading.Thread(target=_serve, args=(listener, submit), daemon=True).start()

    def check_others(self, ids: Tokens) -> None:
        """Has every other process compute a probe, all at a time.

        Raises:
            EncoderUnavailable: a process has ended, does not answer, or cannot compute.
        """
        others = [number for number in range(self.count) if number != self._number]
        deadline_s = time.monotonic() + _ANSWER_S
        asked = {number: self._ask(number, ids) for number in others}
        for number, connection in asked.items():
            with connection:
                answer = _receive(connection, deadline_s)
            if answer != _OK:
                reason = answer.decode(errors="replace") or "there is no answer"
                raise EncoderUnavailable(f"process {number} of {self._lane} does not compute: {reason}")

    def _ask(self, number: int, ids: Tokens) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(_ANSWER_S)
        try:
            connection.connect(self._address(number))
            connection.sendall(np.asarray(ids, np.int64).tobytes())
            connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            connection.close()
            raise EncoderUnavailable(f"process {number} of {self._lane} cannot be asked: {error}") from None
        return connection

    def _address(self, number: int) -> str:
        """Through the open folder, because the path of a socket has at most 107 bytes."""
        return f"/proc/self/fd/{self._folder}/{process_name(self._lane, number)}"


class _Answer:
    """Answers a probe of another process."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def succeed(self, vectors: Vectors) -> None:
        self._send(_OK)

    def fail(self, error: RequestRefused) -> None:
        self._send(str(error).encode())

    def is_abandoned(self) -> bool:
        return False

    def _send(self, answer: bytes) -> None:
        with self._connection:
            try:
                self._connection.sendall(answer)
            except OSError:
                return  # the asking process does not wait any more, or has ended


def _serve(listener: socket.socket, submit: Callable[[Request], None]) -> None:
    while True:
        connection, _ = listener.accept()
        ids = np.frombuffer(_receive(connection, time.monotonic() + _ANSWER_S), np.int64)
        answer = _Answer(connection)
        if not len(ids):
            connection.close()
            continue
        try:
            submit(Request([ids], answer, urgent=True))
        except RequestRefused as error:
            answer.fail(error)


def _receive(connection: socket.socket, deadline_s: float) -> bytes:
    """What the other side sends before it ends or the time does; nothing if the connection breaks."""
    received = b""
    try:
        while len(received) < _MESSAGE_BYTES_MAX:
            connection.settimeout(max(0.001, deadline_s - time.monotonic()))
            part = connection.recv(_MESSAGE_BYTES_MAX)
            if not part:
                return received
            received += part
    except OSError:
        return b""
    return received
