import numpy as np

from retriton_serving.batching.vector_cache import VectorCache


def test_the_cache_forgets_what_was_not_used_for_longest() -> None:
    cache = VectorCache(bytes_max=3 * (256 + 8))
    for number in range(4):
        cache.keep([number], np.zeros(2, np.float32))
        cache.find([0])
    assert [cache.find([number]) is not None for number in range(4)] == [True, False, True, True]


def test_a_vector_larger_than_the_cache_is_not_kept() -> None:
    cache = VectorCache(bytes_max=100)
    cache.keep([1], np.zeros(2, np.float32))
    assert cache.find([1]) is None
