"""A retriever for Haystack (``pip install 'retriton[haystack]'``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retriton.extras import requires

with requires("haystack", "retriton.integrations.haystack"):
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.utils import Secret

    from retriton.integrations.gateway import GatewayRetrieval, Passage, passage_id, passage_metadata
    from retriton.integrations.haystack_filters import expression

_KEY = Secret.from_env_var("RETRITON_API_KEY", strict=False)


@component
class RetritonRetriever:
    """Retrieves passages from a collection of a gateway. Errors are those of `GatewayRetrieval.retrieve`.

    Args:
        gateway_url: address of the gateway; empty for ``RETRITON_GATEWAY_URL``, or else http://127.0.0.1:8080.
        api_key: of the gateway, if it needs one.
        collection: empty for the gateway's default.
        filters: Haystack's metadata filters; those of a call replace them.
        top_k: number of passages.
        search_options: further search options, such as ``{"mode": "hybrid", "rerank": True}``.
        timeout_s: seconds for each question, retries included.
    """

    def __init__(
        self,
        gateway_url: str = "",
        *,
        api_key: Secret | None = _KEY,
        collection: str = "",
        filters: dict[str, Any] | None = None,
        top_k: int = 5,
        search_options: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.gateway_url, self.api_key, self.collection = gateway_url, api_key, collection
        self.filters, self.top_k, self.timeout_s = filters, top_k, timeout_s
        self.search_options = dict(search_options or {})
        self._gateway = GatewayRetrieval(gateway_url, (api_key and api_key.resolve_value()) or "", timeout_s)

    def to_dict(self) -> dict[str, Any]:
        """The component for a pipeline's file; the API key as the name of its variable."""
        data: dict[str, Any] = default_to_dict(
            self,
            gateway_url=self.gateway_url,
            api_key=self.api_key.to_dict() if self.api_key else None,
            collection=self.collection,
            filters=self.filters,
            top_k=self.top_k,
            search_options=self.search_options,
            timeout_s=self.timeout_s,
        )
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RetritonRetriever:
        """The component of `to_dict`."""
        parameters = data["init_parameters"]
        if key := parameters.get("api_key"):
            parameters = {**parameters, "api_key": Secret.from_dict(key)}
        restored: RetritonRetriever = default_from_dict(cls, {**data, "init_parameters": parameters})
        return restored

    @component.output_types(documents=list[Document])
    def run(self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None) -> dict[str, Any]:
        """The best passages for ``query``, best first, as ``{"documents": [...]}``."""
        found = self._gateway.retrieve(query, **self._search(filters, top_k))
        return {"documents": [_document(passage) for passage in found]}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, Any]:
        """As `run`, without blocking the event loop."""
        found = await self._gateway.retrieve_async(query, **self._search(filters, top_k))
        return {"documents": [_document(passage) for passage in found]}

    def _search(self, filters: dict[str, Any] | None, top_k: int | None) -> dict[str, Any]:
        chosen = self.filters if filters is None else filters
        default = {"collection": self.collection, "top_k": self.top_k if top_k is None else top_k}
        return {**default, **({"filter": expression(chosen)} if chosen else {}), **self.search_options}


def _document(passage: Passage) -> Document:
    meta = {name: value for name, value in passage_metadata(passage).items() if name != "score"}
    return Document(id=passage_id(passage), content=passage["text"], meta=meta, score=passage["score"])
