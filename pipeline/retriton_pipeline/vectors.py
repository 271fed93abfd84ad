"""Vector arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
_PAIRS_MIN = 100  # too few say nothing about the others
_DEVIATIONS = 3.0
_LENGTH_MIN = 1e-12  # avoids a division by zero; shorter vectors do not reach length one


def unit(vectors: Vectors) -> Vectors:
    """Scales vectors, float32 ``[..., dimension]``, to length one."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, _LENGTH_MIN)).astype(np.float32)
    return scaled


def cosine_spread(vectors: Vectors) -> float | None:
    """How far the cosines of different texts differ: three standard deviations over all pairs of ``vectors``.

    The cosines of encoders lie in different ranges, those of E5 in 0.7 to 1; relative to their spread they can be added
    to other scores.

    Args:
        vectors: float32 ``[texts, dimension]``, of unit length.

    Returns:
        None for fewer than 100 pairs, and if all cosines are equal.
    """
    pairs = np.triu_indices(len(vectors), 1)
    if len(pairs[0]) < _PAIRS_MIN:
        return None
    return _DEVIATIONS * float(np.std((vectors @ vectors.T)[pairs])) or None
