"""Compares engines and precisions: speed in process, size, parity, and retrieval quality when served.

``python -m bench.engines [CHECKPOINT] [--data DIR ...]`` prints a table and one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measurements import REPOSITORY, SERVER_ENV, SERVER_PYTHON
from bench.workloads import REPORT
from retriton_client import AsyncClient
from retriton_export import Checkpoint, ExportError, Recipe, export_encoder
from retriton_pipeline.evaluation import Dataset, evaluate
from retriton_serving.launcher import Endpoint, TritonServer, TritonWheel

RECIPES = (
    Recipe("onnxruntime", "fp32"),
    Recipe("onnxruntime", "fp16"),
    Recipe("onnxruntime", "int8"),
    Recipe("openvino", "fp32"),
    Recipe("openvino", "bf16"),
    Recipe("openvino", "int8"),
)


def main() -> None:
    """Measures the recipes in turn, each in its own model repository."""
    parser = argparse.ArgumentParser(prog="bench.engines", description=__doc__)
    parser.add_argument("checkpoint", nargs="?", help="folder or hub id; default: all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, nargs="*", default=[], help="data sets in the layout of BEIR")
    parser.add_argument(
        "--recipe", nargs="*", default=[], help="for example 'openvino bf16'; default: all that run on a CPU"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of the measurement of each shape")
    options = parser.parse_args()
    datasets = [Dataset.read(folder) for folder in options.data]
    checkpoint = Checkpoint.read(options.checkpoint)
    rows = []
    for recipe in [recipe for recipe in RECIPES if not options.recipe or str(recipe) in options.recipe]:
        with tempfile.TemporaryDirectory() as scratch:
            rows.append(_measure(recipe, checkpoint, datasets, Path(scratch), options.seconds))
        print(" ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    print(json.dumps(rows))


def _measure(
    recipe: Recipe, checkpoint: Checkpoint, datasets: list[Dataset], scratch: Path, seconds: float
) -> dict[str, Any]:
    repository = scratch / "model_repository"
    shutil.copytree(REPOSITORY, repository, ignore=lambda folder, names: [n for n in names if _is_output(folder, n)])
    try:
        manifest, _ = export_encoder(checkpoint, repository, recipe)
    except ExportError as error:
        return {"recipe": str(recipe), "refused": str(error)[:160]}
    folder = repository / "encoder" / "1"
    command: list[str | Path] = [SERVER_ENV / "bin" / "python", "-m", "bench.engine_speed", folder, str(seconds)]
    done = subprocess.run(command, env=SERVER_PYTHON, capture_output=True, text=True, check=True)
    speeds = json.loads(done.stdout)
    row = {"recipe": str(recipe), **{name: round(value) for name, value in speeds.items()}}
    row |= {"size_mb": round(manifest.artefact.size_bytes / 1e6), "cosine_min": manifest.parity["cosine_min_alone"]}
    if datasets:
        row |= _quality(repository, datasets, scratch)
    return row


def _is_output(folder: str, name: str) -> bool:
    return Path(folder).name == "1" and name != "model.py"


def _quality(repository: Path, datasets: list[Dataset], scratch: Path) -> dict[str, float]:
    log = (REPORT / "triton.log").open("wb")
    with log, TritonServer(TritonWheel(SERVER_ENV), repository, Endpoint.free(), log) as server:
        server.wait_ready()
        reports = asyncio.run(_evaluate(server.endpoint.grpc_url, datasets, str(scratch / "milvus.db")))
    served = {"served_tokens_per_s": round(reports[-1]["embed_tokens_per_s"])}
    return served | {f"ndcg@10 {report['dataset']}": report["ndcg@10"] for report in reports}


async def _evaluate(url: str, datasets: Sequence[Dataset], milvus: str) -> list[dict[str, Any]]:
    async with AsyncClient(url) as client:
        return [(await evaluate(dataset, client, milvus)).as_json() for dataset in datasets]


if __name__ == "__main__":
    main()
