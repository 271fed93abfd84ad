"""API keys of requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.gateway import new_key
from tests.gateway.conftest import Gateway, error, running, until

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
EMBED = {"input": "hello", "model": "query"}


@pytest.mark.parametrize("key", ["none", "rt-wrong"])
def test_without_a_valid_key_only_health_metrics_and_the_page_are_accessible(gateway: Gateway, key: str) -> None:
    with gateway.client(key) as http:
        refused = http.post("/v1/embeddings", json=EMBED)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert error(refused)["code"] == "invalid_api_key"
        for path in ("/v1/models", "/v1/jobs", "/v1/collections", "/v2/nvcf/pexec/status/" + "0" * 32):
            assert http.get(path).status_code == 401
        for path in ("/v1/health/live", "/v1/health/ready", "/v1/metrics", "/openapi.json", "/", "/static/base.css"):
            assert http.get(path).status_code == 200, path


def test_keys_rotate_without_a_restart(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path) as gateway:
        key, line = new_key("next")
        with gateway.client(key) as http, gateway.client() as before:
            assert http.post("/v1/embeddings", json=EMBED).status_code == 401
            gateway.keys_file.write_text(line)
            until(lambda: http.post("/v1/embeddings", json=EMBED).status_code == 200)
            assert before.post("/v1/embeddings", json=EMBED).status_code == 401
