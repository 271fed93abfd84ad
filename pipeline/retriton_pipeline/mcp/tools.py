"""The tools: each is one or several requests to the gateway, which checks all values."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any
from urllib.parse import quote

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from retriton_pipeline.mcp.gateway_requests import GatewayRequests
from retriton_pipeline.mcp.schemas import Answer, Documents, Passages, Upload

_JOB_S_MAX = 45.0  # hosts give up on a tool after a minute
_POLL_S = 0.1

Collection = Annotated[str, Field(description="Name of a collection; empty for the default one.")]
TopK = Annotated[int, Field(description="Number of passages.")]
Filter = Annotated[
    str, Field(description="Condition on source, title, page and metadata: 'metadata[\"year\"] > 2020'.")
]


class Tools:
    """The tools on one gateway. All raise `ToolError`, as `GatewayRequests.send`."""

    def __init__(self, gateway: GatewayRequests) -> None:
        self._send = gateway.send

    async def search(self, query: str, collection: Collection = "", top_k: TopK = 5, filter: Filter = "") -> Passages:  # noqa: A002
        """Search the documents. Returns the best passages with source, text and score, best first."""
        request = {"query": query, "collection": collection or None, "top_k": top_k, "filter": filter}
        return Passages.model_validate(await self._send("POST", "/v1/retrieve", json=request))

    async def ask(self, question: str, collection: Collection = "", top_k: TopK = 5, filter: Filter = "") -> Answer:  # noqa: A002
        """Let the LLM of the server answer a question from the documents. Returns the answer and its sources."""
        if (llm := await self.llm()) is None:
            raise ToolError("the gateway has no LLM: start it with --llm-url and --llm-model")
        options = {"collection": collection or None, "top_k": top_k, "filter": filter}
        request = {"model": llm, "messages": [{"role": "user", "content": question}], "retrieval": options}
        body = await self._send("POST", "/v1/chat/completions", json=request)
        return Answer(answer=body["choices"][0]["message"]["content"], sources=body["sources"])

    async def list_documents(
        self,
        collection: Collection = "",
        limit: Annotated[int, Field(description="Number of documents to list.")] = 100,
        offset: Annotated[int, Field(description="Number of documents to leave out before.")] = 0,
    ) -> Documents:
        """List the documents of a collection, and the names of all collections."""
        names = await self._send("GET", "/v1/collections")
        collection = collection or names["default"]
        page = await self._send("GET", _documents(collection), params={"limit": limit, "offset": offset})
        return Documents(collection=collection, documents=page["data"], collections=names["data"])

    async def add_document(
        self,
        name: Annotated[str, Field(description="File name, whose extension names the format: notes.md, facts.txt.")],
        text: Annotated[str, Field(description="Content of the file.")],
        collection: Collection = "",
    ) -> Upload:
        """Add a text to the documents. It replaces the document with the same name in that collection."""
        collection = collection or (await self._send("GET", "/v1/collections"))["default"]
        job = await self._send("POST", _documents(collection), files={"files": (name, text.encode())})
        return _outcome(await self._finished(job))

    async def llm(self) -> str | None:
        """The name of the LLM; None if the gateway has none."""
        models = (await self._send("GET", "/v1/models"))["data"]
        return next((str(model["id"]) for model in models if model["kind"] == "chat"), None)

    async def _finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job at its end, or after `_JOB_S_MAX`."""
        deadline_s = time.monotonic() + _JOB_S_MAX
        while job["state"] in ("queued", "running") and time.monotonic() < deadline_s:
            await asyncio.sleep(_POLL_S)
            job = await self._send("GET", f"/v1/jobs/{job['id']}")
        return job


def _documents(collection: str) -> str:
    return f"/v1/collections/{quote(collection, safe='')}/documents"


def _outcome(job: dict[str, Any]) -> Upload:
    """What became of an upload. Raises `ToolError` if nothing of it was stored."""
    if job["error"]:
        raise ToolError(job["error"]["message"])
    report = job["result"] or {"skipped": []}
    skipped = [f"{found['source']}: {found['reason']}" for found in report["skipped"]]
    upload = Upload.model_validate(job | report | {"skipped": skipped})
    if skipped and not (upload.added or upload.replaced or upload.unchanged):
        raise ToolError("; ".join(skipped))
    return upload
