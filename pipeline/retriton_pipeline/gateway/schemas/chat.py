"""Chat completions in OpenAI's format, with sources and citations."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, Tag

from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, Count, RequestBody, Whole
from retriton_pipeline.gateway.schemas.search import (
    MESSAGES_MAX,
    Message,
    PassageBody,
    SearchBody,
    check_texts,
    unsupported,
)


class ChatRetrieval(SearchBody):
    """Search options, and whether the response contains the prompt."""

    include_prompt: bool = False


class StreamOptions(RequestBody):
    """OpenAI's stream options."""

    include_usage: bool = False


_Stops = Annotated[list[str], Field(max_length=16, fail_fast=True)]
Stop = Annotated[Annotated[str, Tag("[one]")] | Annotated[_Stops, Tag("[many]")], ONE_OR_MANY]


class ChatRequest(RequestBody):
    """OpenAI's request, and the optional field `retrieval`. The last message is the question."""

    messages: Annotated[list[Message], Field(fail_fast=True)] = Field(min_length=1, max_length=MESSAGES_MAX)
    model: str
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    stop: Stop | None = None
    seed: Whole | None = None
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    n: Literal[1] = 1
    user: Any = Field(None, description="Ignored.")
    tools: list[Any] = Field(default_factory=list, description="Not supported: must be empty.")
    functions: list[Any] = Field(default_factory=list, description="Not supported: must be empty.")
    retrieval: ChatRetrieval = ChatRetrieval()

    def check_supported(self) -> None:
        """Raises `ApiError` if the request uses tools, or sends other contents than text."""
        for field, tools in (("tools", self.tools), ("functions", self.functions)):
            if tools:
                raise unsupported("tools are", field)
        check_texts(self.messages, "messages")

    @property
    def instructions(self) -> list[dict[str, str]]:
        """The messages of the application, which precede the prompt."""
        roles = ("system", "developer")
        return [{"role": message.role, "content": message.text} for message in self.messages if message.role in roles]

    def llm_parameters(self) -> dict[str, Any]:
        """The parameters that are passed on to the LLM."""
        own = {"messages", "model", "stream", "stream_options", "n", "user", "tools", "functions", "retrieval"}
        return {**self.model_dump(exclude=own, exclude_none=True), "stream_options": {"include_usage": True}}


class AssistantMessage(BaseModel):
    """The answer of the LLM."""

    role: Literal["assistant"]
    content: str


class Choice(BaseModel):
    """The only choice."""

    index: Literal[0]
    message: AssistantMessage
    finish_reason: str


class ChatResponse(BaseModel):
    """OpenAI's response, with the passages in the prompt as sources, and the numbers of those that the answer cites."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: dict[str, Any] = Field(default_factory=dict, description="Left out if the LLM sends none.")
    sources: list[PassageBody]
    citations: list[int]
    prompt: str | None
    tokens_dropped: int
    latency_ms: dict[str, float]
