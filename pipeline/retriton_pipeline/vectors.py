"""Vector arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_LENGTH_MIN = 1e-12  # avoids a division by zero; shorter vectors do not reach length one


def unit(vectors: Vectors) -> Vectors:
    """Scales vectors, float32 ``[..., dimension]``, to length one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, _LENGTH_MIN)).astype(np.float32)
    return scaled
