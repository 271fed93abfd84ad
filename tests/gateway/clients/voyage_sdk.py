"""Voyage's package as its documentation uses it; prints what it got as one line of JSON."""

import asyncio
import json
import sys

import voyageai

url, key, encoder, cross_encoder, question, *texts = sys.argv[1:]
here = {"api_key": key, "base_url": f"{url}/v1"}
client = voyageai.Client(**here)
asked = {"model": encoder, "input_type": "document"}
documents = client.embed(texts, **asked)
try:
    refused = str(client.embed(["x " * 100], truncation=False, **asked))
except voyageai.error.InvalidRequestError as error:
    refused = str(error)
try:
    denied = str(voyageai.Client(api_key="rt-wrong", base_url=f"{url}/v1").embed(texts, **asked))
except voyageai.error.AuthenticationError as error:
    denied = str(error)


async def ranked_async() -> list:
    found = await voyageai.AsyncClient(**here).rerank(question, texts, cross_encoder)
    return [(item.index, item.relevance_score, item.document) for item in found.results]


asynchronous = asyncio.run(voyageai.AsyncClient(**here).embed([question], model=encoder, input_type="query"))
types = ("int8", "uint8", "binary", "ubinary")
result = {
    "documents": {"float": documents.embeddings}
    | {name: client.embed(texts, output_dtype=name, **asked).embeddings for name in types},
    "tokens": documents.total_tokens,
    "query": client.embed([question], model=encoder, input_type="query").embeddings[0],
    "query_async": asynchronous.embeddings[0],
    "short": client.embed(["x " * 100], output_dimension=8, **asked).embeddings[0],
    "refused": refused,
    "denied": denied,
    "ranked": [
        (item.index, item.relevance_score, item.document)
        for item in client.rerank(question, texts, cross_encoder, top_k=3).results
    ],
    "ranked_async": asyncio.run(ranked_async()),
}
sys.stdout.write(json.dumps(result))
