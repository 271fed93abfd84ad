"""The repository serves another encoder without an edited configuration: other size, pooling, prompts and length."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retriton_client import Client, TextTooLong
from retriton_export import Checkpoint, Overrides, Recipe, export_encoder
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert

pytestmark = pytest.mark.triton


def test_another_encoder(tmp_path: Path) -> None:
    folder = str(tiny_bert(tmp_path / "tiny", prompts={"query": "q: ", "passage": "p: "}))
    repository = copy_repository(tmp_path / "model_repository")
    checkpoint = Checkpoint.read(folder, Overrides(pooling="cls", normalize=False))
    export_encoder(checkpoint, repository, Recipe("onnxruntime", "fp32"))
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        with Client(server.endpoint.grpc_url) as client:
            query, passage = client.embed_queries(["p: a text"]), client.embed_passages(["a text"])
            assert query.shape == (1, 32)
            assert not np.allclose(query, passage)  # each lane has its own prefix
            assert client.embed(["a text"], "query").tokens.tolist() == [2 + 2 + 5]  # [CLS] [SEP], q :, five letters
            np.testing.assert_allclose(passage, client.embed_passages(["a text", "b" * 30])[:1], atol=1e-5)
            with pytest.raises(TextTooLong, match="at most 48"):
                client.embed_queries(["c" * 60])
            assert client.encoder_info().normalized is False
