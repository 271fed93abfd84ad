"""A retriever for LlamaIndex (``pip install 'retriton[llama-index]'``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retriton.extras import requires

with requires("llama-index", "retriton.integrations.llama_index"):
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

    from retriton.integrations.gateway import GatewayRetrieval, Passage, passage_id, passage_metadata

_NOT_FOR_MODELS = ["number", "document_id", "chunk_index", "score", "scores"]  # left out of prompts and embeddings


class RetritonRetriever(BaseRetriever):
    """Retrieves passages from a collection of a gateway. Errors are those of `GatewayRetrieval.retrieve`.

    Args:
        gateway_url: address of the gateway; empty for ``RETRITON_GATEWAY_URL``, or else http://127.0.0.1:8080.
        api_key: empty for ``RETRITON_API_KEY``.
        collection: empty for the gateway's default.
        similarity_top_k: number of passages.
        filter: condition on source, title, page and metadata: ``metadata["year"] > 2020``.
        search_options: further search options, such as ``{"mode": "hybrid", "rerank": True}``.
        timeout_s: seconds for each question, retries included.
        callback_manager: of LlamaIndex.
    """

    def __init__(
        self,
        gateway_url: str = "",
        *,
        api_key: str = "",
        collection: str = "",
        similarity_top_k: int = 5,
        filter: str = "",  # noqa: A002
        search_options: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager)
        self._gateway = GatewayRetrieval(gateway_url, api_key, timeout_s)
        default = {"collection": collection, "top_k": similarity_top_k, "filter": filter}
        self._search = {**default, **(search_options or {})}

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._gateway.retrieve(query_bundle.query_str, **self._search)
        return [_node(passage) for passage in found]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = await self._gateway.retrieve_async(query_bundle.query_str, **self._search)
        return [_node(passage) for passage in found]


def _node(passage: Passage) -> NodeWithScore:
    node = TextNode(
        id_=passage_id(passage),
        text=passage["text"],
        metadata=passage_metadata(passage),
        excluded_llm_metadata_keys=_NOT_FOR_MODELS,
        excluded_embed_metadata_keys=_NOT_FOR_MODELS,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage["document_id"])},
    )
    return NodeWithScore(node=node, score=passage["score"])
