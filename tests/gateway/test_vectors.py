"""Vectors of other types, and vectors of length one."""

from __future__ import annotations

import base64

import numpy as np
import orjson
import pytest

from retriton_pipeline.gateway.schemas.vectors import VectorFormat, vectors_json
from retriton_pipeline.gateway.services.vectors import VectorType, quantized
from retriton_pipeline.vectors import unit

VECTORS = np.array([[3, -4, 0, 0, 0, 0, 0, 0, 0], [-1, 0, 0, 0, 0, 0, 0, 1e-9, 1]], np.float32)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("int8", [[76, -102, *[0] * 7], [-90, *[0] * 7, 90]]),
        ("uint8", [[204, 26, *[128] * 7], [38, *[128] * 7, 218]]),
        ("ubinary", [[128, 0], [1, 128]]),
        ("binary", [[0, -128], [-127, 0]]),
    ],
)
async def test_quantized_vectors_as_numbers_and_as_base64(kind: VectorType, wanted: list[list[int]]) -> None:
    found = quantized(VECTORS, kind)
    assert found.tolist() == wanted
    assert orjson.loads(await vectors_json(VECTORS, VectorFormat(kind))) == wanted
    coded = orjson.loads(await vectors_json(VECTORS, VectorFormat(kind, base64=True)))
    assert [np.frombuffer(base64.b64decode(text), found.dtype).tolist() for text in coded] == wanted


def test_the_limits_of_int8_are_not_exceeded() -> None:
    assert quantized(np.eye(3, dtype=np.float32) * -7, "int8").min() == -127
    assert quantized(np.eye(3, dtype=np.float32) * 7, "uint8").max() == 255


def test_cosines_of_int8_are_close() -> None:
    vectors = unit(np.random.default_rng(0).normal(size=(50, 384)).astype(np.float32))
    found = unit(quantized(vectors, "int8").astype(np.float32))
    np.testing.assert_allclose(found @ found.T, vectors @ vectors.T, atol=0.015)


def test_zeros_stay_zeros() -> None:
    assert not unit(np.zeros((2, 3), np.float32)).any()
