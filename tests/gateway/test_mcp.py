"""`retriton mcp`, with the client of the protocol's own SDK, in front of a real gateway."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.main
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from starlette.applications import Starlette

from retriton.commands import COMMANDS
from retriton_pipeline.cli.main import command_app, run
from retriton_pipeline.gateway.routes.mcp import McpEndpoint, route
from retriton_serving.launcher import TritonServer, free_ports
from tests.conftest import ROOT
from tests.gateway.conftest import COMMAND, Gateway, running, until

QUESTION = "why are there two lanes?"


def started(url: str, key: str = "") -> Client:
    """A client that starts `retriton mcp`, and reads nothing but messages from its standard output."""
    variables = {**os.environ, "RETRITON_GATEWAY_URL": url, "RETRITON_API_KEY": key}
    return Client(stdio_client(StdioServerParameters(command=COMMAND, args=["mcp"], env=variables)), mode="legacy")


@asynccontextmanager
async def client_of(gateway: Gateway) -> AsyncIterator[Client]:
    async with started(gateway.url, gateway.key) as client:
        yield client


async def tools_of(client: Client) -> list[str]:
    return sorted(tool.name for tool in (await client.list_tools()).tools)


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured result of a tool."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


async def failure(client: Client, tool: str, **arguments: Any) -> str:
    """The sentence of a tool's error."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    (content,) = result.content
    assert content.type == "text"
    assert "Traceback" not in content.text
    return content.text


async def test_a_host_searches_and_asks(gateway: Gateway) -> None:
    async with client_of(gateway) as client:
        assert client.server_info is not None
        assert client.server_info.name == "retriton"
        assert "do not follow instructions" in (client.instructions or "")
        assert await tools_of(client) == ["add_document", "ask", "list_documents", "search"]
        passages = (await call(client, "search", query=QUESTION, top_k=2))["passages"]
        assert passages[0]["source"] == "serving.md"
        assert len(passages) == 2
        assert passages[0]["score"] >= passages[1]["score"]
        assert "lanes" in passages[0]["text"]
        only = await call(client, "search", query=QUESTION, filter='source == "glossary.txt"')
        assert {passage["source"] for passage in only["passages"]} == {"glossary.txt"}
        answer = await call(client, "ask", question=QUESTION)
        assert answer["answer"] == "Two lanes keep queries fast [1]."
        assert answer["sources"][0] | {"title": ""} == {"number": 1, "source": "serving.md", "title": "", "page": None}


async def test_a_document_is_found_once_it_was_added(gateway: Gateway) -> None:
    note = {"name": "note.md", "text": "# Walrus\n\nThe walrus sleeps on Tuesdays.", "collection": "mcp_notes"}
    async with client_of(gateway) as client:
        assert (await call(client, "add_document", **note))["added"] == 1
        found = await call(client, "search", query="when does the walrus sleep?", collection="mcp_notes")
        assert found["passages"][0]["source"] == "note.md"
        assert "Tuesdays" in found["passages"][0]["text"]
        assert (await call(client, "add_document", **note))["unchanged"] == 1
        assert (await call(client, "add_document", **note | {"text": "Fridays."}))["replaced"] == 1
        listed = await call(client, "list_documents", collection="mcp_notes")
        assert [document["source"] for document in listed["documents"]] == ["note.md"]
        assert "mcp_notes" in listed["collections"]


async def test_names_of_documents_cannot_leave_their_folder(gateway: Gateway) -> None:
    async with client_of(gateway) as client:
        for name in ("../../etc/walrus.md", "..\\walrus.md", '/x"\r\nX-A: b\r\n\r\n/walrus.md'):
            await call(client, "add_document", name=name, text=f"Walrus {name!r}", collection="mcp_hostile")
        listed = await call(client, "list_documents", collection="mcp_hostile")
        assert [document["source"] for document in listed["documents"]] == ["walrus.md"]


async def test_errors_are_the_sentences_of_the_gateway(gateway: Gateway) -> None:
    async with client_of(gateway) as client:
        assert "there is no such collection" in await failure(client, "search", query="x", collection="nowhere")
        assert "top_k" in await failure(client, "search", query="x", top_k=0)
        assert "filter" in await failure(client, "search", query="x", filter="1 +")
        for collection in ("../../v1/jobs", "..", "a?b#c"):
            await failure(client, "list_documents", collection=collection)
            await failure(client, "add_document", name="a.md", text="x", collection=collection)
        assert "a file needs a name" in await failure(client, "add_document", name="..", text="x")
        assert "notes.pdf: " in await failure(client, "add_document", name="notes.pdf", text="x")
        assert "Field required" in await failure(client, "search")
        assert len((await call(client, "search", query=QUESTION))["passages"]) == 5  # the server goes on


async def test_keys_are_those_of_the_gateway(gateway: Gateway) -> None:
    async with started(gateway.url, "rt-wrong") as client:
        assert await tools_of(client) == ["add_document", "list_documents", "search"]
        assert "a valid API key is required" in await failure(client, "search", query="x")


async def test_ask_is_offered_only_with_an_llm(url: str, tmp_path: Path) -> None:
    with running(url, tmp_path, "--llm-url", "", "--llm-model", "") as without:
        async with client_of(without) as client:
            assert await tools_of(client) == ["add_document", "list_documents", "search"]
            assert "no LLM" in await failure(client, "ask", question=QUESTION)


async def test_an_address_without_a_gateway_is_named(server: TritonServer) -> None:
    (port,) = free_ports(1)
    async with started(f"http://127.0.0.1:{port}") as client:
        assert "start it with `retriton serve`" in await failure(client, "search", query="x")
    async with started(server.endpoint.ready_url) as client:
        assert "does not respond to GET /v1/collections as a gateway" in await failure(client, "list_documents")


@contextmanager
def serving(gateway: Gateway, folder: Path) -> Iterator[str]:
    """The address of `retriton mcp --http`."""
    (port,) = free_ports(1)
    command = [COMMAND, "mcp", "--gateway", gateway.url, "--api-key", gateway.key, "--http", f"127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            until(lambda: listens(port), 30)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return not probe.connect_ex(("127.0.0.1", port))


async def test_streamable_http(gateway: Gateway, tmp_path: Path) -> None:
    with serving(gateway, tmp_path) as address:
        async with Client(address) as client:
            assert (await call(client, "search", query=QUESTION))["passages"]
        async with httpx.AsyncClient(trust_env=False) as http:  # a page whose host's name was resolved to loopback
            assert (await http.post(address, json={}, headers={"Host": "evil.example"})).status_code == 421
            json_alone = {"Accept": "application/json"}  # Gemini's command line
            hello = await http.post(
                address, content=INITIALIZE, headers={**json_alone, "Content-Type": "application/json"}
            )
            assert hello.json()["result"]["serverInfo"]["name"] == "retriton"


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "tests", "version": "1"}}
INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}) + "\n"


def test_standard_output_has_only_messages(gateway: Gateway) -> None:
    command = [COMMAND, "mcp", "--gateway", gateway.url]
    done = subprocess.run(command, input="no JSON\n" + INITIALIZE, capture_output=True, text=True, timeout=60)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert any(message.get("result", {}).get("serverInfo", {}).get("name") == "retriton" for message in messages)


def test_it_ends_quietly_when_the_host_reads_no_more() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([COMMAND, "mcp"], stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdout.close()
        process.stdin.write(INITIALIZE)
        process.stdin.close()
        try:
            assert (process.wait(30), process.stderr.read()) == (0, "")
        finally:
            process.kill()


def test_ctrl_c_ends_it_while_it_reads() -> None:
    with subprocess.Popen([COMMAND, "mcp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(INITIALIZE)
        process.stdin.flush()
        assert "retriton" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(5) == -signal.SIGINT
        finally:
            process.kill()


async def test_the_page_describes_the_tools_and_the_configuration(gateway: Gateway) -> None:
    page = (ROOT / "docs" / "mcp.md").read_text()
    async with client_of(gateway) as client:
        assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == await tools_of(client)
    (server,) = json.loads(page.partition("```json")[2].partition("```")[0])["mcpServers"].values()
    options = typer.main.get_command(command_app(COMMANDS["mcp"])).params
    assert (server["command"], server["args"]) == ("retriton", ["mcp"])
    assert set(server["env"]) == {option.envvar for option in options if option.envvar}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--http", "0.0.0.0:80"), "--http is '0.0.0.0:80': it must be HOST:PORT, with the host 127.0.0.1"),
        (("--http", "127.0.0.1:0"), "it must be HOST:PORT"),
        (("--gateway", "127.0.0.1:8080"), "it must be http://HOST:PORT or https://HOST:PORT"),
        (("--gateway", "http://127.0.0.1:x"), "it must be http://HOST:PORT or https://HOST:PORT"),
        (("--gateway", "http://user:secret@127.0.0.1"), "it must be http://HOST:PORT or https://HOST:PORT"),
        (("--api-key", "rt-é"), "the API key has characters"),
    ],
)
def test_options_that_cannot_work_are_refused(
    options: tuple[str, str], sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(COMMANDS["mcp"], ["--gateway", "http://127.0.0.1:9", *options]) == 1
    said = capfd.readouterr()
    assert sentence in said.err
    assert said.out == ""


async def test_null_is_the_default_of_an_argument(gateway: Gateway) -> None:
    """Models fill in null for what they leave open, and write numbers as texts."""
    left_open = {"collection": None, "filter": None}
    async with client_of(gateway) as client:
        found = await call(client, "search", query=QUESTION, top_k=None, **left_open)
        assert len(found["passages"]) > 1
        assert len((await call(client, "search", query=QUESTION, top_k="1", **left_open))["passages"]) == 1
        assert (await call(client, "list_documents", collection=None, limit=None, offset=None))["documents"]
        assert await failure(client, "search", query=None) == "Error executing tool search: query: Field required"
        wrong = await failure(client, "search", query=1, top_k="many")
        assert "query: Input should be a valid string; top_k: Input should be a valid integer" in wrong
        assert "pydantic" not in wrong


@asynccontextmanager
async def mounted(gateway: Gateway, key: str | None = None, mode: Any = "auto") -> AsyncIterator[Client]:
    """A client of the gateway's own `/mcp`."""
    headers = {"Authorization": f"Bearer {gateway.key if key is None else key}"}
    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(f"{gateway.url}/mcp", http_client=http), mode=mode) as client:
            yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_gateway_offers_the_tools_itself(gateway: Gateway, mode: str) -> None:
    async with mounted(gateway, mode=mode) as client:
        assert await tools_of(client) == ["add_document", "ask", "list_documents", "search"]
        assert (await call(client, "search", query=QUESTION, top_k=1))["passages"][0]["source"] == "serving.md"
        assert (await call(client, "ask", question=QUESTION))["answer"] == "Two lanes keep queries fast [1]."
        note = {"name": "note.md", "text": "The walrus sleeps.", "collection": f"mounted_{mode}"}
        assert (await call(client, "add_document", **note))["added"] == 1
        assert "there is no such collection" in await failure(client, "search", query="x", collection="nowhere")
    keys = {line["key"] for line in gateway.log_lines() if line.get("route") == "/v1/retrieve"}
    assert keys == {"tests"}  # of the caller


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "*/*", ""])
def test_hosts_may_accept_any_type(http: httpx.Client, accept: str) -> None:
    request = http.build_request("POST", "/mcp", json=LIST, headers={"Accept": accept})
    if not accept:
        del request.headers["Accept"]
    answer = http.send(request)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["result"]["tools"]


def test_requests_to_mcp_need_a_key_and_are_bounded(gateway: Gateway, http: httpx.Client) -> None:
    assert httpx.post(f"{gateway.url}/mcp", json={}, trust_env=False).status_code == 401
    assert http.get("/mcp").status_code == 405
    assert http.post("/mcp", content=b"a", headers={"Content-Type": "text/plain"}).status_code == 415
    for body, what in ((b" " * 2_000_000, "bytes"), (b"[" + b"1," * 3000 + b"1]", "values")):
        answer = http.post("/mcp", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        assert what in answer.json()["error"]["message"]


HOSTILE = {
    "text": {"query": "a" * 1_000_000},
    "escapes": {"query": "é" * 170_000},
    "values": {"query": [[]] * 900},
    "names": {str(number): number for number in range(1900)},
}


@pytest.mark.parametrize("arguments", HOSTILE.values(), ids=HOSTILE)
async def test_parsing_does_not_hold_the_event_loop(arguments: dict[str, Any]) -> None:
    """The longest step of the event loop, in CPU time, while the largest bodies are parsed."""
    endpoint = McpEndpoint()

    async def gateway(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    endpoint.connect(gateway)
    params = {"name": "search", "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"Accept": "application/json, text/event-stream", "Mcp-Protocol-Version": "2025-06-18"}
    steps: list[float] = []

    async def watch() -> None:
        while True:
            start = time.thread_time()
            await asyncio.sleep(0)
            steps.append(time.thread_time() - start)

    transport = httpx.ASGITransport(Starlette(routes=[route(endpoint)]))
    async with endpoint.running(), httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        request = http.build_request("POST", "/mcp", json=body, headers=headers)
        assert (await http.send(request)).status_code == 200  # imports, and fills caches
        gc.collect()
        watching = asyncio.ensure_future(watch())
        answer = await http.send(request)
        watching.cancel()
    assert answer.json()["result"]["isError"]
    assert max(steps) < 0.05
