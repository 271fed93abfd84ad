"""A connection to Milvus: every call bounded in time, every failure a `StoreError`."""

from __future__ import annotations

import re
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_pipeline.errors import NoSuchCollection, StoreError
from retriton_pipeline.store import lite

# Without a timeout pymilvus repeats a failing call 75 times, for minutes.
_TIMEOUT_S = 30.0
_KEYWORDS_SINCE = (2, 5)  # the version of Milvus


class Milvus:
    """A file of Milvus Lite, or a server.

    Args:
        uri: a file name that ends in .db, or ``http://host:port``.
        token: ``user:password`` or an API key of a server.
        create: whether to create a file that does not exist.

    Raises:
        StoreError: Milvus cannot be reached, or the file is in use or broken.
    """

    def __init__(self, uri: str, token: str = "", create: bool = True) -> None:
        self.uri = uri
        self.is_file = "://" not in uri
        if self.is_file:
            if not uri.endswith(".db"):
                raise StoreError(f"{uri} is neither http://host:port nor a Milvus Lite file, whose name ends in .db")
            if not create and not Path(uri).exists():
                raise NoSuchCollection(f"there is no file {uri}: run `retriton ingest` first")
            Path(uri).absolute().parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            if self.is_file:
                lite.acquire(uri)
                undo.callback(lite.release, uri)
            self.client = self._connect(token)
            undo.pop_all()

    def _connect(self, token: str) -> MilvusClient:
        try:
            with warnings.catch_warnings():
                # Milvus Lite 2.5 imports pkg_resources, which warns on every start that it will go away.
                warnings.filterwarnings("ignore", message=".*pkg_resources")
                # A shared connection stays open, and Milvus Lite's server with it.
                return MilvusClient(self.uri, token=token, timeout=_TIMEOUT_S, dedicated=self.is_file)
        except (MilvusException, OSError, ValueError) as error:
            hint = "Is the file damaged?" if self.is_file else "Is Milvus running there?"
            raise StoreError(f"cannot open {self.uri}: {_text(error)}. {hint}") from error

    def close(self) -> None:
        """Closes the connection, and lets go of the file."""
        try:
            self.client.close()
        finally:
            if self.is_file:
                lite.release(self.uri)

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What `pymilvus.MilvusClient` calls ``method``.

        Raises:
            StoreError: Milvus refused, or did not answer in time.
        """
        try:
            return getattr(self.client, method)(*args, timeout=_TIMEOUT_S, **kwargs)
        except (MilvusException, grpc.RpcError) as error:
            raise StoreError(f"{self.uri}: {_text(error)}") from error

    def has(self, collection: str) -> bool:
        """Whether there is a collection, or an alias, of that name."""
        return bool(self.call("has_collection", collection))

    def supports_bm25(self) -> bool:
        """Whether it has BM25. An older server crashes when it is asked for it."""
        if self.is_file:
            return True
        numbers = re.findall(r"\d+", self.call("get_server_version"))[:2]
        return tuple(map(int, numbers)) >= _KEYWORDS_SINCE


def _text(error: Exception) -> str:
    details = getattr(error, "details", None)
    return str(getattr(error, "message", "") or (details() if callable(details) else "") or error)
