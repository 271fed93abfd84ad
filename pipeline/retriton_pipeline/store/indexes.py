"""Build and search parameters of vector indexes.

Vectors have length one, so their inner product is the cosine. GPU indexes support no cosine metric, at most 1,024
neighbours, and no range search; Retriton needs none of these.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

METRIC = "IP"
TOP_K_MAX = 1024  # limit of GPU indexes; other indexes allow 16,384


@dataclass(frozen=True)
class IndexProfile:
    """An index type with its parameters.

    Attributes:
        index_type: index type in Milvus.
        build: build parameters.
        breadth: name of the search parameter that trades speed for recall; empty if the index has none.
        breadth_min: minimum value of that parameter.
        breadth_per_hit: value of that parameter per requested neighbour, if the product exceeds the minimum.
        search: further search parameters.
        runs_on_lite: whether Milvus Lite supports the index type.
    """

    index_type: str
    build: dict[str, Any] = field(default_factory=dict)
    breadth: str = ""
    breadth_min: int = 0
    breadth_per_hit: int = 0
    search: dict[str, Any] = field(default_factory=dict)
    runs_on_lite: bool = False

    def search_params(self, top_k: int) -> dict[str, Any]:
        """Returns the search parameters of Milvus for ``top_k`` neighbours."""
        breadth = {self.breadth: max(self.breadth_min, self.breadth_per_hit * top_k)} if self.breadth else {}
        return {"metric_type": METRIC, "params": {**self.search, **breadth}}


PROFILES = {
    # Exact search, for tens of thousands of chunks. The default of Milvus Lite.
    "flat": IndexProfile("FLAT", runs_on_lite=True),
    # A search reads a sixteenth of the lists.
    "ivf_flat": IndexProfile("IVF_FLAT", {"nlist": 1024}, breadth="nprobe", breadth_min=64, runs_on_lite=True),
    # The default of a Milvus server: milliseconds over millions of chunks.
    "hnsw": IndexProfile("HNSW", {"M": 16, "efConstruction": 200}, breadth="ef", breadth_min=64, breadth_per_hit=2),
    # Built and searched on a GPU. The graph is in device memory, the vectors stay in host memory.
    "gpu_cagra": IndexProfile(
        "GPU_CAGRA",
        {
            "intermediate_graph_degree": 64,
            "graph_degree": 32,
            "build_algo": "IVF_PQ",
            "cache_dataset_on_device": "false",
        },
        breadth="itopk_size",
        breadth_min=128,
        breadth_per_hit=1,
        search={"search_width": 4, "min_iterations": 0, "max_iterations": 0, "team_size": 0},
    ),
    # Milvus selects the index type.
    "auto": IndexProfile("AUTOINDEX", runs_on_lite=True),
}
