"""gRPC client of a Retriton server: sends text, returns float32 vectors.

with Client("127.0.0.1:8001") as client:
    vectors = client.embed_queries(["what is dynamic batching?"])  # float32 [1, dimension]
"""

from retriton_client._async import AsyncClient
from retriton_client._config import Limits, Retry, Tls
from retriton_client._exceptions import (
    DeadlineExceeded,
    ForkedProcess,
    InvalidRequest,
    NotInstalled,
    Overloaded,
    RetritonError,
    ServerFault,
    TextTooLong,
    Unavailable,
    WrongEncoder,
)
from retriton_client._sync import Client
from retriton_client._types import Embeddings, EncoderInfo, RerankerInfo, Role, Scores, Truncate

__all__ = [
    "AsyncClient",
    "Client",
    "DeadlineExceeded",
    "Embeddings",
    "EncoderInfo",
    "ForkedProcess",
    "InvalidRequest",
    "Limits",
    "NotInstalled",
    "Overloaded",
    "RerankerInfo",
    "RetritonError",
    "Retry",
    "Role",
    "Scores",
    "ServerFault",
    "TextTooLong",
    "Tls",
    "Truncate",
    "Unavailable",
    "WrongEncoder",
]
