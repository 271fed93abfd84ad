"""Schemathesis checks a gateway against its own OpenAPI document: the same requests each time, or those of a seed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.gateway.clients.environment import SCRIPTS, run_client, tiny_triton
from tests.gateway.conftest import SAMPLES, running, upload

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
SEED = os.environ.get("SCHEMA_SEED", "")  # of `make fuzz`
REQUESTS = ("--max-examples", "25", "--seed", SEED) if SEED else ("--max-examples", "10", "--generation-deterministic")
CONFIG = """
# 422 is for what contradicts the document. 400 is for what no schema can say: a text that is too long for the encoder,
# a filter that Milvus does not understand, two files of the same name.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 401, 404, 409, 429]

# DELETE ends a job, and leaves the record of how it ended.
[[operations]]
include-path = "/v1/jobs/{job_id}"
checks.use_after_free.enabled = false

# Of a vector store that was just created and a file that does not exist, the file is not found.
[[operations]]
include-path = "/v1/vector_stores/{vector_store_id}/files"
checks.ensure_resource_availability.enabled = false

[[operations]]
include-path = "/v1/vector_stores/{vector_store_id}/file_batches"
checks.ensure_resource_availability.enabled = false

# A number among the parts of a form is a file of some digits.
[[operations]]
include-name = "POST /v1/collections/{collection}/documents"
checks.negative_data_rejection.enabled = false
"""


@pytest.mark.timeout(800)
def test_the_gateway_does_what_its_openapi_document_says(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with tiny_triton(tmp_path) as url, running(url, tmp_path) as gateway:
        with gateway.client() as http:
            for name in ("documents", "A"):  # the default, and what schemathesis calls a collection
                upload(http, name, SAMPLES[-2:])
        printed = run_client(
            *("st", "run", f"{gateway.url}/openapi.json", "--header", f"Authorization: Bearer {gateway.key}"),
            *(*REQUESTS, "--continue-on-failure"),
            *("--request-timeout", "30", "--warnings", "off", "--no-color"),
            folder=tmp_path,
            timeout_s=500,
            SCHEMATHESIS_HOOKS="schema_hooks",
            PYTHONPATH=str(SCRIPTS),
        )
        log = gateway.log.read_text()
    assert re.search(r"Selected: (\d+)/\1\s+Tested: \1\s", printed), printed
    assert "No issues found" in printed
    assert "internal error" not in log
