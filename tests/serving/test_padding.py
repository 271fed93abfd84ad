import pytest

from retriton_serving.batching.padding import Padding


def test_pad() -> None:
    ids, mask = Padding(token_id=3, tokens_max=9)([[7, 8], [9]])
    assert ids.tolist() == [[7, 8], [9, 3]]
    assert mask.tolist() == [[1, 1], [1, 0]]


@pytest.mark.parametrize(
    ("longest", "length"), [(1, 1), (31, 31), (33, 34), (65, 68), (129, 136), (249, 254), (254, 254)]
)
def test_lengths_are_rounded_up_by_a_sixteenth_at_most(longest: int, length: int) -> None:
    assert Padding(token_id=0, tokens_max=254)([[1] * longest])[0].shape == (1, max(length, longest))
