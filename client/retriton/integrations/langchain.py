"""A retriever for LangChain (``pip install 'retriton[langchain]'``)."""

from __future__ import annotations

from typing import Any

from retriton.extras import requires

with requires("langchain", "retriton.integrations.langchain"):
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from pydantic import Field, PrivateAttr, SecretStr

    from retriton.integrations.gateway import GatewayRetrieval, Passage, passage_id, passage_metadata


class RetritonRetriever(BaseRetriever):
    """Retrieves passages from a collection of a gateway.

    ``invoke`` and ``ainvoke`` take the fields ``k``, ``collection`` and ``filter``, and all search options, as keyword
    arguments too. Errors are those of `GatewayRetrieval.retrieve`.

    Attributes:
        gateway_url: address of the gateway; empty for ``RETRITON_GATEWAY_URL``, or else http://127.0.0.1:8080.
        api_key: empty for ``RETRITON_API_KEY``.
        collection: empty for the gateway's default.
        k: number of passages.
        filter: condition on source, title, page and metadata: ``metadata["year"] > 2020``.
        search_options: further search options, such as ``{"mode": "hybrid", "rerank": True}``.
        timeout_s: seconds for each question, retries included.
    """

    gateway_url: str = ""
    api_key: SecretStr = SecretStr("")
    collection: str = ""
    k: int = Field(5, ge=1)
    filter: str = ""
    search_options: dict[str, Any] = Field(default_factory=dict)
    timeout_s: float = Field(60.0, gt=0)
    _gateway: GatewayRetrieval = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Prepares the requests; connects when the first question is asked."""
        super().model_post_init(context)
        self._gateway = GatewayRetrieval(self.gateway_url, self.api_key.get_secret_value(), self.timeout_s)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        found = self._gateway.retrieve(query, **self._search(options))
        return [_document(passage) for passage in found]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        found = await self._gateway.retrieve_async(query, **self._search(options))
        return [_document(passage) for passage in found]

    def _search(self, options: dict[str, Any]) -> dict[str, Any]:
        """Collection and search options of a call, whose own ``options`` come first."""
        options = {"k": self.k, **options}
        default = {"collection": self.collection, "filter": self.filter, "top_k": options.pop("k")}
        return {**default, **self.search_options, **options}


def _document(passage: Passage) -> Document:
    return Document(id=passage_id(passage), page_content=passage["text"], metadata=passage_metadata(passage))
