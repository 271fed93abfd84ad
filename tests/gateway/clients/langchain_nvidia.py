"""NVIDIA's LangChain package as its documentation uses it; prints what it got as one line of JSON."""

import asyncio
import json
import sys
import warnings

from langchain_core.documents import Document
from langchain_nvidia_ai_endpoints import NVIDIAEmbeddings, NVIDIARerank

warnings.simplefilter("error")
url, key, encoder, cross_encoder, question, *texts = sys.argv[1:]
here = {"base_url": f"{url}/v1", "api_key": key}
embeddings = NVIDIAEmbeddings(model=encoder, max_batch_size=4, **here)
try:
    refused = str(embeddings.embed_query("x " * 100))
except Exception as error:  # noqa: BLE001 - the package raises nothing more special
    refused = str(error)
reranker = NVIDIARerank(model=cross_encoder, top_n=3, truncate="END", **here)
ranked = reranker.compress_documents([Document(page_content=text) for text in texts], question)
with warnings.catch_warnings(action="ignore"):  # without a model it takes the first of the list, and says so
    default = NVIDIARerank(top_n=1, truncate="END", **here)
result = {
    "models": [model.id for model in embeddings.available_models],
    "query": embeddings.embed_query(question),
    "query_async": asyncio.run(embeddings.aembed_query(question)),
    "documents": embeddings.embed_documents(texts),
    "short": len(NVIDIAEmbeddings(model=encoder, truncate="END", dimensions=8, **here).embed_query("x " * 100)),
    "refused": refused,
    "best": default.compress_documents([Document(page_content=text) for text in texts], question)[0].page_content,
    "ranked": [[document.page_content, document.metadata["relevance_score"]] for document in ranked],
}
sys.stdout.write(json.dumps(result))
