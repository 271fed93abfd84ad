"""Vector arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_PAIRS_MIN = 100  # too few say nothing about the others
_SPREAD_MIN = 1e-6
_LENGTH_MIN = 1e-12  # avoids a division by zero; shorter vectors do not reach length one


def unit(vectors: Vectors) -> Vectors:
    """Scales vectors, float32 ``[..., dimension]``, to length one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, _LENGTH_MIN)).astype(np.float32)
    return scaled


def cosine_spread(vectors: Vectors) -> float | None:
    """How far the cosine of equal texts, 1, is above the mean of different ones, over all pairs of ``vectors``.

    The cosines of encoders lie in different ranges, those of E5 in 0.7 to 1; relative to this, they can be added to
    other scores.

    Args:
        vectors: float32 ``[texts, dimension]``, of unit length.

    Returns:
        None for fewer than 100 pairs, and if all vectors are equal.
    """
    pairs = len(vectors) * (len(vectors) - 1)
    if pairs < 2 * _PAIRS_MIN:
        return None
    total = vectors.sum(axis=0, dtype=np.float64)  # the sum of all cosines is the square of its length
    spread = 1.0 - (float(total @ total) - len(vectors)) / pairs
    return spread if spread > _SPREAD_MIN else None
