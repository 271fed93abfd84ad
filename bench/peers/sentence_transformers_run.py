"""Throughput of sentence-transformers in process. Runs in its own environment, and prints one JSON line.

Arguments: folder of the checkpoint, backend (torch or onnx), file of passages, seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sentence_transformers import SentenceTransformer


def main(checkpoint: str, backend: str, passages: Path, seconds: float) -> None:
    """Encodes the passages repeatedly in batches of 32; the library sorts them by length."""
    options = {"provider": "CPUExecutionProvider"} if backend == "onnx" else {}
    model = SentenceTransformer(checkpoint, backend=backend, device="cpu", model_kwargs=options)
    texts = [step["text"][0] for step in json.loads(passages.read_text())["data"]]
    sample = model.encode(texts[:8], normalize_embeddings=True)
    done, start = 0, time.monotonic()
    while time.monotonic() - start < seconds:
        model.encode(texts, batch_size=32)
        done += len(texts)
    print(json.dumps({"texts_per_s": done / (time.monotonic() - start), "sample": sample.tolist()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]))
