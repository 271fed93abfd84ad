"""An engine that computes something else than its manifest says: an error, a metric, and a failing probe."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import pytest

from retriton_client import Client, Retry, ServerFault
from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert

pytestmark = pytest.mark.triton


def invalid_results(server: TritonServer, lane: str) -> float:
    """The counter, which a lane reports once a second."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.endpoint.metrics_port}/metrics", timeout=10) as page:
        lines = page.read().decode().splitlines()
    wanted = [line for line in lines if line.startswith("retriton_invalid_results_total") and f'lane="{lane}"' in line]
    return sum(float(line.rsplit(" ", 1)[1]) for line in wanted)


def test_vectors_that_are_not_of_length_one_do_not_leave_and_fail_the_probe(tmp_path: Path) -> None:
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = tiny_bert(tmp_path / "tiny", modules=("Transformer", "Pooling"))
    export_encoder(Checkpoint.read(str(checkpoint)), repository, Recipe("openvino", "fp32"))
    manifest = repository / "encoder" / "1" / "manifest.json"
    described = json.loads(manifest.read_text())
    described["encoder"]["normalized"] = True
    manifest.write_text(json.dumps(described))
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        with Client(server.endpoint.grpc_url, retry=Retry(attempts_max=1)) as client:
            with pytest.raises(ServerFault, match=r"text [0-2] has an invalid result, which has length .*, not 1"):
                client.embed_passages([f"text {number}" for number in range(3)])
            with pytest.raises(ServerFault, match="text 0 has an invalid result") as probed:
                client.check_health()
        assert probed.value.code == "INVALID_RESULT"
        time.sleep(2)
        assert invalid_results(server, "embed_passage") >= 4
        assert invalid_results(server, "embed_query") >= 1
