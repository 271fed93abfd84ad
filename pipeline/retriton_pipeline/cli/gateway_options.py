"""Options of the gateway, for `retriton gateway` and for `retriton serve`; they need nothing of the library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

PREFIX = "RETRITON_GATEWAY_"


def _option(variable: str, text: str, least: float | None = None) -> Any:
    return typer.Option(envvar=variable, help=text, min=least, rich_help_panel="Gateway")


@dataclass(frozen=True)
class GatewayOptions:
    """Whom the gateway answers, and how."""

    api_keys: Annotated[
        Path | None,
        _option(
            "RETRITON_API_KEYS_FILE",
            "A file of API keys, from `retriton key`; read again when it changes. Default: anyone has access.",
        ),
    ] = None
    host_name: Annotated[
        list[str] | None,
        _option(f"{PREFIX}HOST_NAMES", "A host name to accept when there are no API keys; repeatable."),
    ] = None
    origin: Annotated[
        list[str] | None,
        _option(
            f"{PREFIX}ORIGINS",
            "An origin whose pages may use the gateway from a browser (CORS), such as https://app.example; repeatable. "
            "With API keys, * stands for all.",
        ),
    ] = None
    alias: Annotated[
        list[str] | None, _option(f"{PREFIX}ALIASES", "Another name of the embedding model; repeatable.")
    ] = None
    input_type: Annotated[
        Literal["query", "passage"] | None,
        _option(
            f"{PREFIX}INPUT_TYPE",
            "Input type of requests that do not name one. Default: such requests are refused, if it matters.",
        ),
    ] = None
    truncate: Annotated[
        Literal["NONE", "START", "END"],
        _option(
            f"{PREFIX}TRUNCATE",
            "For texts that are too long, in requests that do not say: NONE refuses them, START and END drop tokens "
            "from that side.",
        ),
    ] = "NONE"
    token_ids: Annotated[
        bool,
        _option(f"{PREFIX}TOKEN_IDS", "Accept token ids: all clients use the served tokenizer."),
    ] = False
    timeout: Annotated[float, _option(f"{PREFIX}TIMEOUT", "Seconds until a response must begin.", 0.1)] = 60.0
    keep_alive: Annotated[
        float,
        _option(
            f"{PREFIX}KEEP_ALIVE",
            "Seconds for which an idle connection is kept; longer than a proxy in front keeps it.",
            1,
        ),
    ] = 75.0
    poll_after: Annotated[
        float,
        _option(
            f"{PREFIX}POLL_AFTER", "Seconds after which a response of the playground API must be fetched by polling."
        ),
    ] = 1.0
    requests: Annotated[int, _option(f"{PREFIX}REQUESTS", "Maximum concurrent requests.", 1)] = 512
    prompt_tokens: Annotated[int, _option(f"{PREFIX}PROMPT_TOKENS", "Token budget of prompts.")] = 2048
    prompt_tokenizer: Annotated[
        str,
        _option(
            f"{PREFIX}PROMPT_TOKENIZER",
            "The LLM's tokenizer.json, or its id on the hub. Default: the served encoder's tokenizer.",
        ),
    ] = ""
    result_cache: Annotated[
        float,
        _option(
            f"{PREFIX}RESULT_CACHE",
            "Seconds for which the passages of repeated questions are kept, until a write through this gateway. 0: "
            "never.",
            0,
        ),
    ] = 0.0
    files: Annotated[
        Path | None,
        _option(
            f"{PREFIX}FILES",
            "Folder for files and the records of vector stores, on a disk that is kept. Default: beside the Milvus "
            "Lite file; with a Milvus server, there are none.",
        ),
    ] = None
    tls_cert: Annotated[Path | None, _option(f"{PREFIX}TLS_CERT", "Certificate for HTTPS, in PEM.")] = None
    tls_key: Annotated[Path | None, _option(f"{PREFIX}TLS_KEY", "Private key of that certificate.")] = None
