"""LlamaIndex: Retriton's retriever, and the classes for NVIDIA, OpenAI and TEI; prints one line of JSON."""

import asyncio
import json
import sys

from llama_index.core import Settings
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llama_index.embeddings.nvidia import NVIDIAEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
from llama_index.postprocessor.nvidia_rerank import NVIDIARerank

from retriton.integrations.llama_index import RetritonRetriever

url, key, tiny_url, tiny_key, encoder, cross_encoder, question, *texts = sys.argv[1:]
Settings.llm = MockLLM()  # else LlamaIndex looks for OpenAI's
retriever = RetritonRetriever(url, api_key=key, similarity_top_k=2, search_options={"mode": "hybrid"})
engine = RetrieverQueryEngine(retriever, get_response_synthesizer(response_mode="no_text"))


def shown(nodes: list) -> list:
    return [[found.node_id, found.text, found.metadata, found.score, found.node.ref_doc_id] for found in nodes]


here = {"base_url": f"{tiny_url}/v1", "api_key": tiny_key}
nvidia = NVIDIAEmbedding(model=encoder, truncate="END", **here)
like = OpenAILikeEmbedding(model_name=f"{encoder}-passage", api_base=f"{tiny_url}/v1", api_key=tiny_key)
ranker = NVIDIARerank(model=cross_encoder, top_n=3, **here)
nodes = [NodeWithScore(node=TextNode(text=text)) for text in texts]
ranked = ranker.postprocess_nodes(nodes, query_str=question)
result = {
    "found": shown(retriever.retrieve(question)),
    "found_async": shown(asyncio.run(retriever.aretrieve(question))),
    "engine": shown(engine.query(question).source_nodes),
    "prompt": retriever.retrieve(question)[0].node.get_content(MetadataMode.LLM),
    "nvidia": [asyncio.run(nvidia.aget_query_embedding(question)), nvidia.get_text_embedding_batch(texts)],
    "openai": like.get_text_embedding_batch(texts),
    "tei": TextEmbeddingsInference(model_name="any", base_url=url, auth_token=key).get_text_embedding_batch(texts),
    "ranked": [[found.text, found.score] for found in ranked],
}
sys.stdout.write(json.dumps(result))
