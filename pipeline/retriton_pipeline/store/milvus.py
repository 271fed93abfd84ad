"""A connection to Milvus. Every call has a timeout, and every failure raises `StoreError`.

If Milvus Lite ends, the next call starts it again. The calls during which it ended may be the cause, so they fail with
`StoreInterrupted`; only those that Retriton writes itself, without filters and texts of a search, are sent again.
"""

from __future__ import annotations

import logging
import re
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
from pymilvus import MilvusClient
from pymilvus.exceptions import MilvusException

from retriton_client.proxies import is_local
from retriton_pipeline.errors import StoreError, StoreInterrupted
from retriton_pipeline.store import lite
from retriton_pipeline.store.lite_file import check_content, check_file, index_ids, reading_s_max

log = logging.getLogger("retriton.store")

# Without a timeout, pymilvus retries a failing call 75 times, which takes minutes.
_TIMEOUT_S = 30.0
_DIRECT = {"grpc.enable_http_proxy": 0}
_LITE_PAUSES_S = (0.2, 0.5)  # before further attempts: the server that had the file before may still be ending
_BM25_SINCE = (2, 5)  # version of Milvus
_REPEATS_MAX = 2  # of a call during which Milvus Lite ended
_REPEATABLE: tuple[str, ...] = ("upsert", "delete", "query", "load_collection", "list_indexes")
_REPEATABLE += ("has_collection", "list_collections", "describe_collection")
_RETURNED_S = 10.0  # until a process to which the file was lent has ended
_ENDING_S = 1.0  # between the end of a connection and that of the process


class Milvus:
    """A connection to a Milvus Lite file or a Milvus server.

    Args:
        uri: file name that ends in .db, or ``http://host:port``.
        token: ``user:password`` or an API key of the server.
        create: whether to create a missing file.

    Attributes:
        uri, token: as given.
        is_file: whether ``uri`` is a Milvus Lite file.
        client: the client of `pymilvus`.

    Raises:
        StoreError: Milvus cannot be reached, or the file is in use or damaged.
        NoSuchCollection: the file does not exist, and ``create`` is false.
    """

    def __init__(self, uri: str, token: str = "", create: bool = True) -> None:
        self.uri = uri
        self.is_file = "://" not in uri
        self.token = token
        self._process: subprocess.Popen[bytes] | None = None
        self._loaded: set[str] = set()
        self._restarting = threading.Lock()
        if self.is_file:
            check_file(uri, create)
        self._address = str(Path(uri).resolve()) if self.is_file else uri  # a link may change while the file is open
        with ExitStack() as undo:
            if self.is_file:
                lite.acquire(self._address)
                undo.callback(lite.release, self._address)
                check_content(uri)
                index_ids(uri)
            self.client = self._connect()
            undo.pop_all()

    def _connect(self) -> MilvusClient:
        for pause_s in _LITE_PAUSES_S if self.is_file else ():
            try:
                return self._client()
            except (MilvusException, OSError, ValueError):
                lite.stop_server(self._address)
                time.sleep(pause_s)
        try:
            return self._client()
        except (MilvusException, OSError, ValueError) as error:
            hint = "Is the file damaged?" if self.is_file else "Is Milvus running there?"
            raise StoreError(f"cannot open {self.uri}: {_text(error)}. {hint}") from error

    def _client(self) -> MilvusClient:
        with warnings.catch_warnings():
            # Milvus Lite 2.5 imports pkg_resources, which emits a deprecation warning on every start.
            warnings.filterwarnings("ignore", message=".*pkg_resources")
            # pymilvus imports it while it converts the first vectors, which fails now and then in two threads at once.
            with suppress(ImportError):
                import scipy.sparse  # noqa: F401
            if self.is_file:
                self._process = lite.start_server(self._address)
            # A shared connection would stay open and keep Milvus Lite's server running.
            return MilvusClient(
                self._address,
                token=self.token,
                timeout=_TIMEOUT_S,
                dedicated=self.is_file,
                grpc_options=_DIRECT if is_local(self.uri) else {},
            )

    def close(self) -> None:
        """Closes the connection and releases the file."""
        try:
            self.client.close()
        finally:
            if self.is_file:
                lite.release(self._address)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Releases the file inside the ``with`` block, so that another process can open it; no effect on a server.

        Raises:
            StoreError: another process still holds the file after the block, or Milvus Lite does not start.
        """
        if not self.is_file:
            yield
            return
        self.client.close()
        lite.release(self._address)
        try:
            yield
        finally:
            self._take_back()

    def _take_back(self) -> None:
        lite.acquire(self._address, _RETURNED_S)
        self.client = self._connect()
        self._load_again()

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Calls ``method`` of `pymilvus.MilvusClient` with a timeout of 30 s, and returns its result.

        To load a collection of a file, Milvus Lite has more time: it reads the file (see `reading_s_max`).

        Raises:
            StoreInterrupted: Milvus Lite ended during the call, or Milvus did not respond in time.
            StoreError: Milvus refused the call.
        """
        for repeat in range(_REPEATS_MAX + 1):
            try:
                result = self._call(method, *args, **kwargs)
            except StoreInterrupted:
                if repeat == _REPEATS_MAX or method not in _REPEATABLE or not self._has_ended():
                    raise
            else:
                break
        if method == "load_collection":
            self._loaded.add(args[0])
        return result

    def pages(self, collection: str, **kwargs: Any) -> Iterator[list[dict[str, Any]]]:
        """Yields the rows of a query in pages. Raises as `call`."""
        pages = self.call("query_iterator", collection, **kwargs)
        with self._errors(self._process):
            while rows := pages.next():
                yield rows
            pages.close()

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        self._restart()
        timeout_s = self._loading_s_max() if method == "load_collection" else _TIMEOUT_S
        with self._errors(self._process):
            return getattr(self.client, method)(*args, timeout=timeout_s, **kwargs)

    @contextmanager
    def _errors(self, process: subprocess.Popen[bytes] | None) -> Iterator[None]:
        try:
            yield
        except (MilvusException, grpc.RpcError) as error:
            text = _text(error)
            if process and ("unavailable" in text.lower() or _code(error) == grpc.StatusCode.UNAVAILABLE):
                with suppress(subprocess.TimeoutExpired):
                    process.wait(_ENDING_S)
            if process and process.poll() is not None:
                raise StoreInterrupted(f"{self.uri}: Milvus Lite ended ({process.poll()}) during the call") from error
            if _code(error) == grpc.StatusCode.DEADLINE_EXCEEDED or "Retry timeout" in text:
                raise StoreInterrupted(f"{self.uri} did not respond in time: {text}") from error
            raise StoreError(f"{self.uri}: {text}") from error

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _restart(self) -> None:
        """Connects again if Milvus Lite has ended, and loads the collections that were loaded."""
        with self._restarting:
            if not self._has_ended():
                return
            log.warning("Milvus Lite ended (%s): opening %s again", self._process and self._process.poll(), self.uri)
            self.client.close()
            self.client = self._connect()
            self._load_again()

    def _load_again(self) -> None:
        with self._errors(self._process):
            for collection in self._loaded:
                if self.client.has_collection(collection, timeout=_TIMEOUT_S):
                    self.client.load_collection(collection, timeout=self._loading_s_max())

    def _loading_s_max(self) -> float:
        return _TIMEOUT_S + (reading_s_max(self.uri) if self.is_file else 0.0)

    def has(self, collection: str) -> bool:
        """Returns whether a collection or an alias of that name exists."""
        return bool(self.call("has_collection", collection))

    def errors(self) -> AbstractContextManager[None]:
        """Translates errors of `pymilvus` inside the ``with`` block, for calls that are not those of its client."""
        return self._errors(self._process)

    def server_version(self) -> tuple[int, ...]:
        """Returns the version of the server, for example ``(2, 5, 4)``."""
        return tuple(map(int, re.findall(r"\d+", self.call("get_server_version"))[:3]))

    def supports_bm25(self) -> bool:
        """Returns whether Milvus supports BM25. A server before 2.5 crashes on collections that use it."""
        return self.is_file or self.server_version() >= _BM25_SINCE


def _code(error: Exception) -> Any:
    code = getattr(error, "code", None)
    return code() if callable(code) else code


def _text(error: Exception) -> str:
    details = getattr(error, "details", None)
    return str(getattr(error, "message", "") or (details() if callable(details) else "") or error)
