"""LiteLLM through the providers whose APIs the gateway has; prints what it got as one line of JSON."""

import json
import sys
import warnings
from importlib.metadata import version

import litellm

warnings.simplefilter("ignore")  # of LiteLLM itself
url, key, encoder, cross_encoder, question, *texts = sys.argv[1:]
v1 = {"api_base": f"{url}/v1", "api_key": key}


def embedded(provider: str, **options: object) -> list:
    answer = litellm.embedding(f"{provider}/{encoder}-passage", input=texts, **v1, **options)
    return [item["embedding"] for item in answer.data]


def ranked(provider: str, path: str, **options: object) -> list:
    answer = litellm.rerank(
        f"{provider}/{cross_encoder}", question, texts, top_n=3, api_base=f"{url}{path}", api_key=key, **options
    )
    return [[found["index"], found["relevance_score"]] for found in answer.results]


def answered(**options: object) -> list:
    messages = [{"role": "user", "content": "Why are there two lanes?"}]
    return litellm.completion("openai/m", messages, **v1, **options)


try:
    refused = str(litellm.embedding(f"openai/{encoder}-passage", input=["x " * 100], max_retries=0, **v1))
except litellm.BadRequestError as error:
    refused = str(error)
result = {
    "version": version("litellm"),
    "embedded": {
        "openai": embedded("openai"),
        "openai_base64": embedded("openai", encoding_format="base64"),
        "voyage": embedded("voyage"),
        "jina_ai": embedded("jina_ai"),
        "infinity": embedded("infinity"),
        "nvidia_nim": embedded("nvidia_nim"),
    },
    "ranked": {
        "cohere": ranked("cohere", "/v1/rerank"),
        "jina_ai": ranked("jina_ai", "/v1/rerank", return_documents=True),
        "infinity": ranked("infinity", ""),
        "hosted_vllm": ranked("hosted_vllm", "/v1"),
        "voyage": ranked("voyage", "/v1"),
        "nvidia_nim": ranked("nvidia_nim/ranking", "/v1"),
    },
    "refused": refused,
    "answer": answered().choices[0].message.content,
    "streamed": "".join(event.choices[0].delta.content or "" for event in answered(stream=True)),
}
sys.stdout.write(json.dumps(result))
