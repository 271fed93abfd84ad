from __future__ import annotations

import pytest

from retriton_serving.launcher.environment import triton_environ

SECRETS = (
    *("RETRITON_LLM_API_KEY", "RETRITON_MILVUS_TOKEN", "RETRITON_API_KEYS_FILE", "OPENAI_API_KEY"),
    *("AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "HF_TOKEN", "ANYTHING_ELSE"),
)


@pytest.mark.parametrize("name", SECRETS)
def test_triton_does_not_get_secrets(name: str) -> None:
    assert triton_environ({name: "secret"}) == {}


@pytest.mark.parametrize("name", ["PATH", "HOME", "TMPDIR", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "LC_ALL"])
def test_triton_gets_what_it_needs(name: str) -> None:
    assert triton_environ({name: "value"}) == {name: "value"}


def test_an_operator_can_name_more() -> None:
    environ = {"RETRITON_TRITON_ENVIRONMENT": "VENDOR_FLAG, OTHER", "VENDOR_FLAG": "1", "UNNAMED": "2"}
    assert triton_environ(environ) == {"VENDOR_FLAG": "1"}
