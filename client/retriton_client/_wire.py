"""gRPC connection and input tensors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient

from retriton_client._config import Tls
from retriton_client._exceptions import InvalidRequest

_CHANNEL = [
    ("grpc.enable_http_proxy", 0),  # proxies in the environment are meant for web traffic
    ("grpc.use_local_subchannel_pool", 1),  # otherwise a new client inherits the reconnect backoff of an earlier one
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.lb_policy_name", "round_robin"),  # the default, pick_first, would pin a client to one replica
]


def connect(url: str, tls: Tls | None) -> InferenceServerClient:
    """Creates a connection, which opens on first use.

    Raises:
        OSError: a file of ``tls`` cannot be read.
    """
    if tls is None:
        return InferenceServerClient(url, channel_args=_CHANNEL)
    name = [("grpc.ssl_target_name_override", tls.server_name)] if tls.server_name else []
    files = {"root_certificates": tls.ca, "private_key": tls.key, "certificate_chain": tls.certificate}
    return InferenceServerClient(
        url, ssl=True, channel_args=[*_CHANNEL, *name], **{kind: _path(file) for kind, file in files.items()}
    )


def _path(file: Path | None) -> str | None:
    return None if file is None else str(file)


def text_column(texts: Sequence[str], first_text: int = 0) -> InferInput:
    """Builds the input ``text`` of the embedding lanes, BYTES ``[texts, 1]``.

    Args:
        texts: texts of the request.
        first_text: index of the first one in the caller's list, for errors.

    Raises:
        InvalidRequest: a text is not a string, or cannot be encoded as UTF-8.
    """
    return _bytes_input("text", [[_utf8(text, first_text + place)] for place, text in enumerate(texts)])


def query_and_passages(query: str, passages: Sequence[str], first_passage: int = 0) -> list[InferInput]:
    """Builds the inputs of the reranking lane, BYTES ``[1]`` and ``[passages]``. See `text_column` for errors."""
    return [
        _bytes_input("query", [_utf8(query, 0)]),
        _bytes_input("passages", [_utf8(text, first_passage + place) for place, text in enumerate(passages)]),
    ]


def _bytes_input(name: str, values: list[bytes] | list[list[bytes]]) -> InferInput:
    array = np.array(values, np.object_)
    return InferInput(name, list(array.shape), "BYTES").set_data_from_numpy(array)


def _utf8(text: str, index: int) -> bytes:
    try:
        return text.encode("utf-8")
    except (AttributeError, UnicodeEncodeError) as error:
        raise InvalidRequest(f"text {index} is not a string of Unicode characters: {error}") from None
