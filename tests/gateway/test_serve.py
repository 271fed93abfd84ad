"""`retriton serve` as a whole: TLS, traces, closed admin protocols, and the gateway beside Triton."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psutil
import pytest
import trustme
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from retriton_client import Client, RetritonError, Retry, Tls
from retriton_serving.launcher import Endpoint, LaunchError, ServerTls, TritonServer, TritonWheel, free_ports
from tests.conftest import SERVER_ENV
from tests.gateway.conftest import COMMAND, SAMPLES, running, upload
from tests.launcher.serve_command import serving, until_ready
from tests.launcher.test_process import until

pytestmark = [pytest.mark.triton, pytest.mark.milvus]
ONCE = Retry(attempts_max=1)


def test_serve_keeps_a_gateway_beside_triton_and_ends_with_both(repository: Path, tmp_path: Path) -> None:
    options = ("--alias", "other", "--truncate", "END")
    with serving(repository, tmp_path, *options) as (process, endpoint, address), ExitStack() as stack:
        until_ready(address)
        http = stack.enter_context(httpx.Client(base_url=address, trust_env=False))
        body = {"input": "hello", "model": "query"}
        assert http.post("/v1/embeddings", json=body).status_code == 200  # no keys: everybody is let in...
        long = http.post("/v1/embeddings", json={"input": "word " * 400, "model": "other"})
        assert long.json()["usage"]["total_tokens"] == 256  # the options of the gateway
        assert "no API keys: every program on this machine" in (tmp_path / "serve.log").read_text()  # ...and told so
        for foreign in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}):
            refused = http.post(
                "/v1/collections/documents/documents", files=[("files", ("a.txt", b"a"))], headers=foreign
            )
            assert refused.status_code == 403, foreign  # of a page that the user happens to look at
        assert http.post("/v1/embeddings", json=body, headers={"Origin": address}).status_code == 200
        gateway = next(p for p in psutil.Process(process.pid).children() if "gateway" in p.cmdline())
        gateway.kill()
        gateway.wait(10)
        until_ready(address, 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        with pytest.raises(httpx.ConnectError):
            http.get("/v1/health/live")
        endpoint.check_free()


def test_serve_listens_on_ipv6(repository: Path, tmp_path: Path) -> None:
    with serving(repository, tmp_path, "--host", "::1") as (_, endpoint, address):
        until_ready(address.replace("127.0.0.1", "[::1]"))
        with Client(f"[::1]:{endpoint.grpc_port}") as client:
            assert client.embed_queries(["hello"]).shape == (1, 384)
        assert f"on [::1]:{endpoint.grpc_port} (gRPC) and http://[::1]:" in (tmp_path / "serve.log").read_text()


def test_a_taken_port_is_named_with_the_way_out(repository: Path, tmp_path: Path) -> None:
    port = str(free_ports(1)[0])
    command = [COMMAND, "serve", "--model-repository", str(repository), "--server-env", str(SERVER_ENV)]
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), BaseHTTPRequestHandler)
    done = subprocess.run([*command, "--gateway-port", port], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    server.server_close()
    assert done.returncode == 1
    assert "--gateway-port, or leave the gateway out with --no-gateway" in done.stderr


def test_admin_protocols_are_closed(server: TritonServer) -> None:
    endpoint = server.endpoint
    grpc = InferenceServerClient(endpoint.grpc_url)
    for call in (
        grpc.get_model_repository_index,
        lambda: grpc.unload_model("encoder"),
        lambda: grpc.load_model("encoder"),
        lambda: grpc.register_system_shared_memory("x", "/x", 16),
        lambda: grpc.update_log_settings({"log_file": "/tmp/x"}),
        lambda: grpc.update_trace_settings(settings={"trace_file": "/tmp/x"}),
    ):
        with pytest.raises(InferenceServerException, match="restricted"):
            call()
    assert grpc.get_inference_statistics("embed_query").model_stats
    grpc.close()
    with httpx.Client(base_url=f"http://127.0.0.1:{endpoint.http_port}", trust_env=False) as http:
        for path in (
            "/v2/repository/index",
            "/v2/repository/models/encoder/unload",
            "/v2/logging",
            "/v2/trace/setting",
        ):
            assert "restricted" in http.post(path, json={}).text, path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A certificate for localhost, its key, and the authority that vouches for it."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "server.pem")
    issued.private_key_pem.write_to_path(folder / "server.key")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return folder / "server.pem", folder / "server.key", folder / "ca.pem"


def test_grpc_and_http_can_be_encrypted(
    repository: Path, certificates: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    certificate, key, ca = certificates
    with TritonServer(
        TritonWheel(SERVER_ENV), repository, Endpoint.free(), tls=ServerTls(certificate, key, ca)
    ) as server:
        server.wait_ready()
        url = server.endpoint.grpc_url
        with Client(url, tls=Tls(ca)) as client:
            assert client.embed_queries(["hello"]).shape == (1, 384)
        for wrong in (None, Tls(), Tls(ca, server_name="elsewhere")):
            with Client(url, tls=wrong, retry=ONCE, timeout_s=5) as client, pytest.raises(RetritonError):
                client.embed_queries(["hello"])
        options = ("--tls-cert", str(certificate), "--tls-key", str(key))
        with running(url, tmp_path, *options, RETRITON_TLS_CA=str(ca)) as gateway:
            context = ssl.create_default_context(cafile=ca)
            headers = {"Authorization": f"Bearer {gateway.key}"}
            with httpx.Client(base_url=gateway.url, verify=context, headers=headers, trust_env=False) as http:
                assert http.post("/v1/embeddings", json={"input": "hello", "model": "query"}).status_code == 200
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                httpx.get(f"{gateway.url}/v1/health/live", trust_env=False)


def test_serve_probes_itself_over_tls(repository: Path, certificates: tuple[Path, Path, Path], tmp_path: Path) -> None:
    certificate, key, ca = map(str, certificates)
    options = ("--grpc-tls-cert", certificate, "--grpc-tls-key", key, "--grpc-tls-ca", ca)
    with serving(repository, tmp_path, *options) as (process, endpoint, address):
        until_ready(address)
        until(lambda: health_probes(endpoint) >= 3, 20)
        assert process.poll() is None
        assert "starting the server again" not in (tmp_path / "serve.log").read_text()
        health = [str(Path(COMMAND).parent / "retriton-health"), endpoint.grpc_url]
        assert subprocess.run(health, env={**os.environ, "RETRITON_TLS_CA": ca}, timeout=20).returncode == 0


def test_serve_with_mutual_tls_admits_only_clients_with_a_certificate(
    repository: Path, certificates: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    certificate, key, ca = certificates
    options = ("--grpc-tls-cert", certificate, "--grpc-tls-key", key, "--grpc-tls-ca", ca, "--grpc-tls-client-ca", ca)
    own = {"RETRITON_TLS_CERT": str(certificate), "RETRITON_TLS_KEY": str(key)}
    with serving(repository, tmp_path, *map(str, options), **own) as (_, endpoint, address):
        until_ready(address)  # the probe and the gateway have embedded
        with Client(endpoint.grpc_url, tls=Tls(ca, certificate, key)) as client:
            assert client.embed_queries(["hello"]).shape == (1, 384)
        with Client(endpoint.grpc_url, tls=Tls(ca), retry=ONCE, timeout_s=5) as client, pytest.raises(RetritonError):
            client.embed_queries(["hello"])


def test_mutual_tls_without_a_certificate_for_the_probe_is_refused(
    certificates: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key, ca = certificates
    monkeypatch.delenv("RETRITON_TLS_CERT", raising=False)
    with pytest.raises(LaunchError, match="set RETRITON_TLS_CERT and RETRITON_TLS_KEY"):
        ServerTls(certificate, key, ca, client_ca=ca).for_clients()


def health_probes(endpoint: Endpoint) -> int:
    """How many requests `encoder_info` has answered; each probe of the supervisor sends one."""
    url = f"http://{endpoint.http_host}:{endpoint.http_port}/v2/models/encoder_info/stats"
    (model,) = httpx.get(url, trust_env=False, timeout=5).json()["model_stats"]
    return int(model["inference_stats"]["success"]["count"])


@dataclass(frozen=True)
class Span:
    """A span as a collector sees it."""

    service: str
    name: str
    trace_id: str


def spans_of(body: bytes, content_type: str) -> Iterator[Span]:
    """What one export says: protobuf from the gateway, JSON from Triton."""
    if content_type == "application/json":
        for resource in json.loads(body)["resourceSpans"]:
            attributes = {entry["key"]: entry["value"] for entry in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    yield Span(attributes["service.name"]["stringValue"], span["name"], span["traceId"])
        return
    for found in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(entry.value.string_value for entry in found.resource.attributes if entry.key == "service.name")
        for some in found.scope_spans:
            for one in some.spans:
                yield Span(service, one.name, one.trace_id.hex())


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """An OTLP endpoint over HTTP, and what it gets."""
    got: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.extend(spans_of(body, self.headers["Content-Type"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()


def missing(wanted: tuple[str, ...], got: list[Span], trace_id: str) -> list[str]:
    """Which of these names no span of the trace has."""
    names = {span.name for span in list(got) if span.trace_id == trace_id}
    return [part for part in wanted if not any(part in name for name in names)]


def test_one_trace_goes_through_gateway_triton_and_milvus(repository: Path, tmp_path: Path) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    with collector() as (otlp, got):
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with serving(repository, tmp_path, **variables) as (_, _, address):
            until_ready(address)
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as http:
                upload(http, "documents", SAMPLES[:1])
                headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}
                wanted = ("retrieve", "ModelInfer", "MilvusService/Search", "embed_query")
                for _ in range(3):  # exporters drop what they cannot send
                    found = http.post("/v1/retrieve", json={"query": "lanes", "mode": "hybrid"}, headers=headers)
                    assert found.status_code == 200
                    with suppress(AssertionError):
                        until(lambda: not missing(wanted, got, trace_id), 10)
                        break
            assert not missing(wanted, got, trace_id)
    services = {span.service for span in got if span.trace_id == trace_id}
    assert services == {"retriton-gateway", "triton-inference-server"}
