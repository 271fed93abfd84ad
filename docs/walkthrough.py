"""NVIDIA's walk-through of its Retrieval QA playground (November 2023), with a gateway in its place.

Two passages and a query are embedded; the passage that answers the query has the larger dot product with it.

    GATEWAY=http://127.0.0.1:8080 KEY=rt-... python docs/walkthrough.py
"""
# ruff: noqa: T201 - it is for reading along

import os

import requests

GATEWAY = os.environ.get("GATEWAY", "http://127.0.0.1:8080")
INVOKE_URL = f"{GATEWAY}/v2/nvcf/pexec/functions/retrieval-qa"  # any name stands for the served encoder
FETCH_URL = f"{GATEWAY}/v2/nvcf/pexec/status/"
PASSAGES = [
    "Short questions go to the low-latency lane, and never wait behind documents that are ingested in bulk.",
    "The harvest of 1972 was the poorest in the valley for forty years.",
]
QUERY = "Why do queries have a lane of their own?"

session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = f"Bearer {os.environ.get('KEY', 'none')}"


def embed(texts: str | list[str], model: str) -> list[list[float]]:
    """Vectors of texts, which are queries or passages by the name of the model."""
    payload = {"input": texts, "model": model, "encoding_format": "float"}
    response = session.post(INVOKE_URL, json=payload, timeout=60)
    while response.status_code == 202:
        request_id = response.headers["NVCF-REQID"]
        print(f"pending: {request_id}")
        response = session.get(FETCH_URL + request_id, timeout=60)
    response.raise_for_status()
    return [item["embedding"] for item in response.json()["data"]]


def dot(left: list[float], right: list[float]) -> float:
    """The dot product; of vectors of length one, their cosine."""
    return sum(a * b for a, b in zip(left, right, strict=True))


passages = embed(PASSAGES, "passage")
(query,) = embed(QUERY, "query")
for text, vector in zip(PASSAGES, passages, strict=True):
    print(f"{dot(query, vector):.4f}  {text}")
