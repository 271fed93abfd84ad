from __future__ import annotations

import socket
from pathlib import Path

import pytest

from retriton_serving.launcher import Endpoint, LaunchError, TritonInstallation, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV, copy_repository


def test_a_taken_port_is_named_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        endpoint = Endpoint(http_port=taken.getsockname()[1])
        with pytest.raises(LaunchError, match=f":{endpoint.http_port}.*--http-port"):
            endpoint.check_free()


def test_ipv6_addresses_are_probed_and_in_brackets() -> None:
    assert (Endpoint("::1").grpc_url, Endpoint("::").local_grpc_url) == ("[::1]:8001", "[::1]:8001")
    assert Endpoint("::1").ready_url == "http://[::1]:8000/v2/health/ready"
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", 0))
        taken.listen()
        endpoint = Endpoint("::1", http_port=taken.getsockname()[1])
        with pytest.raises(LaunchError, match=rf"\[::1\]:{endpoint.http_port}.*--http-port"):
            endpoint.check_free()


def test_a_missing_environment_is_named() -> None:
    with pytest.raises(LaunchError, match="retriton setup --server-env /nowhere"):
        TritonWheel(Path("/nowhere"))
    with pytest.raises(LaunchError, match="no tritonserver"):
        TritonInstallation(Path("/nowhere"))


@pytest.mark.triton
def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    repository = copy_repository(tmp_path / "model_repository")  # nothing is exported into it
    with pytest.raises(LaunchError, match="no encoder is installed in .*retriton export"):
        TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free())
