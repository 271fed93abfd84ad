"""gRPC connection and input tensors."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient

from retriton_client._config import Tls
from retriton_client._exceptions import InvalidRequest
from retriton_client._fork import check_fork, opened

_CHANNEL = [
    ("grpc.enable_http_proxy", 0),  # proxies in the environment are meant for web traffic
    ("grpc.use_local_subchannel_pool", 1),  # otherwise a new client inherits the reconnect backoff of an earlier one
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.lb_policy_name", "round_robin"),  # the default, pick_first, would pin a client to one replica
]


def connect(url: str, tls: Tls | None) -> InferenceServerClient:
    """Creates a connection, which opens on first use.

    Raises:
        ForkedProcess: a client was used before this process was forked.
        InvalidRequest: a file of ``tls`` cannot be read, or is none of certificates or keys.
    """
    check_fork()
    if tls is None:
        return opened(InferenceServerClient(url, channel_args=_CHANNEL))
    name = [("grpc.ssl_target_name_override", tls.server_name)] if tls.server_name else []
    files = {"root_certificates": tls.ca, "private_key": tls.key, "certificate_chain": tls.certificate}
    try:
        paths = {kind: _path(file) for kind, file in files.items()}
        _check_files(tls)
        return opened(InferenceServerClient(url, ssl=True, channel_args=[*_CHANNEL, *name], **paths))
    except OSError as error:
        raise InvalidRequest(f"tls: {error.filename} cannot be read: {error.strerror}") from None


def _check_files(tls: Tls) -> None:
    """Reads them as OpenSSL does: with others, each attempt of gRPC fails as if the server could not be reached."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if tls.ca is not None:
            context.load_verify_locations(tls.ca)
        if tls.certificate is not None:
            context.load_cert_chain(tls.certificate, tls.key, password="")
    except ssl.SSLError as error:
        files = ", ".join(str(file) for file in (tls.ca, tls.certificate, tls.key) if file is not None)
        problem = "a file is not PEM, a key is encrypted, or is not that of the certificate"
        raise InvalidRequest(f"tls: {files}: {problem} ({error.reason or error})") from None


def _path(file: Path | None) -> str | None:
    if file is None:
        return None
    with Path(file).open("rb"):  # an error of gRPC, or of OpenSSL, does not name it
        return str(file)


def text_column(texts: Sequence[bytes]) -> InferInput:
    """Builds the input ``text`` of the embedding lanes, BYTES ``[texts, 1]``."""
    return _bytes_input("text", [[text] for text in texts])


def query_and_passages(query: bytes, passages: Sequence[bytes]) -> list[InferInput]:
    """Builds the inputs of the reranking lane, BYTES ``[1]`` and ``[passages]``."""
    return [_bytes_input("query", [query]), _bytes_input("passages", list(passages))]


def _bytes_input(name: str, values: list[bytes] | list[list[bytes]]) -> InferInput:
    array = np.array(values, np.object_)
    return InferInput(name, list(array.shape), "BYTES").set_data_from_numpy(array)
