"""Settings of a gateway: immutable values, passed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from retriton_client import Role, Tls, Truncate
from retriton_pipeline.generation import LLM


@dataclass(frozen=True)
class ConnectionBounds:
    """Limits of connections. They hold before a request is authenticated.

    Attributes:
        connections: open at a time; of more, the one that has waited longest for a request is closed.
        head_bytes: of a request's head; of the chunk sizes, extensions and trailers of a body beyond those of chunks
            of one byte; and of each piece of data that is parsed at once.
        headers: of a request.
        head_s: seconds until the head is complete.
        pipelined: requests that wait for the response to an earlier one of the same connection.
        unread_bytes, unread_s: of a body that follows after its response, and the seconds until it is complete.
        refused_s: seconds for which a refused peer keeps its connection, of which nothing more is read: otherwise it
            could cause the next refusal at once.
        send_bytes, send_s: bytes that a peer must read in so many seconds while a response waits to be sent.
    """

    connections: int = 2048
    head_bytes: int = 65_536
    headers: int = 128
    head_s: float = 10.0
    pipelined: int = 16
    unread_bytes: int = 16 * 1024 * 1024
    unread_s: float = 5.0
    refused_s: float = 0.5
    send_bytes: int = 32_768
    send_s: float = 15.0


@dataclass(frozen=True)
class Bounds:
    """Limits of the gateway. Requests beyond them are rejected with a message that names the limit.

    Attributes:
        requests: concurrent requests; more are rejected with 429. A key may have eight times as many as are left.
        body_bytes: of a JSON request.
        upload_bytes: of an upload request.
        held_bytes: of all requests and responses in memory.
        body_bytes_per_s: of a request's body, after the first 15 seconds.
        retrievals: concurrent retrievals, which share calls to Milvus; others wait.
        pending: results of the playground API that were not fetched yet.
        pending_bytes: of all these results together.
        pending_s: seconds until such a result is discarded.
        jobs, jobs_per_key: uploads in the queue or on their way to it.
        jobs_bytes, jobs_bytes_per_key: of these uploads together.
        files, files_bytes: of OpenAI's files API. A key may have eight times as much as is left.
        vector_stores: of all keys; likewise.
        vector_store_files: of one vector store.
    """

    requests: int = 512
    body_bytes: int = 16 * 1024 * 1024
    upload_bytes: int = 256 * 1024 * 1024
    held_bytes: int = 1024 * 1024 * 1024
    body_bytes_per_s: int = 4096
    retrievals: int = 64
    pending: int = 1024
    pending_bytes: int = 256 * 1024 * 1024
    pending_s: float = 300.0
    jobs: int = 64
    jobs_per_key: int = 16
    jobs_bytes: int = 4 * 1024 * 1024 * 1024
    jobs_bytes_per_key: int = 1024 * 1024 * 1024
    files: int = 10_000
    files_bytes: int = 16 * 1024 * 1024 * 1024
    vector_stores: int = 1000
    vector_store_files: int = 10_000


@dataclass(frozen=True)
class Settings:
    """The backends of a gateway, and its defaults.

    Attributes:
        url: ``host:port`` of Triton's gRPC endpoint, or ``dns:///host:port`` of several.
        next_url: likewise of a server with another encoder, for collections that were made with it; empty for none.
        tls: encrypts the connections to Triton.
        milvus, milvus_token: file name or address of Milvus, and its token.
        collection: default of requests.
        llm: answers chat completions; without one they are rejected.
        keys_file: names and digests of API keys; None accepts every request that passes the origin check.
        hosts: host names for the origin check, besides the address and ``localhost``.
        aliases: additional names of the embedding model, for clients that require a certain one.
        input_type: default role of texts; None rejects requests without a role, if the encoder's prompts differ.
        truncate: for texts that are too long, in requests that do not say: NONE refuses them, START and END drop
            tokens from that side.
        token_ids: accepts token ids as those of the served tokenizer, without a header that says so.
        origins: origins of pages that may use the gateway from a browser, besides its own.
        timeout_s: seconds until a response must start.
        poll_after_s: seconds after which a result of the playground API has to be fetched.
        prompt_tokens: budget of prompts.
        prompt_tokenizer: the LLM's ``tokenizer.json``, or its id on the hub; empty for the served encoder's tokenizer.
        result_cache_s: seconds for which the results of repeated questions are used; 0 for none.
        files: folder of uploaded files, and of the records of files, vector stores and upload jobs; None for one beside
            the Milvus Lite file. With a Milvus server and no folder, there are no files and vector stores, and upload
            jobs end with the gateway.
        bounds: see `Bounds`.
    """

    url: str
    milvus: str
    milvus_token: str = field(default="", repr=False)
    next_url: str = ""
    tls: Tls | None = None
    collection: str = "documents"
    llm: LLM | None = None
    keys_file: Path | None = None
    hosts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    input_type: Role | None = None
    truncate: Truncate = "NONE"
    token_ids: bool = False
    origins: tuple[str, ...] = ()
    timeout_s: float = 60.0
    poll_after_s: float = 1.0
    prompt_tokens: int = 2048
    prompt_tokenizer: str = ""
    result_cache_s: float = 0.0
    files: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)

    @property
    def files_folder(self) -> Path | None:
        """``files``, or its default: what belongs together is kept together, and neither is lost without notice."""
        if self.files or "://" in self.milvus:
            return self.files
        return Path(self.milvus).with_suffix(".files")
