"""Addresses as clients put them together, HEAD, and pages of other origins."""

from __future__ import annotations

from pathlib import Path

import pytest

from retriton_pipeline.gateway import new_key
from tests.gateway.in_process import in_process

PAGE = "https://app.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, content-type"}


async def test_slashes_at_the_end_of_a_path_change_nothing() -> None:
    async with in_process() as http:
        for path in ("/v1/embeddings/", "/rerank/", "/v1/chat/completions//"):
            assert (await http.post(path, json={})).status_code == 422
        assert (await http.get("/v1/health/live/")).json() == {"status": "live"}
        assert (await http.get("/v1/nothing/")).status_code == 404


ORIGIN = "http://127.0.0.1:8080"


SAME = [  # a path, and a field that the route at the path that is meant requires
    ("//v1/embeddings", "input"),
    ("/v1//embeddings", "input"),
    ("/v1///embeddings//", "input"),
    ("/v1/v1/embeddings", "input"),
    ("/v1/v1/v1/embeddings", "input"),
    ("/embeddings", "input"),
    ("/embeddings/", "input"),
    ("//embeddings", "input"),
    ("/chat/completions", "messages"),
    ("/responses", "model"),
    ("/ranking", "query"),
    ("/v1/v1/rerank", None),
    ("/v1/v2/rerank", None),
    ("/v1/v2/embed", "texts"),
    ("//v2//rerank", None),
    ("/vector_stores/a/search", "query"),
    ("/", "inputs"),
    ("//", "inputs"),
]
OTHERS = ("/v1", "/v1/v1", "/v2/embeddings", "/v2/v1/embeddings", "/embedding", "/modelsx", "/v1embed")


async def test_base_addresses_may_end_with_a_slash_and_with_the_version_or_without() -> None:
    async with in_process() as http:
        for path, field in SAME:
            answer = await http.post(ORIGIN + path, json={})
            assert (answer.status_code, answer.json()["error"]["param"]) == (422, field), path


async def test_other_paths_are_not_guessed() -> None:
    async with in_process() as http:
        for path in OTHERS:
            assert (await http.post(path, json={})).status_code == 404, path


async def test_probes_and_metrics_have_the_paths_of_other_servers_too() -> None:
    async with in_process() as http:
        for path, same in (("/health", "/v1/health/ready?part=triton"), ("/metrics", "/v1/metrics")):
            found, wanted = await http.get(path), await http.get(same)
            assert found.status_code == wanted.status_code
            assert found.headers["Content-Type"] == wanted.headers["Content-Type"]
            assert (await http.head(f"{path}/")).status_code == found.status_code


async def test_no_spelling_goes_around_the_keys(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(new_key("tests")[1])
    async with in_process(keys_file=tmp_path / "keys") as http:
        for path in ("/v1/models/", "/v1/jobs//", "/static/", "/models", "//v1/models", "/v1/v1/models"):
            for method in ("GET", "HEAD"):
                assert (await http.request(method, ORIGIN + path)).status_code in (401, 404)
        for path in ("/v1/embeddings/", "/embeddings", "/", "//", "/v1/health//../embeddings", "/health/../embeddings"):
            assert (await http.post(ORIGIN + path, json={})).status_code in (401, 404)


async def test_head_is_answered_as_get() -> None:
    async with in_process() as http:
        for path in ("/v1/health/live", "/v1/metrics", "/", "/openapi.json", "/v1/models", "/v1/jobs", "/nothing"):
            head, get = await http.head(path), await http.get(path)
            assert head.status_code == get.status_code, path
            assert head.headers["Content-Type"] == get.headers["Content-Type"]


async def test_head_is_allowed_where_get_is() -> None:
    async with in_process() as http:
        assert (await http.post("/v1/models")).headers["Allow"] == "GET, HEAD"
        assert (await http.head("/v1/embeddings")).headers["Allow"] == "POST"


async def test_a_path_or_method_that_does_not_exist_is_explained() -> None:
    async with in_process() as http:
        for answer, told in (
            (await http.post("/api/embed", json={}), "there is no such path: GET /openapi.json lists all"),
            (await http.put("/v1/embeddings"), "the header Allow has those that it has"),
        ):
            assert told in answer.json()["error"]["message"]


@pytest.mark.parametrize("has_keys", [True, False])
async def test_pages_of_allowed_origins_may_send_requests(tmp_path: Path, has_keys: bool) -> None:
    key, line = new_key("tests")
    (tmp_path / "keys").write_text(line)
    async with in_process(keys_file=tmp_path / "keys" if has_keys else None, origins=(PAGE,)) as http:
        asked = await http.options("/v1/embeddings", headers={"Origin": PAGE, **PREFLIGHT})
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
        assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
        headers = {"Origin": PAGE, "Authorization": f"Bearer {key}"}
        answer = await http.post("/v1/embeddings", json={}, headers=headers)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (422, PAGE)
        assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
        other = {"Origin": "https://other.example"}
        assert (await http.options("/v1/embeddings", headers={**other, **PREFLIGHT})).status_code == 400
        refused = await http.post("/v1/embeddings", json={}, headers={**headers, **other})
        assert refused.status_code == (422 if has_keys else 403)
        assert "Access-Control-Allow-Origin" not in refused.headers


async def test_any_origin_is_for_gateways_with_keys() -> None:
    async with in_process(origins=("*",)) as http:
        assert (await http.post("/v1/embeddings", json={}, headers={"Origin": PAGE})).status_code == 403


async def test_without_allowed_origins_there_is_no_cors() -> None:
    async with in_process() as http:
        asked = await http.options("/v1/embeddings", headers={"Origin": PAGE, **PREFLIGHT})
    assert asked.status_code == 403
