"""A connection to Milvus. Every call has a timeout, and every failure raises `StoreError`."""

from __future__ import annotations

import re
import time
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_pipeline.errors import NoSuchCollection, StoreError
from retriton_pipeline.store import lite

# Without a timeout, pymilvus retries a failing call 75 times, which takes minutes.
_TIMEOUT_S = 30.0
_LITE_PAUSES_S = (0.2, 0.5)  # before further attempts: the server that had the file before may still be ending
_BM25_SINCE = (2, 5)  # version of Milvus


class Milvus:
    """A connection to a Milvus Lite file or a Milvus server.

    Args:
        uri: file name that ends in .db, or ``http://host:port``.
        token: ``user:password`` or an API key of the server.
        create: whether to create a missing file.

    Attributes:
        uri: as given.
        is_file: whether ``uri`` is a Milvus Lite file.
        client: the client of `pymilvus`.

    Raises:
        StoreError: Milvus cannot be reached, or the file is in use or damaged.
        NoSuchCollection: the file does not exist, and ``create`` is false.
    """

    def __init__(self, uri: str, token: str = "", create: bool = True) -> None:
        self.uri = uri
        self.is_file = "://" not in uri
        if self.is_file:
            if not uri.endswith(".db"):
                raise StoreError(f"{uri} is neither http://host:port nor a Milvus Lite file, whose name ends in .db")
            if not create and not Path(uri).exists():
                raise NoSuchCollection(f"the file {uri} does not exist: run `retriton ingest` first")
            Path(uri).absolute().parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            if self.is_file:
                lite.acquire(uri)
                undo.callback(lite.release, uri)
            self.client = self._connect(token)
            undo.pop_all()

    def _connect(self, token: str) -> MilvusClient:
        for pause_s in _LITE_PAUSES_S if self.is_file else ():
            try:
                return self._client(token)
            except (MilvusException, OSError, ValueError):
                lite.stop_server(self.uri)
                time.sleep(pause_s)
        try:
            return self._client(token)
        except (MilvusException, OSError, ValueError) as error:
            hint = "Is the file damaged?" if self.is_file else "Is Milvus running there?"
            raise StoreError(f"cannot open {self.uri}: {_text(error)}. {hint}") from error

    def _client(self, token: str) -> MilvusClient:
        with warnings.catch_warnings():
            # Milvus Lite 2.5 imports pkg_resources, which emits a deprecation warning on every start.
            warnings.filterwarnings("ignore", message=".*pkg_resources")
            # A shared connection would stay open and keep Milvus Lite's server running.
            return MilvusClient(self.uri, token=token, timeout=_TIMEOUT_S, dedicated=self.is_file)

    def close(self) -> None:
        """Closes the connection and releases the file."""
        try:
            self.client.close()
        finally:
            if self.is_file:
                lite.release(self.uri)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls ``method`` of `pymilvus.MilvusClient` with a timeout of 30 s, and returns its result.

        Raises:
            StoreError: Milvus refused the call, or did not respond in time.
        """
        try:
            return getattr(self.client, method)(*args, timeout=_TIMEOUT_S, **kwargs)
        except (MilvusException, grpc.RpcError) as error:
            raise StoreError(f"{self.uri}: {_text(error)}") from error

    def has(self, collection: str) -> bool:
        """Returns whether a collection or an alias of that name exists."""
        return bool(self.call("has_collection", collection))

    def supports_bm25(self) -> bool:
        """Returns whether Milvus supports BM25. A server before 2.5 crashes on collections that use it."""
        if self.is_file:
            return True
        numbers = re.findall(r"\d+", self.call("get_server_version"))[:2]
        return tuple(map(int, numbers)) >= _BM25_SINCE


def _text(error: Exception) -> str:
    details = getattr(error, "details", None)
    return str(getattr(error, "message", "") or (details() if callable(details) else "") or error)
