"""`retriton gateway` and `retriton key`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from retriton_client import Tls
from retriton_pipeline.cli.options import (
    DEFAULT_MILVUS,
    Collection,
    LLMKey,
    LLMModel,
    LLMTimeout,
    LLMUrl,
    Milvus,
    MilvusToken,
    Url,
    named_llm,
)
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.gateway import Bounds, Listen, Settings, listen, new_key

InputType = Annotated[
    str | None, typer.Option(help="What texts are where a request does not say: query or passage. Default: it must.")
]


def gateway(
    url: Url = "127.0.0.1:8001",
    milvus: Milvus = DEFAULT_MILVUS,
    milvus_token: MilvusToken = "",
    collection: Collection = "documents",
    llm_url: LLMUrl = "",
    llm_model: LLMModel = "",
    llm_api_key: LLMKey = "none",
    llm_timeout: LLMTimeout = 60.0,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for HTTP.")] = 8080,
    api_keys: Annotated[
        Path | None,
        typer.Option(
            envvar="RETRITON_API_KEYS_FILE",
            help="A file of keys, from `retriton key`; read again when it changes. Default: everybody is let in.",
        ),
    ] = None,
    host_name: Annotated[
        list[str] | None, typer.Option(help="A name of this host, for a gateway without keys; repeatable.")
    ] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name for the embedding model; repeatable.")] = None,
    input_type: InputType = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until an answer begins.")] = 60.0,
    poll_after: Annotated[
        float, typer.Option(help="Seconds after which an answer of the playground API has to be fetched.")
    ] = 1.0,
    requests: Annotated[int, typer.Option(min=1, help="The most requests under way.")] = Bounds.requests,
    prompt_tokens: Annotated[int, typer.Option(help="The most tokens of a prompt.")] = 2048,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate for HTTPS, in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key.")] = None,
    grace: Annotated[float, typer.Option(help="Seconds to finish what was accepted, after Ctrl-C or SIGTERM.")] = 30.0,
) -> None:
    """Serve HTTP in front of Triton, Milvus and an LLM: embeddings, reranking, retrieval, answers, and a page.

    With OTEL_EXPORTER_OTLP_ENDPOINT set, every request is traced.
    """
    if input_type not in (None, "query", "passage"):
        raise PipelineError(f"the input type is {input_type!r}, it must be query or passage")
    settings = Settings(
        url=url,
        milvus=milvus,
        milvus_token=milvus_token,
        tls=Tls.from_environment(),
        collection=collection,
        llm=named_llm(llm_url, llm_model, llm_api_key, llm_timeout),
        keys_file=api_keys,
        hosts=tuple(host_name or ()),
        aliases=tuple(alias or ()),
        input_type=input_type,  # type: ignore[arg-type]
        timeout_s=timeout,
        poll_after_s=poll_after,
        prompt_tokens=prompt_tokens,
        bounds=Bounds(requests=requests),
    )
    listen(settings, Listen(host, port, tls_cert, tls_key, grace))


def key(name: Annotated[str, typer.Argument(help="Whose key it is.")]) -> None:
    """Make an API key: it is printed once, and its line for the file of keys."""
    secret, line = new_key(name)
    typer.echo(f"key (keep it; it is stored nowhere): {secret}", err=True)
    typer.echo(line)
