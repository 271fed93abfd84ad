"""Elasticsearch's package as its documentation uses inference; prints what it got as one line of JSON."""

import json
import sys

from elasticsearch import BadRequestError, Elasticsearch, NotFoundError

url, key, encoder, cross_encoder, question, *texts = sys.argv[1:]
client = Elasticsearch(url, bearer_auth=key, max_retries=0)
inference = client.inference


def embedded(**asked: object) -> list:
    return [item["embedding"] for item in inference.text_embedding(inference_id=encoder, **asked)["text_embedding"]]


def refused(error: type[Exception], call: object, **asked: object) -> str:
    try:
        return str(call(**asked))
    except error as found:
        return found.body["error"]["message"]


ranking = {"inference_id": cross_encoder, "query": question, "input": texts}
result = {
    "documents": embedded(input=texts, input_type="ingest"),
    "settings": embedded(input=texts, task_settings={"input_type": "INGEST"}),
    "query": embedded(input=question, input_type="SEARCH")[0],
    "generic": inference.inference(task_type="text_embedding", inference_id=f"{encoder}-query", input=question).body,
    "without_task": inference.inference(inference_id=f"{encoder}-query", input=question).body,
    "ranked_without_task": inference.inference(**ranking).body["rerank"],
    "ranked": inference.rerank(**ranking)["rerank"],
    "best": inference.rerank(**ranking, top_n=2, return_documents=True)["rerank"],
    "best_by_settings": inference.rerank(**ranking, task_settings={"top_n": 2, "return_documents": True})["rerank"],
    "untold": refused(BadRequestError, inference.text_embedding, inference_id=encoder, input=question),
    "unknown": refused(NotFoundError, inference.rerank, **{**ranking, "inference_id": "gpt"}),
}
sys.stdout.write(json.dumps(result))
