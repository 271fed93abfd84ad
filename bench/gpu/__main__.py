"""Measures the engine `torch` on the GPUs of this machine: one command, a table and one JSON line, under 8 minutes.

    python -m bench.gpu [--server-env DIR]             # shape of E5-large, bf16
    RETRITON_DEVICES=cpu python -m bench.gpu --small   # whether the command works, on a CPU

It needs PyTorch, retriton's base installation, tokenizers and psutil, and a server environment with PyTorch (`retriton
setup --gpu`); no checkpoint, no `transformers`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import torch

from bench.gpu.in_process import InProcess, matrix_peak_flops
from bench.gpu.model import E5_LARGE, SMALL, Shape
from bench.gpu.repository import PRECISIONS, install
from bench.gpu.served import Served
from retriton_serving.launcher import default_server_env

_BATCH_TOKENS = 8192  # of the lane of passages (configs/python_gpu.pbtxt)
_LOAD = 0.8  # of the greatest rate of queries


def main() -> None:
    """Runs all measurements."""
    parser = argparse.ArgumentParser(
        prog="bench.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server-env", type=Path, help="environment with Triton and PyTorch; default: that of setup")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16")
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each measurement")
    parser.add_argument("--small", action="store_true", help="an encoder of 4 layers, to try the command on a CPU")
    parser.add_argument("--in-process", action="store_true", help="without the server")
    options = parser.parse_args()
    shape = SMALL if options.small else E5_LARGE
    lengths = [length for length in (16, 128, 512) if length <= shape.tokens]
    with tempfile.TemporaryDirectory(prefix="retriton-bench-gpu-") as scratch:
        repository = Path(scratch) / "model_repository"
        folder = install(repository, shape, options.precision)
        results = _in_process(folder, shape, lengths, options.precision, options.seconds)
        if not options.in_process:
            environment = options.server_env or default_server_env()
            with Served(repository, environment, Path(scratch) / "triton.log") as served:
                results |= _served(served, results, lengths, options.seconds)
    print(json.dumps(results))


def _in_process(folder: Path, shape: Shape, lengths: list[int], precision: str, seconds: float) -> dict[str, object]:
    engine = InProcess(folder, shape)
    devices = engine.engine.devices
    peak = matrix_peak_flops(devices[0], precision, min(seconds, 3.0)) * len(devices)
    results: dict[str, object] = {
        "device": torch.cuda.get_device_name(0) if devices[0].startswith("cuda") else "CPU",
        "devices": len(devices),
        "torch": torch.__version__,
        "precision": precision,
        "matrix_peak_tflops": round(peak / 1e12, 4),
    }
    print(f"{results['device']} x {len(devices)}, matrix peak {peak / 1e12:.3g} TFLOP/s in {precision}", flush=True)
    print(f"\n{'in process':<24}{'tokens/s':>12}{'share of the peak':>20}", flush=True)
    for length in lengths:
        rows = min(256, _BATCH_TOKENS // length)
        found = engine.tokens_per_s(rows, length, seconds)
        share = engine.flops(found, length) / peak
        results |= {f"in_process_tokens_per_s_{length}": round(found), f"peak_share_{length}": round(share, 3)}
        print(f"{f'{rows} x {length} tokens':<24}{found:>12,.0f}{share:>20.1%}", flush=True)
    return results


def _served(served: Served, before: dict[str, object], lengths: list[int], seconds: float) -> dict[str, object]:
    results: dict[str, object] = {}
    print(f"\n{'served passages':<24}{'tokens/s':>12}{'of in process':>20}{'CPU ms/text':>14}{'failed':>8}", flush=True)
    for length in lengths:
        found = served.passages(length, connections=16, seconds=seconds)
        share = found["tokens_per_s"] / float(str(before[f"in_process_tokens_per_s_{length}"]))
        results |= {f"served_{name}_{length}": round(value, 4) for name, value in found.items()}
        print(
            f"{f'{length} tokens':<24}{found['tokens_per_s']:>12,.0f}{share:>20.1%}{found['cpu_ms_per_text']:>14.3f}"
            f"{found['failed']:>8.0f}",
            flush=True,
        )
    print(f"\n{'served queries of 16':<24}{'queries/s':>12}{'p99 ms':>20}{'CPU ms/text':>14}{'failed':>8}", flush=True)
    singles = served.queries(16, 1, 64, seconds)
    for name, found in (("64 single", singles), ("16 x 32 a request", served.queries(16, 32, 16, seconds))):
        results |= {f"{name} {key}": round(value, 4) for key, value in found.items()}
        print(
            f"{name:<24}{found['queries_per_s']:>12,.0f}{found['p99_ms']:>20.1f}{found['cpu_ms_per_text']:>14.3f}"
            f"{found['failed']:>8.0f}",
            flush=True,
        )
    for name, found in (
        ("at 80 % load", served.query_latency(16, _LOAD * singles["queries_per_s"], seconds)),
        ("under bulk", served.queries_under_bulk(lengths[-1], seconds)),
    ):
        results |= {f"query {name} {key}": round(value, 2) for key, value in found.items()}
        print(f"{name:<24}{'':>12}{found['p99_ms']:>20.1f}{'':>14}{found['failed']:>8.0f}", flush=True)
    results["server_memory_mb"] = round(served.memory_mb())
    print(f"\nserver memory {results['server_memory_mb']} MB", flush=True)
    return results


if __name__ == "__main__":
    main()
