"""Indexes for vectors: how each is built, and searched.

Vectors have length one, so the inner product is the cosine; GPU indexes know no other measure for it. They also search
no more than 1,024 neighbours, and no ranges: Retriton asks for neither.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

METRIC = "IP"
TOP_K_MAX = 1024  # of a GPU index; others allow 16,384


@dataclass(frozen=True)
class IndexProfile:
    """One way to index.

    Attributes:
        index_type: Milvus' name.
        build: parameters of the build.
        breadth: the search parameter that trades speed for recall.
        breadth_min: its least value.
        breadth_per_hit: its value for each neighbour asked for, where that is more.
        search: further search parameters.
        runs_on_lite: whether Milvus Lite has it.
    """

    index_type: str
    build: dict[str, Any] = field(default_factory=dict)
    breadth: str = ""
    breadth_min: int = 0
    breadth_per_hit: int = 0
    search: dict[str, Any] = field(default_factory=dict)
    runs_on_lite: bool = False

    def search_params(self, top_k: int) -> dict[str, Any]:
        """What a search for ``top_k`` neighbours passes to Milvus."""
        breadth = {self.breadth: max(self.breadth_min, self.breadth_per_hit * top_k)} if self.breadth else {}
        return {"metric_type": METRIC, "params": {**self.search, **breadth}}


PROFILES = {
    # Exact. For tens of thousands of chunks, and the embedded default.
    "flat": IndexProfile("FLAT", runs_on_lite=True),
    # A sixteenth of the lists is read.
    "ivf_flat": IndexProfile("IVF_FLAT", {"nlist": 1024}, breadth="nprobe", breadth_min=64, runs_on_lite=True),
    # The default of a server: milliseconds over millions of chunks.
    "hnsw": IndexProfile("HNSW", {"M": 16, "efConstruction": 200}, breadth="ef", breadth_min=64, breadth_per_hit=2),
    # Built and searched on a GPU; the vectors stay in host memory, the graph is on the device.
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
    # Whatever this Milvus thinks best.
    "auto": IndexProfile("AUTOINDEX", runs_on_lite=True),
}
