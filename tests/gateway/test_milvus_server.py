"""A gateway with a Milvus server that the command line uses at the same time."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.gateway.conftest import COMMAND, SAMPLES, running, upload
from tests.milvus_server import milvus_server

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
QUERY = {"query": "Why are there two lanes?", "top_k": 1}


def test_searches_go_on_while_a_collection_is_rebuilt_and_health_follows_milvus(url: str, tmp_path: Path) -> None:
    with milvus_server(tmp_path) as milvus, running(url, tmp_path, "--milvus", milvus) as gateway:
        with gateway.client() as http:
            assert upload(http, "documents", SAMPLES)["state"] == "succeeded"
            assert http.post("/v1/retrieve", json=QUERY).json()["passages"][0]["source"] == "serving.md"
            assert http.get("/v1/health/ready", params={"part": "milvus"}).status_code == 200
            statuses, done = Counter[int](), threading.Event()

            def search() -> None:
                while not done.is_set():
                    statuses[http.post("/v1/retrieve", json=QUERY).status_code] += 1

            searching = threading.Thread(target=search)
            searching.start()
            environ = {**os.environ, "RETRITON_URL": url, "RETRITON_MILVUS_URI": milvus}
            command = [COMMAND, "ingest", str(SAMPLES[0].parent), "--rebuild"]
            subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
            done.set()
            searching.join()
            assert set(statuses) == {200}, statuses
            assert statuses[200] > 50  # two reads of the store that waited for its tick would be 0.4 s each
            found = http.post("/v1/retrieve", json=QUERY).json()["passages"][0]
            assert found["source"].endswith("docs/samples/serving.md")  # of the command line: the upload is replaced
    with running(url, tmp_path, "--milvus", milvus) as gateway, gateway.client() as http:  # it is gone
        assert http.get("/v1/health/ready", params={"part": "milvus"}).status_code == 503
        assert http.get("/v1/health/ready", params={"part": "triton"}).status_code == 200
