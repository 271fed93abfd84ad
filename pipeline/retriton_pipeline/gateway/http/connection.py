"""One HTTP connection: uvicorn's protocol, with bounds on whatever a peer sends before the application reads it.

uvicorn bounds neither heads, trailers and pipelined requests, nor the time a peer takes; and it parses the body of a
request that offers an upgrade (``Upgrade: h2c``) as the next request.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from retriton_pipeline.gateway.http.joined_head import JoinedHead
from retriton_pipeline.gateway.http.unchunked_response import UnchunkedResponse
from retriton_pipeline.gateway.settings import ConnectionBounds

_UNIQUE = (b"host", b"authorization", b"content-length", b"content-type", b"transfer-encoding")
_FRAMING_PER_BODY_BYTE = 8  # chunks of one byte have five bytes around it


class _RefusedError(Exception):
    """Ends the parsing of a request."""


class BoundedConnection(HttpToolsProtocol):
    """Refuses requests beyond the bounds, and closes connections whose peer makes no progress.

    A connection waits when it has no request in progress. If there are too many connections, the one that has waited
    longest is closed.

    Attributes:
        bounds: see `ConnectionBounds`.
        waiting: the connections of this class that wait, the longest first.
    """

    bounds: ClassVar[ConnectionBounds] = ConnectionBounds()
    waiting: ClassVar[dict[BoundedConnection, None]] = {}

    _timer: asyncio.TimerHandle | None = None  # of a head, or of a body that nobody reads
    _send_timer: asyncio.TimerHandle | None = None
    _refusal_timer: asyncio.TimerHandle | None = None
    _unsent_bytes = 0
    _refused_with = 400
    _is_refused = False
    _in_message = False
    _in_head = False
    _has_completed = False  # a request, since the last check
    _head_bytes = 0  # of the names and values in this head
    _pending_bytes = 0  # received of this head, or between messages
    _framing_bytes = 0  # of chunk sizes, extensions and trailers of this body
    _trailers = 0  # of this body
    _unread_bytes = 0  # of this body, after its response

    def __init_subclass__(cls) -> None:
        """Every subclass has its own connections."""
        super().__init_subclass__()
        cls.waiting = {}

    def connection_made(self, transport: Any) -> None:
        """The first request of a new connection must follow in time."""
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            if not self.waiting:
                transport.abort()
                return
            next(iter(self.waiting))._abort()
        self.waiting[self] = None
        self._start_timer(self.bounds.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the timers."""
        self.waiting.pop(self, None)
        self._stop_timer()
        self._stop_send_timer()
        if self._refusal_timer:
            self._refusal_timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parses at most as many bytes at a time as a head may have."""
        self._unset_keepalive_if_required()
        step = self.bounds.head_bytes
        for start in range(0, len(data), step):
            if self._is_over():
                return
            self._feed(data[start : start + step])

    def _feed(self, data: bytes) -> None:
        if self._in_message and not self._in_head:
            self._framing_bytes += len(data)
        try:
            self.parser.feed_data(data)
            self._check_progress(len(data))
        except httptools.HttpParserUpgrade as offer:
            self._ignore_upgrade(data[offer.args[0] :])
        except (httptools.HttpParserError, _RefusedError):
            self._refuse()

    def _check_progress(self, size: int) -> None:
        """After bytes that did not complete a head, or did not belong to a body."""
        if self._has_completed:  # a request; what else these bytes contain is counted from the next ones on
            self._has_completed, self._pending_bytes = False, 0
        elif self._in_head or not self._in_message:
            self._pending_bytes += size
            if self._pending_bytes > self.bounds.head_bytes:
                self._raise(431)
            if self._timer is None:
                self._start_timer(self.bounds.head_s)
        elif self._framing_bytes > self.bounds.head_bytes:
            self._raise(400)

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Parses the request again without the offer: whatever follows its head is its body."""
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if method == b"CONNECT":
            self._refuse()
            return
        lines = [b"%s %s HTTP/%s" % (method, self.url, version.encode())]
        lines += [b"%s: %s" % header for header in self.headers if header[0] not in (b"upgrade", b"http2-settings")]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn
        self._in_message = False
        self._feed(b"\r\n".join(lines) + b"\r\n\r\n")
        if rest and not self._is_over():
            self._feed(rest)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_message = self._in_head = True
        self._head_bytes = 0
        if self._timer is None:
            self._start_timer(self.bounds.head_s)

    def on_url(self, url: bytes) -> None:
        """Counts the bytes of the head."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Counts the headers and their bytes. Trailers are counted and dropped: they are not part of the head."""
        if not self._in_head:
            self._trailers += 1
            if self._trailers > self.bounds.headers:
                self._raise(400)
            return
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= self.bounds.headers:
            self._raise(431)
        if name.lower() in _UNIQUE and any(known == name.lower() for known, _ in self.headers):
            self._raise(400)
        if name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
            self._raise(400)  # a body that others decode, and uvicorn does not
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The admission middleware bounds the body."""
        if self.parser.should_upgrade():
            return
        is_old = self.parser.get_http_version() == "1.0"
        if len(self.pipeline) >= self.bounds.pipelined or not (is_old or any(n == b"host" for n, _ in self.headers)):
            self._raise(400)
        self.expect_100_continue &= not is_old
        self._in_head = False
        self._pending_bytes = self._framing_bytes = self._unread_bytes = self._trailers = 0
        self._stop_timer()
        self.waiting.pop(self, None)
        super().on_headers_complete()  # makes the cycle, which starts after this
        self.cycle.transport = JoinedHead(self.transport, self.loop)  # type: ignore[assignment]
        if is_old:
            self.cycle.__class__ = UnchunkedResponse

    def on_body(self, body: bytes) -> None:
        """A body that nobody reads, because the response is complete, is bounded."""
        self._framing_bytes -= len(body) * (1 + _FRAMING_PER_BODY_BYTE)
        self._framing_bytes = max(self._framing_bytes, -self.bounds.head_bytes)
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > self.bounds.unread_bytes:
                self._raise(413)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The next head may begin."""
        if self.parser.should_upgrade():
            return
        self._in_message, self._has_completed = False, True
        self._stop_timer()
        super().on_message_complete()
        if self.cycle.response_complete:
            self._wait()

    def on_response_complete(self) -> None:
        """The rest of the request, the next one, or the end must follow in time."""
        super().on_response_complete()
        if self._is_refused:
            return
        if self.transport.is_closing():
            self._start_send_timer()
        elif self._in_message and not self._in_head:
            self._start_timer(self.bounds.unread_s)
        elif self.cycle.response_complete:
            self._wait()

    def pause_writing(self) -> None:
        """The peer reads slower than the application writes."""
        super().pause_writing()
        self._start_send_timer()

    def resume_writing(self) -> None:
        """The peer has read."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_send_timer()

    def _wait(self) -> None:
        self.waiting[self] = None
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self._abort)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.bounds.head_bytes:
            self._raise(431)

    def _raise(self, status: int) -> None:
        self._refused_with = status
        raise _RefusedError

    def _refuse(self) -> None:
        """Answers with an error, unless another response is on its way; reads no more, and closes the connection."""
        is_answerable, is_idle = self._may_answer(), self.cycle is None or self.cycle.response_complete
        if is_answerable:
            status = STATUS_LINE[self._refused_with]
            self.transport.write(status + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self._disconnect_application()
        self._is_refused = True
        self._stop_timer()
        if (is_answerable or is_idle) and not self.pipeline:  # the peer must not use the connection again
            if not self.transport.can_write_eof():  # with TLS
                self._close_refused()
                return
            self.transport.write_eof()
        self.pipeline.clear()
        self.transport.pause_reading()
        self.waiting[self] = None
        self._refusal_timer = self.loop.call_later(self.bounds.refused_s, self._close_refused)

    def _disconnect_application(self) -> None:
        """Lets the application of a request that was refused send nothing more."""
        if self.cycle and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def _close_refused(self) -> None:
        self.transport.close()
        self._start_send_timer()

    def _is_over(self) -> bool:
        return self._is_refused or self.transport.is_closing()

    def _may_answer(self) -> bool:
        if self._in_message and not self._in_head:
            return not self.pipeline and not self.cycle.response_started
        return self.cycle is None or self.cycle.response_complete

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._abort)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _start_send_timer(self) -> None:
        if self._send_timer is None:
            self._unsent_bytes = self.transport.get_write_buffer_size()
            self._send_timer = self.loop.call_later(self.bounds.send_s, self._check_sent)

    def _stop_send_timer(self) -> None:
        if self._send_timer:
            self._send_timer.cancel()
            self._send_timer = None

    def _check_sent(self) -> None:
        """Closes the connection if the peer has read less than it must in this time."""
        self._send_timer = None
        sent = self._unsent_bytes - self.transport.get_write_buffer_size()
        if sent < self.bounds.send_bytes:
            self._abort()
        else:
            self._start_send_timer()

    def _abort(self) -> None:
        self.waiting.pop(self, None)
        self.transport.abort()
