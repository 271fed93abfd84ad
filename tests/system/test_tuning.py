"""The whole way: tune, gate, export, rebuild, search, roll back; with an encoder of two layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from retriton_export import Checkpoint, Recipe, export_encoder
from retriton_pipeline.errors import EncoderMismatch
from retriton_pipeline.rag import Rag
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel
from retriton_tuning import Outcome, Settings, Tuning, read_labels
from retriton_tuning.served import compare
from retriton_tuning.writing import write
from tests.conftest import SERVER_ENV, copy_repository
from tests.export.checkpoints import tiny_bert
from tests.tuning.conftest import POOLING
from tests.tuning.domain import write_domain

pytestmark = [pytest.mark.triton, pytest.mark.slow]
RECIPE = Recipe("onnxruntime", "fp32")


@contextmanager
def served(repository: Path, store: Path) -> Iterator[Rag]:
    """The library on a server of the repository."""
    with TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free()) as server:
        server.wait_ready()
        with Rag(server.endpoint.grpc_url, str(store), "documents") as rag:
            yield rag


def found(rag: Rag, outcome: Outcome) -> float:
    """Share of the test queries whose relevant passage is among the first five, by dense search."""
    hits = 0
    for query, text in outcome.test.queries.items():
        wanted = {outcome.test.passages[key] for key in outcome.test.relevant[query]}
        passages = rag.retrieve(text, top_k=5, mode="dense", hops=1, neighbours=0).passages
        hits += any(passage.text in wanted for passage in passages)
    return hits / len(outcome.test.queries)


def test_tune_export_rebuild_search_and_roll_back(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = Checkpoint.read(str(tiny_bert(tmp_path / "tiny", pooling=dict(POOLING))))
    data = write_domain(tmp_path / "domain", 200, others=50)
    settings = Settings(guard_loss_max=1.0, recipe={"learning_rate": 3e-3, "epochs": 8})
    run = Tuning(base, read_labels(data), settings, tmp_path / "work")
    outcome = run.run()
    assert outcome.verdict
    assert outcome.accepted, outcome.verdict.reasons
    write(outcome, run.ranking, tmp_path / "tuned")
    tuned = Checkpoint.read(str(tmp_path / "tuned"))

    comparison = compare(base, tuned, outcome.test, ["a live query"], lambda step: None)
    assert comparison.after.ndcg.mean() == pytest.approx(outcome.verdict.after.ndcg.mean(), abs=0.02)
    assert comparison.p < 0.01

    before, after = copy_repository(tmp_path / "before"), copy_repository(tmp_path / "after")
    export_encoder(base, before, RECIPE)
    export_encoder(tuned, after, RECIPE)  # accepted, and equal to PyTorch
    store = tmp_path / "milvus.db"
    with served(before, store) as rag:
        rag.ingest([data / "corpus.jsonl"])
        first = found(rag, outcome)
    with served(after, store) as rag:
        with pytest.raises(EncoderMismatch):
            rag.retrieve("a query")
        rag.ingest([data / "corpus.jsonl"], rebuild=True)
        assert found(rag, outcome) > first + 0.3
    export_encoder(base, after, RECIPE)  # one export and one rebuild lead back
    with served(after, store) as rag:
        rag.ingest([data / "corpus.jsonl"], rebuild=True)
        assert found(rag, outcome) == pytest.approx(first, abs=0.02)
