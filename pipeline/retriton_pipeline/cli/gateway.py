"""`retriton gateway` and `retriton key`."""

from __future__ import annotations

from typing import Annotated

import typer

from retriton_client import Tls
from retriton_pipeline.cli.gateway_options import PREFIX, GatewayOptions
from retriton_pipeline.cli.option_groups import expand, of_dataclass
from retriton_pipeline.cli.options import CONNECTION, LLM_OPTIONS, Connection, LLMOptions
from retriton_pipeline.gateway import Bounds, Listen, Settings, listen, new_key


@expand(connection=CONNECTION, llm=LLM_OPTIONS, options=of_dataclass(GatewayOptions))
def gateway(
    connection: Connection,
    llm: LLMOptions,
    options: GatewayOptions,
    host: Annotated[str, typer.Option(envvar=f"{PREFIX}HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar=f"{PREFIX}HTTP_PORT", help="Port for HTTP.")] = 8080,
    grace: Annotated[
        float,
        typer.Option(envvar=f"{PREFIX}GRACE", help="Seconds to finish accepted requests after Ctrl-C or SIGTERM."),
    ] = 30.0,
) -> None:
    """Serve HTTP in front of Triton, Milvus and an LLM.

    Embeddings, reranking, retrieval, answers, document upload, and a web page. With OTEL_EXPORTER_OTLP_ENDPOINT set,
    every request is traced.
    """
    settings = Settings(
        url=connection.url,
        next_url=connection.next_url,
        milvus=connection.milvus,
        milvus_token=connection.milvus_token,
        tls=Tls.from_environment(),
        collection=connection.collection,
        llm=llm.llm,
        keys_file=options.api_keys,
        hosts=tuple(options.host_name or ()),
        aliases=tuple(options.alias or ()),
        input_type=options.input_type,
        truncate=options.truncate,
        token_ids=options.token_ids,
        origins=tuple(options.origin or ()),
        timeout_s=options.timeout,
        poll_after_s=options.poll_after,
        prompt_tokens=options.prompt_tokens,
        prompt_tokenizer=options.prompt_tokenizer,
        result_cache_s=options.result_cache,
        files=options.files,
        bounds=Bounds(requests=options.requests),
    )
    listen(settings, Listen(host, port, options.tls_cert, options.tls_key, grace, options.keep_alive))


def key(name: Annotated[str, typer.Argument(help="Name of the key's owner.")]) -> None:
    """Create an API key for the gateway.

    The key is printed once, on standard error; its line for the key file goes to standard output.
    """
    secret, line = new_key(name)
    typer.echo(f"API key (keep it: it is not stored): {secret}", err=True)
    typer.echo(line)
