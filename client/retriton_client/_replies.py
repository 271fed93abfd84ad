"""Checks of what the server returned: a vector or a score that leaves the client can be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retriton_client._exceptions import ServerFault
from retriton_serving.contract.manifest import LENGTH_TOLERANCE


def check_columns(columns: list[NDArray[Any]], rows: int, axes: int, source: str) -> None:
    """Raises `ServerFault` unless a reply has ``rows`` rows: float32 with ``axes`` axes, then two columns of int32."""
    found = [(column.dtype.name, column.ndim, column.shape[:1]) for column in columns]
    if found != [("float32", axes, (rows,)), *[("int32", 1, (rows,))] * 2] or not columns[0].size:
        shapes = ", ".join(f"{column.dtype} {list(column.shape)}" for column in columns)
        raise ServerFault(f"{source}: the reply to {rows} texts is {shapes}")


def check_finite(values: NDArray[np.float32], first: int, source: str) -> None:
    """Raises `ServerFault` with the index of the first row, counted from ``first``, that has NaN or infinity."""
    if not np.isfinite(values).all():
        index = first + int(np.argmin(np.isfinite(values.reshape(len(values), -1)).all(axis=1)))
        raise _fault(f"{source}: the result of text {index} is not finite", index)


def other_length(vectors: NDArray[np.float32]) -> int | None:
    """The index of the first vector whose length is not one, or None."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    wrong = ~(np.abs(squares - 1) <= 2 * LENGTH_TOLERANCE)  # true for NaN
    return int(np.argmax(wrong)) if wrong.any() else None


def length_fault(vectors: NDArray[np.float32], place: int, first: int, source: str) -> ServerFault:
    """The error for the vector ``place``, whose text has the index ``first + place``."""
    length = float(np.linalg.norm(vectors[place].astype(np.float64)))
    return _fault(f"{source}: the vector of text {first + place} has length {length:.4g}, not 1", first + place)


def join(parts: Sequence[Sequence[NDArray[Any]]], source: str) -> list[NDArray[Any]]:
    """Concatenates each column over the replies. Raises `ServerFault` if their vectors differ in dimension."""
    try:
        return [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    except ValueError as error:
        raise ServerFault(f"{source}: the replies to one call do not fit together: {error}") from error


def _fault(message: str, index: int) -> ServerFault:
    fault = ServerFault(message)
    fault.numbers = {"index": index}
    return fault
