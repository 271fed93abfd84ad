"""The gRPC connection of a client, and the bounds of its requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from numpy.typing import NDArray
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient

from retriton_client._config import Tls
from retriton_client._exceptions import DeadlineExceeded, InvalidRequest, ServerFault, Unavailable
from retriton_client._fork import check_fork, is_forked
from retriton_client._tasks import slot
from retriton_client._wire import connect


class Connection:
    """Opens on first use, and belongs to one event loop until it, or the loop, is closed.

    Args:
        url, tls: of the server.
        lanes: the models whose concurrent requests are bounded.
        requests_in_flight: the most concurrent requests of each lane.
    """

    def __init__(self, url: str, tls: Tls | None, lanes: Iterable[str], requests_in_flight: int) -> None:
        self._url = url
        self._tls = tls
        self._lanes = tuple(lanes)
        self._requests_in_flight = requests_in_flight
        self._loop: asyncio.AbstractEventLoop | None = None
        self._grpc: InferenceServerClient | None = None
        self._slots: dict[str, asyncio.Semaphore] = {}

    def slot(self, lane: str, deadline_s: float) -> AbstractAsyncContextManager[None]:
        """Holds one of the slots of a lane. Raises `DeadlineExceeded` if none is free before the deadline."""
        self._enter_loop()
        return slot(self._slots[lane], deadline_s)

    async def send(
        self,
        model: str,
        inputs: list[InferInput],
        outputs: tuple[str, ...],
        parameters: dict[str, Any],
        deadline_s: float,
    ) -> list[NDArray[Any]]:
        """Sends one request, and returns ``outputs`` in order.

        Raises:
            InferenceServerException: the server refused it, or cannot be reached.
            DeadlineExceeded, ForkedProcess, InvalidRequest, ServerFault, Unavailable: as for `AsyncClient.embed`.
        """
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("timed out before the request was sent")
        grpc = self._opened()
        try:
            result = await grpc.infer(
                model,
                inputs,
                outputs=[InferRequestedOutput(name) for name in outputs],
                client_timeout=left_s,
                timeout=int(left_s * 1e6),  # the server drops expired requests
                parameters=parameters,
            )
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
            raise Unavailable(f"{self._url}: the client was closed during the call") from None
        return self._columns(result, model, outputs)

    async def close(self) -> None:
        """Closes the connection; in a forked process, that of the parent stays open."""
        if self._grpc is None or is_forked():
            return
        self._enter_loop()
        grpc, self._grpc = self._grpc, None
        if grpc is not None:
            await grpc.close()

    def _opened(self) -> InferenceServerClient:
        self._enter_loop()
        if self._grpc is None:
            self._grpc = connect(self._url, self._tls)
        return self._grpc

    def _enter_loop(self) -> None:
        check_fork()
        loop = asyncio.get_running_loop()
        if loop is self._loop:
            return
        if self._grpc is not None and self._loop is not None and not self._loop.is_closed():
            raise InvalidRequest("the client is in use in another event loop: make an AsyncClient for each loop")
        self._loop, self._grpc = loop, None
        self._slots = {lane: asyncio.Semaphore(self._requests_in_flight) for lane in self._lanes}

    def _columns(self, result: Any, model: str, outputs: tuple[str, ...]) -> list[NDArray[Any]]:
        try:
            columns = [result.as_numpy(name) for name in outputs]
        except (ValueError, TypeError) as error:
            raise ServerFault(f"{self._url}: cannot read the outputs of {model}: {error}") from error
        if any(column is None for column in columns):
            raise ServerFault(f"{self._url}: {model} did not return the outputs {', '.join(outputs)}")
        return columns
