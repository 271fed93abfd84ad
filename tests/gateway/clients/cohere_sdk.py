"""Cohere's package as its documentation uses it; prints what it got as one line of JSON."""

import json
import sys

import cohere

url, key, encoder, cross_encoder, question, *texts = sys.argv[1:]
here = {"api_key": key, "base_url": url}
two, one = cohere.ClientV2(**here), cohere.Client(**here)
asked = {"model": encoder, "input_type": "search_document", "texts": texts}
types = ["float", "int8", "uint8", "binary", "ubinary", "base64"]
documents = two.embed(**asked, embedding_types=types)
try:
    refused = str(two.embed(model=encoder, input_type="search_query", texts=["x " * 100], truncate="NONE"))
except cohere.BadRequestError as error:
    refused = str(error)
by_type = one.embed(**asked, embedding_types=["int8", "float"])
query = {"model": encoder, "input_type": "search_query"}
result = {
    "documents": {"float": documents.embeddings.float_}
    | {name: getattr(documents.embeddings, name) for name in types[1:]},
    "texts": documents.texts,
    "tokens": documents.meta.billed_units.input_tokens,
    "query": two.embed(**query, texts=[question], embedding_types=["float"]).embeddings.float_[0],
    "short": two.embed(**query, texts=["x " * 100], output_dimension=8).embeddings.float_[0],
    "refused": refused,
    "one": one.embed(**asked).embeddings,
    "one_int8": by_type.embeddings.int8,
    "one_float": by_type.embeddings.float_,
    "ranked": [
        [
            (found.index, found.relevance_score)
            for found in client.rerank(model=cross_encoder, query=question, documents=texts, top_n=3).results
        ]
        for client in (one, two)
    ],
}
sys.stdout.write(json.dumps(result))
