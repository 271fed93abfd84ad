"""How a gateway behaves: frozen values, given once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from retriton_client import Role, Tls
from retriton_pipeline.generation.llm import LLM


@dataclass(frozen=True)
class Bounds:
    """What the gateway takes at the most; more is refused with both numbers.

    Attributes:
        requests: under way at a time; more are answered with 429.
        body_bytes: of a request in JSON.
        upload_bytes: of a request with files.
        retrievals: searches at a time; others wait for their turn.
        pending: answers that wait to be fetched...
        pending_bytes: ...all together...
        pending_s: ...and for so long.
        jobs: uploads that wait to be ingested.
    """

    requests: int = 512
    body_bytes: int = 16 * 1024 * 1024
    upload_bytes: int = 256 * 1024 * 1024
    retrievals: int = 8
    pending: int = 1024
    pending_bytes: int = 256 * 1024 * 1024
    pending_s: float = 300.0
    jobs: int = 64


@dataclass(frozen=True)
class Settings:
    """What a gateway stands before.

    Attributes:
        url: ``host:port`` of Triton's gRPC endpoint, or ``dns:///host:port`` of several.
        tls: how to speak to it, if encrypted.
        milvus, milvus_token: where the vectors are.
        collection: that is searched where a request names none.
        llm: that answers questions; without one, chat completions are refused.
        keys_file: names and digests of API keys; without one, everybody is let in...
        hosts: ...who calls it by its address, ``localhost``, or one of these names.
        aliases: further names of the embedding model, for clients that insist on one.
        input_type: what texts are where a request does not say; None refuses, if the encoder tells roles apart.
        timeout_s: until an answer begins.
        poll_after_s: after which an answer of the playground API has to be fetched.
        prompt_tokens: the budget of prompts.
        bounds: see `Bounds`.
    """

    url: str
    milvus: str
    milvus_token: str = field(default="", repr=False)
    tls: Tls | None = None
    collection: str = "documents"
    llm: LLM | None = None
    keys_file: Path | None = None
    hosts: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    input_type: Role | None = None
    timeout_s: float = 60.0
    poll_after_s: float = 1.0
    prompt_tokens: int = 2048
    bounds: Bounds = field(default_factory=Bounds)
