"""Vectors as JSON."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from retriton_pipeline.gateway.services.vectors import VectorType, quantized

_VALUES_PER_PART = 50_000  # about 5 ms


@dataclass(frozen=True)
class VectorFormat:
    """How a vector is written.

    Attributes:
        type: of its values.
        base64: as base64 of the values, little-endian, instead of a list of numbers.
    """

    type: VectorType = "float"
    base64: bool = False

    def rows(self, vectors: NDArray[np.float32]) -> list[Any]:
        """What stands for each vector."""
        values = quantized(vectors, self.type)
        if not self.base64:
            return list(values)
        return [base64.b64encode(row.astype(row.dtype.newbyteorder("<")).tobytes()).decode() for row in values]


def _row(index: int, value: Any) -> Any:
    return value


async def vectors_json(
    vectors: NDArray[np.float32], written: VectorFormat, entry: Callable[[int, Any], Any] = _row
) -> bytes:
    """A JSON list; numbers are serialised in native code, other requests run between the parts.

    Args:
        vectors: float32 ``[texts, dimension]``.
        written: how each of them is written.
        entry: makes an entry of the list of the index of a vector and of what stands for it.
    """
    step = max(1, _VALUES_PER_PART // max(1, vectors.shape[1]))
    parts: list[bytes] = []
    for start in range(0, len(vectors), step):
        if parts:
            await asyncio.sleep(0)
        rows = written.rows(vectors[start : start + step])
        entries = [entry(index, row) for index, row in enumerate(rows, start)]
        parts.append(orjson.dumps(entries, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1])
    return b"[" + b",".join(parts) + b"]"
