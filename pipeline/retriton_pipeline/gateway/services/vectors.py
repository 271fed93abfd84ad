"""Vectors of bytes and bits."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from retriton_pipeline.vectors import unit

VectorType = Literal["float", "int8", "uint8", "binary", "ubinary"]


def quantized(vectors: NDArray[np.float32], kind: VectorType) -> NDArray[Any]:
    """Vectors of another type, as Cohere, Voyage and sentence-transformers define them.

    Args:
        vectors: float32 ``[texts, dimension]``.
        kind: ``int8`` is the vector of length one times 127, rounded; ``uint8`` is that plus 128; ``ubinary`` has one
            bit for each value, 1 if it is positive, eight to a byte, the first in the highest bit, zeros at the end;
            ``binary`` is that minus 128, as int8.

    Returns:
        ``[texts, dimension]``, or an eighth of the dimension for bits.
    """
    if kind == "float":
        return vectors
    if kind in ("binary", "ubinary"):
        packed = np.packbits(vectors > 0, axis=1)
        return packed if kind == "ubinary" else _shifted(packed).view(np.int8)
    scaled = np.rint(unit(vectors) * 127).astype(np.int8)
    return scaled if kind == "int8" else _shifted(scaled.view(np.uint8))


def _shifted(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Values plus 128, which is also minus 128: for bytes with a sign and without."""
    return values ^ np.uint8(128)
