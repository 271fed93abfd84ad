"""The length of vectors, of an encoder that does not normalise them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from retriton_client import Embeddings, EncoderInfo, Role
from retriton_pipeline.coalescing import CoalescingEmbedder
from retriton_pipeline.gateway.services.embedding import TextEmbedding
from retriton_pipeline.gateway.services.upstream import Upstream
from retriton_pipeline.gateway.settings import Settings

VECTORS = np.array([[3, 4], [0, 2]], np.float32)


class Embedder:
    """Embeds all texts as the same vectors."""

    async def embed(self, texts: Sequence[str], role: Role, **options: Any) -> Embeddings:
        counts = np.ones(len(texts), np.int32)
        return Embeddings(VECTORS[: len(texts)], counts, counts)


class Unnormalized(Upstream):
    """Serves an encoder whose vectors have any length."""

    async def encoder(self) -> EncoderInfo:
        return EncoderInfo("e", "f", 2, 64, False, {}, "fp32", "")


async def test_vectors_are_scaled_only_on_request() -> None:
    settings = Settings("127.0.0.1:9", "http://127.0.0.1:9")
    upstream = Unnormalized(settings)
    upstream.embedder = CoalescingEmbedder(Embedder())
    embedding = TextEmbedding(upstream, settings)
    plain, scaled = [await embedding.embed(["a", "b"], None, normalize=normalize) for normalize in (False, True)]
    await upstream.client.close()
    np.testing.assert_array_equal(plain.vectors, VECTORS)
    np.testing.assert_allclose(scaled.vectors, [[0.6, 0.8], [0, 1]], rtol=1e-6)
