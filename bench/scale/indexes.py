"""Index kinds: the bytes of a vector in memory, on disk and on a GPU, and the cost of a search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.scale.assumptions import Assumptions

Bytes = Callable[[Assumptions], float]
_FLOAT = 4
_CAGRA_LINKS = 32
_DISK_LINKS = 56
_PAGE = 4096


@dataclass(frozen=True)
class Index:
    """One kind.

    Attributes:
        name: as in Milvus.
        memory, disk, gpu: bytes of one vector, with its part of the graph.
        search_factor: CPU time of a search, relative to HNSW; None if GPUs search.
    """

    name: str
    memory: Bytes
    disk: Bytes
    gpu: Bytes
    search_factor: Callable[[Assumptions], float] | None


def _none(_: Assumptions) -> float:
    return 0.0


def _graph(a: Assumptions) -> float:
    return 2 * a.links * a.bytes_per_link


def _on_disk(a: Assumptions) -> float:
    """A vector and its links do not cross a page: as many as fit into one, or whole pages."""
    size = a.dimension * _FLOAT + _DISK_LINKS * 4
    return _PAGE / (_PAGE // size) if size <= _PAGE else -(-size // _PAGE) * _PAGE


INDEXES = (
    Index("HNSW", lambda a: a.dimension * _FLOAT + _graph(a), _none, _none, lambda _: 1.0),
    Index("HNSW_SQ8", lambda a: a.dimension + _graph(a), _none, _none, lambda a: a.quantised_search_factor),
    # One bit a dimension, and eight for the refinement.
    Index("IVF_RABITQ", lambda a: a.dimension * 9 / 8, _none, _none, lambda a: a.quantised_search_factor),
    # The compressed vectors that lead the search are in memory: an eighth.
    Index("DISKANN", lambda a: a.dimension * _FLOAT / 8, _on_disk, _none, lambda a: a.disk_search_factor),
    Index("GPU_CAGRA", _none, _none, lambda a: a.dimension * _FLOAT + _CAGRA_LINKS * 4, None),
)
