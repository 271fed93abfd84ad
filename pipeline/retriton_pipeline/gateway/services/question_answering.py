"""Questions to passages and prompts, as requests ask them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from retriton_client import EncoderInfo
from retriton_pipeline.assembly import Assembled, assemble
from retriton_pipeline.gateway.metrics import GatewayMetrics
from retriton_pipeline.gateway.schemas.common import Body
from retriton_pipeline.gateway.services.collections import Collections
from retriton_pipeline.gateway.services.upstream import Served
from retriton_pipeline.gateway.settings import Settings
from retriton_pipeline.generation.prompt import PromptBuilder
from retriton_pipeline.retrieval import SearchOptions, Turn
from retriton_pipeline.store.indexes import TOP_K_MAX
from retriton_pipeline.tokens import TokenCounter

CollectionName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
_TURNS_MAX = 256


class Asked(Body):
    """How passages are looked for; what is not given is as `retriton ask` has it."""

    collection: CollectionName | None = Field(None, description="The default is the gateway's.")
    top_k: int = Field(5, ge=1, le=TOP_K_MAX, description="How many passages.")
    mode: Literal["auto", "dense", "bm25", "hybrid"] = "auto"
    fusion: Literal["weighted", "rrf"] = "weighted"
    dense_weight: float = Field(0.6, ge=0.0, le=1.0)
    candidates: int = Field(50, ge=1, le=TOP_K_MAX)
    filter: str = Field("", max_length=4096, description='In Milvus\' language: `metadata["year"] > 2020`.')
    min_score: float | None = None
    diversity: float = Field(0.0, ge=0.0, le=1.0)
    rerank: bool = False
    neighbours: int = Field(1, ge=0, le=16)
    hops: Literal[1, 2] = 2
    decompose: bool = False

    def options(self) -> SearchOptions:
        """For the retriever."""
        return SearchOptions(
            mode=self.mode,
            fusion=self.fusion,
            dense_weight=self.dense_weight,
            candidates=self.candidates,
            condition=self.filter,
            min_score=self.min_score,
            diversity=self.diversity,
            rerank=self.rerank,
            neighbours=self.neighbours,
            decompose=self.decompose,
            hops=self.hops,
        )


class TextPart(BaseModel):
    """A part of what was said."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """Something said in a conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None

    @property
    def text(self) -> str:
        """What was said, in one piece."""
        if isinstance(self.content, list):
            return " ".join(part.text for part in self.content)
        return self.content or ""


Messages = Annotated[list[Message], Field(max_length=_TURNS_MAX)]


class Asking:
    """Retrieves for requests."""

    def __init__(self, settings: Settings, served: Served, collections: Collections, metrics: GatewayMetrics) -> None:
        self._settings = settings
        self._served = served
        self._collections = collections
        self._metrics = metrics
        self._builders: dict[str, PromptBuilder] = {}

    async def ask(self, question: str, asked: Asked, said: Sequence[Message]) -> Assembled:
        """The passages for a question, in the prompt that they find room in.

        Raises:
            PipelineError, RetritonError: as `Retriever.retrieve` and `PromptBuilder.build`.
        """
        builder = self._builder(await self._served.encoder())
        history = [Turn(message.role, message.text) for message in said if message.role in ("user", "assistant")]
        options = asked.options()
        name = asked.collection or self._settings.collection
        found = await self._collections.search(
            name, lambda retriever: assemble(retriever, builder, question, asked.top_k, options, history)
        )
        self._metrics.stages(found.latency_ms)
        return found

    def _builder(self, encoder: EncoderInfo) -> PromptBuilder:
        if encoder.fingerprint not in self._builders:
            self._builders = {
                encoder.fingerprint: PromptBuilder(TokenCounter(encoder).count, self._settings.prompt_tokens)
            }
        return self._builders[encoder.fingerprint]


class PassageAnswer(BaseModel):
    """A passage that was found; numbers are those of citations."""

    number: int
    source: str
    title: str
    context: str
    page: int | None
    text: str
    score: float
    scores: dict[str, float]
    chunk_index: int
    document_id: str
    metadata: dict[str, Any]


def numbered(passages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Passages with the numbers of citations."""
    return [{"number": number, **passage} for number, passage in enumerate(passages, 1)]
