"""The gRPC connections of a client, and the bounds of its requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from retriton_client._addresses import addresses
from retriton_client._config import Tls
from retriton_client._exceptions import (
    DeadlineExceeded,
    InvalidRequest,
    ServerFault,
    Unavailable,
    translate,
)
from retriton_client._fork import check_fork, is_forked
from retriton_client._replicas import Replica, Replicas
from retriton_client._room import Room


class Attempts:
    """The attempts of one request.

    Attributes:
        number: of the attempts.
        tried: the servers that have refused it since the last pause.
    """

    def __init__(self) -> None:
        self.number = 0
        self.tried: list[Replica] = []


class Connection:
    """Opens on first use, and belongs to one event loop until it, or the loop, is closed.

    Args:
        url: of the server, or of several, separated by commas.
        tls: TLS settings of all of them.
        lanes: the models whose concurrent requests are bounded.
        texts_in_flight: the most texts of concurrent requests of each lane for each server of ``url``.

    Raises:
        InvalidRequest: see `addresses`.
    """

    def __init__(self, url: str, tls: Tls | None, lanes: Iterable[str], texts_in_flight: int) -> None:
        self._url = url
        self._urls = addresses(url)
        self._tls = tls
        self._lanes = tuple(lanes)
        self._texts_in_flight = texts_in_flight * len(self._urls)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._replicas: Replicas | None = None
        self._rooms: dict[str, Room] = {}

    def room(self, lane: str, texts: int, deadline_s: float) -> AbstractAsyncContextManager[None]:
        """Holds room for the texts of a request. Raises `DeadlineExceeded` if there is none before the deadline."""
        self._enter_loop()
        return self._rooms[lane].held(texts, deadline_s)

    async def send(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
        attempts: Attempts,
        first_text: int = 0,
    ) -> list[NDArray[Any]]:
        """Makes one attempt to send a request, and returns ``outputs`` in order.

        Raises:
            RetritonError: the server refused it, or cannot be reached, and whatever `AsyncClient.embed` raises.
        """
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("timed out before the request was sent")
        replicas = self._opened()
        attempts.number += 1
        with replicas.pick(attempts.tried) as replica:
            attempts.tried.append(replica)
            try:
                result = await replica.grpc.infer(
                    model,
                    inputs,
                    outputs=[InferRequestedOutput(name) for name in outputs],
                    client_timeout=left_s,
                    timeout=int(left_s * 1e6),  # the server drops expired requests
                    parameters=parameters,
                )
            except InferenceServerException as error:
                failure = translate(error, replica.url, first_text)
                if isinstance(failure, Unavailable | DeadlineExceeded):
                    replicas.failed(replica, failure)
                raise failure from error
            except asyncio.CancelledError:
                if (task := asyncio.current_task()) and task.cancelling():
                    raise
                closed = Unavailable(f"{self._url}: the client was closed during the call")
                closed.retryable = False
                raise closed from None
        replicas.answered(replica)
        return self._columns(result, model, outputs)

    def pause_s(self, attempts: Attempts, longest_s: float) -> float:
        """The pause before the next attempt: none while there is a server that has not been tried."""
        if self._replicas is not None and self._replicas.has_others(attempts.tried):
            return 0.0
        attempts.tried.clear()
        return longest_s

    async def close(self) -> None:
        """Closes the connections; in a forked process, those of the parent stay open."""
        if self._replicas is None or is_forked():
            return
        self._enter_loop()
        replicas, self._replicas = self._replicas, None
        if replicas is not None:
            await replicas.close()

    def _opened(self) -> Replicas:
        self._enter_loop()
        if self._replicas is None:
            self._replicas = Replicas(self._urls, self._tls)
        return self._replicas

    def _enter_loop(self) -> None:
        check_fork()
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._replicas is not None and self._loop is not None and not self._loop.is_closed():
            raise InvalidRequest("the client is in use in another event loop: make an AsyncClient for each loop")
        self._loop, self._replicas = loop, None
        self._rooms = {lane: Room(self._texts_in_flight) for lane in self._lanes}

    def _columns(self, result: Any, model: str, outputs: tuple[str, ...]) -> list[NDArray[Any]]:
        try:
            columns = [result.as_numpy(name) for name in outputs]
        except (ValueError, TypeError) as error:
            raise ServerFault(f"{self._url}: cannot read the outputs of {model}: {error}") from error
        if any(column is None for column in columns):
            raise ServerFault(f"{self._url}: {model} did not return the outputs {', '.join(outputs)}")
        return columns
