"""Arithmetic of vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_LENGTH_MIN = 1e-12  # what is shorter has no direction, and stays short


def unit(vectors: Vectors) -> Vectors:
    """Vectors, float32 ``[..., dimension]``, at length one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, _LENGTH_MIN)).astype(np.float32)
    return scaled
