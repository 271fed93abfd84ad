"""LangChain's own tests of retrievers, for Retriton's; its address and key are in the environment."""

from typing import Any

import pytest
from langchain_tests.integration_tests import RetrieversIntegrationTests

from retriton.integrations.langchain import RetritonRetriever


class TestRetritonRetriever(RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> type[RetritonRetriever]:
        return RetritonRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"k": 2, "search_options": {"neighbours": 0}}

    @property
    def retriever_query_example(self) -> str:
        return "why are there two lanes?"

    @pytest.fixture
    def retriever(self) -> RetritonRetriever:
        return RetritonRetriever(**self.retriever_constructor_params)
