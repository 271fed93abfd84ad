"""huggingface_hub's client of text-embeddings-inference; prints what it got as one line of JSON."""

import json
import sys

from huggingface_hub import InferenceClient

url, key, question, *texts = sys.argv[1:]
client = InferenceClient(model=f"{url}/embed", token=key)
left, right = (
    client.feature_extraction("a b c " * 40, prompt_name="query", truncate=True, truncation_direction=direction)
    for direction in ("left", "right")
)
result = {
    "query": client.feature_extraction(question, prompt_name="query").tolist(),
    "documents": client.feature_extraction(texts, prompt_name="document", normalize=True).tolist(),
    "left": left.tolist(),
    "right": right.tolist(),
}
sys.stdout.write(json.dumps(result))
