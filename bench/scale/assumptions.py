"""The numbers that the arithmetic starts from, each with its source. All can be changed on the command line."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Assumptions:
    """Rates are of one GPU or of one core; sizes in bytes; prices in US dollars.

    Attributes:
        dimension: of the vectors; 1,024 is that of E5-large.
        tokens_per_passage, tokens_per_query: with special tokens.
        text_bytes: of a passage with its source and metadata, as stored.
        gpu_passage_tokens_per_s: of E5-large in float16. 600,000 to 900,000 is what an H100 sustains at 45 to 65 % of
            its dense peak; derived, not measured.
        gpu_queries_per_s: of 16 tokens; bounded by launches and CPU, not by arithmetic. Derived, not measured.
        front_ms_per_query, front_ms_per_passage: CPU time of Triton, lane and encoder process without the engine.
            Measured on a Zen 5 core (docs/benchmarks.md).
        reading_ms_per_passage: CPU time of reading and chunking a passage of JSON lines, without storing it. Measured:
            7,916 chunks of three public sets, on cores that other programs shared; PDF takes more.
        gateway_ms_per_query: CPU time of a hybrid query. Measured as above.
        search_core_ms: CPU time of one HNSW search among a million vectors of 768 dimensions, 100 results, recall 0.95.
            Published by VectorDBBench for Milvus 2.6.14: 7,704 queries/s on 16 cores.
        search_growth: exponent of the number of vectors in that time; from the same source, 2,762 queries/s at ten
            million.
        quantised_search_factor, disk_search_factor: of that time, for the index kinds that compress or read from disk.
        gpu_searches_per_s: CAGRA, 100 results, among ten million vectors in batches. Derived from published ratios.
        bytes_per_link, links: of the graph of HNSW, whose lowest layer has twice ``links``.
        node_memory_bytes, node_cores, node_disk_bytes: of a Milvus query node.
        gpu_memory_bytes: of a GPU that searches.
        usable: share of memory, cores and GPUs that is planned for; the rest is for peaks, segments that are being
            loaded or merged, and a lost node.
        price_gpu_hour, price_core_hour, price_gib_hour: examples of on-demand prices; put yours here.
    """

    dimension: int = 1024
    tokens_per_passage: int = 128
    tokens_per_query: int = 16
    text_bytes: int = 900
    gpu_passage_tokens_per_s: float = 700_000
    gpu_queries_per_s: float = 10_000
    front_ms_per_query: float = 0.303
    front_ms_per_passage: float = 0.363
    reading_ms_per_passage: float = 1.5
    gateway_ms_per_query: float = 2.1
    search_core_ms: float = 2.08
    search_growth: float = 0.445
    quantised_search_factor: float = 0.8
    disk_search_factor: float = 2.0
    gpu_searches_per_s: float = 20_000
    bytes_per_link: float = 4.4
    links: int = 16
    node_memory_bytes: float = 256 * 2**30
    node_cores: int = 32
    node_disk_bytes: float = 7.5e12
    gpu_memory_bytes: float = 80e9
    usable: float = 0.6
    price_gpu_hour: float = 3.0
    price_core_hour: float = 0.04
    price_gib_hour: float = 0.004

    def changed(self, settings: list[str]) -> Assumptions:
        """With values from ``name=value``.

        Raises:
            ValueError: an unknown name, or no number above 0.
        """
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        changes = {}
        for setting in settings:
            name, _, value = setting.partition("=")
            if name not in kinds:
                raise ValueError(f"there is no assumption {name!r}, only {', '.join(kinds)}")
            changes[name] = kinds[name](value)
            if not changes[name] > 0:
                raise ValueError(f"{name} must be above 0, not {value}")
        return replace(self, **changes)
