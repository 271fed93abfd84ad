"""Calls of `encoder` and `cross_encoder` from outside, which the lanes have neither checked nor scheduled.

They are served, within limits, by one worker of their own: however many callers there are, they slow the lanes down by
no more than one micro-batch that is computed beside theirs.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer

from retriton_serving.contract.errors import Expired, Overloaded, RequestRefused
from retriton_serving.contract.manifest import TOKENIZER_FILE, EncoderSpec
from retriton_serving.engines.inputs import Feed, InputLimits
from retriton_serving.triton.responses import error_response, send


class _Call(NamedTuple):
    feed: Feed
    sender: Any
    deadline_s: float | None


class DirectCalls:
    """Checks, queues and computes direct calls; one at a time, in the order of their arrival.

    Args:
        config: of the model. The parameters ``direct_tokens_max`` and ``direct_waiting_max`` are the limits.
        folder: of the model's files.
        spec: of the model.
        respond: computes a call, and sends the response.
    """

    def __init__(
        self, config: dict[str, Any], folder: Path, spec: EncoderSpec, respond: Callable[[Feed, Any], None]
    ) -> None:
        parameters = {key: value["string_value"] for key, value in config["parameters"].items()}
        tokens_max = max(int(parameters["direct_tokens_max"]), spec.max_tokens)
        vocabulary = Tokenizer.from_file(str(folder / TOKENIZER_FILE)).get_vocab_size()
        self._limits = InputLimits(tokens_max, spec.max_tokens, vocabulary)
        self._waiting: queue.Queue[_Call] = queue.Queue(int(parameters["direct_waiting_max"]))
        self._respond = respond
        threading.Thread(target=self._work, daemon=True).start()

    def submit(self, feed: Feed, sender: Any, timeout_us: int) -> None:
        """Queues a call, or refuses it."""
        try:
            self._limits.check(feed)
            deadline_s = time.monotonic() + timeout_us / 1e6 if timeout_us else None
            self._waiting.put_nowait(_Call(feed, sender, deadline_s))
        except RequestRefused as error:
            send(sender, error_response(error))
        except queue.Full:
            waiting = self._waiting.maxsize
            send(sender, error_response(Overloaded(waiting, waiting, "direct calls are queued")))

    def _work(self) -> None:
        while True:
            call = self._waiting.get()
            if call.sender.is_cancelled() or (call.deadline_s is not None and time.monotonic() > call.deadline_s):
                send(call.sender, error_response(Expired("the deadline passed, or the caller disconnected")))
            else:
                self._respond(call.feed, call.sender)
