"""The parity gate: an artefact must compute what the checkpoint computes, for texts of all lengths, in any company."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from retriton_export.errors import ParityError
from retriton_export.graph import INPUTS, OUTPUT, SentenceEncoder
from retriton_serving.batcher import pad
from retriton_serving.tokenization import RoleTokenizer, Truncate

COSINE_MIN = {"fp32": 0.99999}
_SENTENCE = (
    "Dense retrieval maps a question and every passage to vectors and ranks passages by their inner product ; "
    "die Länge 1,024 wird naïve gemessen 向量 检索 and so on ( see RFC 9110 , section 8.3 ) until the limit ."
)
_WORDS_FIRST = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377)


@dataclass(frozen=True)
class ParityReport:
    """How far an artefact is from the checkpoint in PyTorch float32.

    Attributes:
        texts: how many were compared.
        tokens_min, tokens_max: their lengths.
        cosine_min_alone: the lowest cosine when each text runs by itself.
        cosine_min_batched: the lowest when all run in one padded batch.
        cosine_threshold: what the gate asks for.
    """

    texts: int
    tokens_min: int
    tokens_max: int
    cosine_min_alone: float
    cosine_min_batched: float
    cosine_threshold: float

    def check(self) -> None:
        """Raises `ParityError` when a cosine is below the threshold."""
        lowest = min(self.cosine_min_alone, self.cosine_min_batched)
        if not lowest >= self.cosine_threshold:
            raise ParityError(
                f"the artefact differs from the checkpoint: lowest cosine {lowest:.7f}, asked for "
                f"{self.cosine_threshold}. It was not installed. {asdict(self)}"
            )


def sample_token_ids(tokenizer: RoleTokenizer, tokens_max: int) -> list[list[int]]:
    """Token ids of texts from one word up to ``tokens_max``, the most tokens that the encoder takes."""
    words = _SENTENCE.split()
    texts = [" ".join(words[(i + k) % len(words)] for k in range(n)) for i, n in enumerate([*_WORDS_FIRST, tokens_max])]
    return [
        tokenizer.fit(text, ids, Truncate.END, index).ids
        for index, (text, ids) in enumerate(zip(texts, tokenizer.tokenize(texts), strict=True))
    ]


def open_session(graph: Path) -> InferenceSession:
    """The artefact, ready to run on the CPU."""
    return InferenceSession(str(graph), providers=["CPUExecutionProvider"])


def measure_parity(
    encoder: SentenceEncoder,
    session: InferenceSession,
    texts: Sequence[list[int]],
    pad_token_id: int,
    precision: str,
) -> ParityReport:
    """Compares ``session`` with ``encoder`` over ``texts`` (token ids), alone and in one batch."""
    reference = np.concatenate([_torch_vectors(encoder, [text], pad_token_id) for text in texts])
    alone = np.concatenate([_onnx_vectors(session, [text], pad_token_id) for text in texts])
    batched = _onnx_vectors(session, texts, pad_token_id)
    lengths = [len(text) for text in texts]
    return ParityReport(
        texts=len(texts),
        tokens_min=min(lengths),
        tokens_max=max(lengths),
        cosine_min_alone=float(_cosines(reference, alone).min()),
        cosine_min_batched=float(_cosines(reference, batched).min()),
        cosine_threshold=COSINE_MIN[precision],
    )


def _torch_vectors(encoder: SentenceEncoder, texts: Sequence[list[int]], pad_token_id: int) -> NDArray[np.float32]:
    ids, mask = pad(texts, pad_token_id)
    with torch.inference_mode():
        vectors: NDArray[np.float32] = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    return vectors


def _onnx_vectors(session: InferenceSession, texts: Sequence[list[int]], pad_token_id: int) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = session.run([OUTPUT], dict(zip(INPUTS, pad(texts, pad_token_id), strict=True)))[0]
    return vectors


def _cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    cosines: NDArray[np.float64] = (a64 * b64).sum(1) / (np.linalg.norm(a64, axis=1) * np.linalg.norm(b64, axis=1))
    return cosines
