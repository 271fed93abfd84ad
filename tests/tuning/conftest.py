"""A tiny encoder, whose tuning takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.export.checkpoints import tiny_bert

POOLING = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True}


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint."""
    return tiny_bert(tmp_path_factory.mktemp("tuning") / "tiny", pooling=dict(POOLING))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads are slower for so small matrices."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
