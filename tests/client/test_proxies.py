"""Proxies that the environment names are for the web: requests to this machine do not need them."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from typing import Any

import pytest

from retriton.integrations.gateway import GatewayRetrieval
from retriton_client import InvalidRequest
from retriton_client.proxies import client_options
from retriton_pipeline.errors import InvalidOption
from retriton_pipeline.generation import LLM
from retriton_pipeline.mcp import GatewayRequests
from tests.chat_endpoint import Says, chat_endpoint
from tests.client.test_gateway_retrieval import Gateway, served

ELSEWHERE = "http://gateway.example:8080"
UNREACHABLE, UNKNOWN = {"http_proxy": "http://127.0.0.1:9"}, {"all_proxy": "socks://127.0.0.1:9"}
MALFORMED = {"http_proxy": "http://127.0.0.1:9", "no_proxy": "::1,[::1]"}


@pytest.fixture(params=[UNREACHABLE, UNKNOWN, MALFORMED], ids=["unreachable", "unknown", "malformed"])
def proxies(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)
    found: dict[str, str] = request.param
    return found


@pytest.mark.usefixtures("proxies")
async def test_a_gateway_and_an_llm_of_this_machine_are_asked_directly() -> None:
    with served(Gateway) as url:
        retrieval = GatewayRetrieval(url, timeout_s=5)
        assert await asyncio.to_thread(retrieval.retrieve, "?")
        assert await retrieval.retrieve_async("?")
        assert await GatewayRequests(url).send("POST", "/v1/retrieve", json={})
    with chat_endpoint(Says(("yes",))) as endpoint:
        assert await LLM(endpoint.url, "m", timeout_s=5).complete("?") == "yes"


def test_a_milvus_of_this_machine_is_asked_directly() -> None:
    """In a process of its own, because gRPC reads the environment once."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        clean = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
        variables = {**clean, "http_proxy": f"http://127.0.0.1:{proxy.getsockname()[1]}"}
        program = "from retriton_pipeline.store import Store; Store('http://127.0.0.1:9', 'a').open(None)"
        subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, timeout=60, check=False)
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize("proxies", [UNKNOWN], indirect=True)
async def test_settings_that_cannot_be_used_are_named(proxies: dict[str, str]) -> None:
    sentence = "the proxy settings in the environment cannot be used: .*socks"
    retrieval = GatewayRetrieval(ELSEWHERE)
    with pytest.raises(InvalidRequest, match=sentence):
        retrieval.retrieve("?")
    with pytest.raises(InvalidRequest, match=sentence):
        await retrieval.retrieve_async("?")
    with pytest.raises(InvalidOption, match=sentence):
        GatewayRequests(ELSEWHERE)


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost", "a.localhost", "LOCALHOST.", "[::1]:80", "0.0.0.0:80"])
def test_addresses_of_this_machine(host: str) -> None:
    assert client_options(f"https://{host}/v1")["trust_env"] is False


@pytest.mark.parametrize(
    "host", ["gateway.example", "localhost.example", "10.0.0.1", "[fe80::1]", "0x7f000001.example"]
)
def test_addresses_elsewhere(host: str) -> None:
    assert client_options(f"http://{host}") == dict[str, Any]()
