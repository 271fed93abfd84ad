"""Options that several commands share. Each also has an environment variable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from retriton_client import Retry
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.generation.llm import LLM
from retriton_pipeline.retrieval import Turn

IMPATIENT = Retry(attempts_max=4)  # somebody waits at the terminal: a missing server is named within a second
DEFAULT_MILVUS = ".retriton/milvus.db"
DEFAULT_REPOSITORY = Path("model_repository")
DEFAULT_SERVER_ENV = Path(".venv-server")

Url = Annotated[
    str, typer.Option(envvar="RETRITON_URL", help="host:port of the server's gRPC endpoint; RETRITON_TLS_CA encrypts.")
]
Milvus = Annotated[
    str,
    typer.Option(envvar="RETRITON_MILVUS_URI", help="A file for Milvus Lite, or http://host:port of a Milvus server."),
]
MilvusToken = Annotated[
    str, typer.Option(envvar="RETRITON_MILVUS_TOKEN", help="user:password or API key of a Milvus server.")
]
Collection = Annotated[str, typer.Option(envvar="RETRITON_COLLECTION", help="The collection of chunks in Milvus.")]
TopK = Annotated[int, typer.Option("--top-k", "-k", help="How many passages.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
ModelRepository = Annotated[
    Path, typer.Option(envvar="RETRITON_MODEL_REPOSITORY", help="The folder that Triton serves.")
]
ServerEnv = Annotated[
    Path,
    typer.Option(envvar="RETRITON_SERVER_ENV", help="The environment with nvidia-pytriton and retriton[serving]."),
]

# How passages are looked for
Mode = Annotated[
    str,
    typer.Option(
        envvar="RETRITON_MODE",
        help="dense (vectors), bm25 (words), hybrid (both), or auto: hybrid where the collection has a keyword index.",
    ),
]
Fusion = Annotated[str, typer.Option(help="Of hybrid searches: weighted (scores) or rrf (ranks).")]
DenseWeight = Annotated[float, typer.Option(help="Weight of vectors in a weighted fusion; words have the rest.")]
Candidates = Annotated[int, typer.Option(help="Hits of each search that are fused, reranked and diversified.")]
Filter = Annotated[
    str,
    typer.Option(
        "--filter", help="Only passages for which this holds, in Milvus' language: 'metadata[\"year\"] > 2020'."
    ),
]
MinScore = Annotated[
    float | None,
    typer.Option(
        help="Leave out passages that score less: a cosine with --mode dense, otherwise relative to the best."
    ),
]
Diversity = Annotated[float, typer.Option(help="Prefer passages unlike the ones before (MMR), from 0 to 1.")]
Rerank = Annotated[bool, typer.Option("--rerank", help="Let the served cross-encoder order the candidates.")]
Neighbours = Annotated[
    int, typer.Option(help="Chunks before and after each passage, on the same page, that are joined to it.")
]
Hops = Annotated[
    int,
    typer.Option(help="With 2, names in the best passages are looked for, too: for questions over several documents."),
]
History = Annotated[
    Path | None,
    typer.Option(help='What was said before: a JSON file, [{"role": "user", "content": "..."}, ...], oldest first.'),
]
LLMUrl = Annotated[str, typer.Option(envvar="RETRITON_LLM_URL", help="An OpenAI-compatible endpoint, ending in /v1.")]
LLMModel = Annotated[str, typer.Option(envvar="RETRITON_LLM_MODEL", help="The model's name there.")]
LLMKey = Annotated[str, typer.Option(envvar="RETRITON_LLM_API_KEY", help="The key for it.", show_envvar=True)]
LLMTimeout = Annotated[float, typer.Option(help="Seconds to wait for each piece of the answer.")]


def named_llm(url: str, model: str, api_key: str, timeout_s: float) -> LLM | None:
    """The LLM that the options name; None if they name none.

    Raises:
        PipelineError: they name half of one.
    """
    if url and not model:
        raise PipelineError("--llm-url needs --llm-model: the model's name at that endpoint")
    if model and not url:
        raise PipelineError("--llm-model needs --llm-url: the endpoint that serves it")
    return LLM(url, model, api_key, timeout_s) if url else None


def read_history(file: Path | None) -> list[Turn]:
    """The turns in a file; none without a file.

    Raises:
        PipelineError: it is not what `History` says.
    """
    if file is None:
        return []
    try:
        turns = json.loads(file.read_text(encoding="utf-8"))
        said = [turn for turn in turns if turn["role"] in ("user", "assistant", "agent")]
        return [Turn(turn["role"], _content(turn)) for turn in said]
    except (OSError, ValueError, RecursionError) as error:
        raise PipelineError(f"the conversation in {file} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise PipelineError(f"{file} is not a list of objects with 'role' and 'content'") from error


def _content(turn: dict[str, Any]) -> str:
    """What was said, also where it is a list of parts, as chat endpoints take it."""
    content = turn["content"] if "content" in turn else turn["text"]
    if isinstance(content, list):
        return " ".join(part["text"] for part in content if part.get("type") == "text")
    return str(content or "")
