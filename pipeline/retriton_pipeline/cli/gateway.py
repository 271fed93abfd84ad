"""`retriton gateway` and `retriton key`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from retriton_client import Tls
from retriton_pipeline.cli.option_groups import expand
from retriton_pipeline.cli.options import CONNECTION, LLM_OPTIONS, Connection, LLMOptions
from retriton_pipeline.gateway import Bounds, Listen, Settings, listen, new_key


@expand(connection=CONNECTION, llm=LLM_OPTIONS)
def gateway(
    connection: Connection,
    llm: LLMOptions,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for HTTP.")] = 8080,
    api_keys: Annotated[
        Path | None,
        typer.Option(
            envvar="RETRITON_API_KEYS_FILE",
            help="A file of API keys, from `retriton key`; read again when it changes. Default: anyone has access.",
        ),
    ] = None,
    host_name: Annotated[
        list[str] | None, typer.Option(help="A host name to accept when there are no API keys; repeatable.")
    ] = None,
    alias: Annotated[list[str] | None, typer.Option(help="Another name of the embedding model; repeatable.")] = None,
    input_type: Annotated[
        Literal["query", "passage"] | None,
        typer.Option(help="Input type of requests that do not name one. Default: such requests are refused."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds until a response must begin.")] = 60.0,
    poll_after: Annotated[
        float, typer.Option(help="Seconds after which a response of the playground API must be fetched by polling.")
    ] = 1.0,
    requests: Annotated[int, typer.Option(min=1, help="Maximum concurrent requests.")] = Bounds.requests,
    prompt_tokens: Annotated[int, typer.Option(help="Token budget of prompts.")] = 2048,
    result_cache: Annotated[
        float,
        typer.Option(
            envvar="RETRITON_RESULT_CACHE_SECONDS",
            min=0.0,
            help="Seconds for which the passages of repeated questions are kept; a write through this gateway ends it. "
            "0: never.",
        ),
    ] = 0.0,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate for HTTPS, in PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Private key of that certificate.")] = None,
    grace: Annotated[float, typer.Option(help="Seconds to finish accepted requests after Ctrl-C or SIGTERM.")] = 30.0,
) -> None:
    """Serve HTTP in front of Triton, Milvus and an LLM.

    Embeddings, reranking, retrieval, answers, document upload, and a web page. With OTEL_EXPORTER_OTLP_ENDPOINT set,
    every request is traced.
    """
    settings = Settings(
        url=connection.url,
        milvus=connection.milvus,
        milvus_token=connection.milvus_token,
        tls=Tls.from_environment(),
        collection=connection.collection,
        llm=llm.llm,
        keys_file=api_keys,
        hosts=tuple(host_name or ()),
        aliases=tuple(alias or ()),
        input_type=input_type,
        timeout_s=timeout,
        poll_after_s=poll_after,
        prompt_tokens=prompt_tokens,
        result_cache_s=result_cache,
        bounds=Bounds(requests=requests),
    )
    listen(settings, Listen(host, port, tls_cert, tls_key, grace))


def key(name: Annotated[str, typer.Argument(help="Name of the key's owner.")]) -> None:
    """Create an API key for the gateway.

    The key is printed once, on standard error; its line for the key file goes to standard output.
    """
    secret, line = new_key(name)
    typer.echo(f"API key (keep it: it is not stored): {secret}", err=True)
    typer.echo(line)
