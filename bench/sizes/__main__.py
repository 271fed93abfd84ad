"""`python -m bench.sizes`: a growing collection of synthetic chunks. Prints a table and one JSON line."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from bench.sizes.measurements import Growth

_COLUMNS = {
    "chunks": "chunks",
    "rows_per_s": "rows/s",
    "index_s": "index, s",
    "open_s": "open, s",
    "memory_mib": "MiB",
    "dense_ms": "dense p50 / p99, ms",
    "bm25_ms": "BM25",
    "hybrid_ms": "both",
    "recall": "recall@10",
    "dense_beside_writes_ms": "dense beside writes",
}


def main() -> None:
    """Measures at each size."""
    parser = argparse.ArgumentParser(prog="bench.sizes", description=__doc__)
    parser.add_argument("chunks", nargs="*", type=int, default=[10_000, 100_000], help="sizes; default: %(default)s")
    parser.add_argument("--milvus", default="", metavar="URI", help="default: a file of Milvus Lite")
    parser.add_argument("--pid", type=int, help="of the server, to measure the memory of it and its children")
    parser.add_argument("--queries", type=int, default=200, help="of each measurement; default: %(default)s")
    options = parser.parse_args()
    print("| " + " | ".join(_COLUMNS.values()) + " |\n|" + " ---: |" * len(_COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        growth = Growth(options.milvus or str(Path(folder) / "sizes.db"), options.pid, options.queries)
        results = []
        for chunks in sorted(options.chunks):
            results.append(growth.to(chunks))
            print("| " + " | ".join(_cell(results[-1].get(name)) for name in _COLUMNS) + " |", flush=True)
        growth.remove()
    print(json.dumps({"milvus": options.milvus or "lite", "sizes": results}))


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['p50']:.1f} / {value['p99']:.1f}"
    return "" if value is None else f"{value:,}"


if __name__ == "__main__":
    main()
