"""Responses, as OpenAI defines them, with the tool `file_search`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.schemas.common import ONE_OR_MANY, RequestBody
from retriton_pipeline.gateway.schemas.file_search import SearchFields
from retriton_pipeline.gateway.schemas.listing import Metadata
from retriton_pipeline.gateway.schemas.search import MESSAGES_MAX, ContentPart
from retriton_pipeline.retrieval import Turn

_PARTS_MAX = 1024
_TOOLS_MAX = 4
_STORES_MAX = 8
_ALLOWED_MAX = 128
_IGNORED = ("file_search_call", "reasoning")
_TEXTS = ("input_text", "output_text", "text", "refusal")


_Parts = Annotated[list[ContentPart], Field(max_length=_PARTS_MAX, fail_fast=True)]


class InputItem(RequestBody):
    """A message, or an item of an earlier response: searches and reasoning are ignored, others are not supported."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: Annotated[Annotated[str, Tag("[one]")] | Annotated[_Parts, Tag("[many]")], ONE_OR_MANY] | None = None

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, list):
            return "\n".join(part.said for part in self.content)
        return self.content or ""


_Items = Annotated[list[InputItem], Field(min_length=1, max_length=MESSAGES_MAX, fail_fast=True)]
Input = Annotated[Annotated[str, Tag("[one]")] | Annotated[_Items, Tag("[many]")], ONE_OR_MANY]


class FileSearchTool(SearchFields):
    """A search of vector stores, for the question."""

    type: Literal["file_search"]
    vector_store_ids: Annotated[list[str], Field(min_length=1, max_length=_STORES_MAX)]


class TextFormat(RequestBody):
    """The format of the answer; only `text` is supported."""

    type: str = "text"


class TextOptions(RequestBody):
    """Options of the answer's text."""

    format: TextFormat = Field(default_factory=TextFormat)


class ToolChoice(RequestBody):
    """A tool that must be used."""

    type: Literal["file_search"]


class AllowedTool(RequestBody):
    """A tool that may be used."""

    model_config = ConfigDict(extra="allow")

    type: str


class AllowedTools(RequestBody):
    """The tools that may be used, of those in the request."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[AllowedTool], Field(max_length=_ALLOWED_MAX)]


def _choice_shape(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else value
    return "[allowed]" if kind == "allowed_tools" else "[tool]" if isinstance(value, dict) else "[mode]"


Choice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("[mode]")]
    | Annotated[ToolChoice, Tag("[tool]")]
    | Annotated[AllowedTools, Tag("[allowed]")],
    Discriminator(_choice_shape),
]


class ResponseRequest(RequestBody):
    """OpenAI's request. The last message is the question; nothing is stored."""

    model: str
    input: Input
    instructions: str | None = None
    tools: Annotated[list[FileSearchTool], Field(max_length=_TOOLS_MAX)] = Field(default_factory=list)
    tool_choice: Choice = "auto"
    include: Annotated[list[str], Field(max_length=32)] = Field(
        default_factory=list, description="`file_search_call.results`: what was found; others are ignored."
    )
    stream: bool = False
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    max_output_tokens: int | None = Field(None, ge=1, le=2**53)  # which the response repeats
    metadata: Metadata | None = None
    text: TextOptions = Field(default_factory=TextOptions)
    store: bool = Field(False, description="Ignored: responses are not stored.")
    background: bool = Field(False, description="Not supported: must be false.")
    previous_response_id: str | None = Field(None, description="Not supported: send the conversation as input.")
    conversation: Any = Field(None, description="Not supported: send the conversation as input.")
    prompt: Any = Field(None, description="Not supported: send instructions.")
    user: Any = Field(None, description="Returned as it is.")

    @property
    def searches(self) -> list[FileSearchTool]:
        """The tools that are used."""
        choice = self.tool_choice
        if isinstance(choice, AllowedTools):
            return self.tools if any(tool.type == "file_search" for tool in choice.tools) else []
        return [] if choice == "none" else self.tools

    @property
    def chosen(self) -> str | dict[str, Any]:
        """The choice of tools as it was sent."""
        return self.tool_choice if isinstance(self.tool_choice, str) else self.tool_choice.model_dump()

    @property
    def has_results(self) -> bool:
        """Whether the response contains what was found."""
        return "file_search_call.results" in self.include

    def messages(self) -> list[InputItem]:
        """The messages of the input, the question last.

        Raises:
            ApiError: the request needs what is not supported, or the last message is not a question.
        """
        self._check_supported()
        if isinstance(self.input, str):
            items = [InputItem(role="user", content=self.input)]
        else:
            items = [item for item in self.input if item.type not in _IGNORED]
        for number, item in enumerate(items):
            _check_item(item, number)
        if not items or items[-1].role != "user" or not items[-1].text.strip():
            raise ApiError(400, "invalid_request", "input: the last message must be the user's question", "input")
        return items

    def llm_parameters(self) -> dict[str, Any]:
        """The parameters that are passed on to the LLM."""
        given = {"temperature": self.temperature, "top_p": self.top_p, "max_tokens": self.max_output_tokens}
        own = {name: value for name, value in given.items() if value is not None}
        return {**own, "stream_options": {"include_usage": True}}

    def _check_supported(self) -> None:
        resent = "send the conversation as input"
        refused = {
            "previous_response_id": (self.previous_response_id, f"responses are not stored: {resent}"),
            "conversation": (self.conversation, f"conversations are not stored: {resent}"),
            "prompt": (self.prompt, "there are no stored prompts: send instructions"),
            "background": (self.background, "responses are not stored: use stream"),
            "text.format": (self.text.format.type != "text", "the answer is a text with citations"),
        }
        for name, (value, reason) in refused.items():
            if value:
                raise ApiError(400, "unsupported", f"{name} is not supported: {reason}", name)


def turns_of(messages: list[InputItem]) -> list[Turn]:
    """The messages of user and assistant, for retrieval."""
    return [Turn(str(item.role), item.text) for item in messages if item.role in ("user", "assistant")]


def instructions_of(request: ResponseRequest, messages: list[InputItem]) -> list[dict[str, str]]:
    """The instructions of the application, which precede the prompt."""
    own = [{"role": "system", "content": request.instructions}] if request.instructions else []
    return own + [
        {"role": str(item.role), "content": item.text} for item in messages if item.role in ("system", "developer")
    ]


def _check_item(item: InputItem, number: int) -> None:
    name = f"input.{number}"
    if item.type != "message":
        raise ApiError(400, "unsupported", f"{name}: items of the type {item.type[:50]!r} are not supported", name)
    if item.role is None:
        raise ApiError(400, "invalid_request", f"{name}: a message needs a role", f"{name}.role")
    for part in item.content if isinstance(item.content, list) else ():
        if part.type not in _TEXTS:
            message = f"{name}: content of the type {part.type[:50]!r} is not supported: send text only"
            raise ApiError(400, "unsupported", message, f"{name}.content")


class ResponseUsage(BaseModel):
    """Tokens of the LLM."""

    input_tokens: int
    input_tokens_details: dict[str, int]
    output_tokens: int
    output_tokens_details: dict[str, int]
    total_tokens: int


class ResponseBody(BaseModel):
    """OpenAI's response: a `file_search_call` for each tool, and a message whose annotations are file citations."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    background: Literal[False]
    error: dict[str, str] | None
    incomplete_details: dict[str, str] | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    model: str
    output: list[dict[str, Any]]
    parallel_tool_calls: bool
    previous_response_id: None
    store: Literal[False]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: Any
    tools: list[dict[str, Any]]
    top_p: float | None
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    user: Any
