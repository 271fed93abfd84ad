"""Haystack: Retriton's retriever, and the classes for NVIDIA and OpenAI; prints one line of JSON."""

import asyncio
import json
import sys

from haystack import Document, Pipeline
from haystack.components.builders import PromptBuilder
from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
from haystack.utils import Secret
from haystack_integrations.components.embedders.nvidia import NvidiaDocumentEmbedder, NvidiaTextEmbedder
from haystack_integrations.components.rankers.nvidia import NvidiaRanker

from retriton.integrations.haystack import RetritonRetriever
from retriton_client import InvalidRequest

url, _, tiny_url, tiny_key, encoder, cross_encoder, question, *texts = sys.argv[1:]
ONE = {"operator": "AND", "conditions": [
    {"field": "meta.source", "operator": "in", "value": ["glossary.txt"]},
    {"operator": "NOT", "conditions": [{"field": "meta.title", "operator": "in", "value": ["Other"]}]},
]}  # fmt: skip


def shown(documents: list) -> list:
    return [[found.id, found.content, found.meta, found.score] for found in documents]


def pipeline() -> Pipeline:
    made = Pipeline()
    made.add_component("retriever", RetritonRetriever(url, top_k=2, search_options={"mode": "hybrid"}))
    made.add_component("prompt", PromptBuilder("{% for d in documents %}[{{ d.meta.number }}]{% endfor %}"))
    made.connect("retriever.documents", "prompt.documents")
    return made


def refusal(filters: dict) -> str:
    try:
        return str(RetritonRetriever(url).run(question, filters))
    except InvalidRequest as error:
        return str(error)


asked = {"retriever": {"query": question}}
written = pipeline().dumps()
wanted = {"data": asked, "include_outputs_from": {"retriever"}}
found = Pipeline.loads(written, allowed_modules=["retriton.integrations.haystack"]).run(**wanted)
found_async = asyncio.run(pipeline().run_async(**wanted))
secret, documents = Secret.from_token(tiny_key), [Document(content=text) for text in texts]
nvidia = {"model": encoder, "api_key": secret, "api_url": f"{tiny_url}/v1"}
openai = {"model": f"{encoder}-passage", "api_key": secret, "api_base_url": f"{tiny_url}/v1"}
ranker = NvidiaRanker(cross_encoder, truncate="END", top_k=3, api_key=secret, api_url=f"{tiny_url}/v1")
result = {
    "written": written,
    "found": shown(found["retriever"]["documents"]),
    "prompt": found["prompt"]["prompt"],
    "found_async": shown(found_async["retriever"]["documents"]),
    "filtered": shown(RetritonRetriever(url).run(question, ONE, top_k=1)["documents"]),
    "refused": [
        refusal({"field": "meta.year", "operator": "~", "value": 1}),
        refusal({"operator": "XOR", "conditions": [ONE]}),
    ],
    "nvidia": [
        NvidiaTextEmbedder(**nvidia).run(question)["embedding"],
        [found.embedding for found in NvidiaDocumentEmbedder(**nvidia).run(documents)["documents"]],
    ],
    "openai": [
        OpenAITextEmbedder(**openai).run(texts[0])["embedding"],
        [found.embedding for found in OpenAIDocumentEmbedder(**openai, progress_bar=False).run(documents)["documents"]],
    ],
    "ranked": [[found.content, found.score] for found in ranker.run(question, documents)["documents"]],
}
sys.stdout.write(json.dumps(result))
