"""Fills a pod's model repository with an engine for its node's GPU: the init container of the overlay `gpu`.

A TensorRT plan fits one type of GPU (a MIG slice is a type of its own) and one version of TensorRT. The cache has a
folder for each checkpoint, type and version: the first pod builds for minutes, the others wait for it and copy. The
pod serves its copy, so nothing that happens to the cache later reaches it.
"""

from __future__ import annotations

import argparse
import fcntl
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path("/src/model_repository")
Export = Callable[[Path], None]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, required=True, help="a folder that all pods share")
    parser.add_argument("--target", type=Path, required=True, help="the pod's model repository")
    parser.add_argument("--checkpoint", default="", help="a hub id; default: all-MiniLM-L6-v2")
    parser.add_argument("--precision", default="fp16", help="fp16 or fp8")
    options = parser.parse_args()

    def export(repository: Path) -> None:
        # In the cache, where the export keeps TensorRT's timings: the next build is faster.
        subprocess.run(export_command(repository, options.checkpoint, options.precision), cwd=options.cache, check=True)

    name = folder_name(options.checkpoint or "default", options.precision, *describe_gpu())
    install(SOURCES, options.cache / name, options.target, export)
    sys.stdout.write(f"installed {name} in {options.target}\n")


def export_command(repository: Path, checkpoint: str, precision: str) -> list[str]:
    """What builds the engine. ``--if-missing``: a pod that finds one starts without asking the hub for anything."""
    source = [checkpoint] if checkpoint else []
    options = ["--engine", "tensorrt", "--precision", precision, "--if-missing"]
    return ["retriton", "export", *source, *options, "--model-repository", str(repository)]


def describe_gpu() -> tuple[str, str]:
    """What a plan depends on: the GPU by name and size, and the version of TensorRT."""
    import tensorrt
    import torch

    if not torch.cuda.is_available():
        sys.exit("no GPU is visible here: the pod must request one, and its node needs NVIDIA's container toolkit")
    gpu = torch.cuda.get_device_properties(0)
    return f"{gpu.name} {gpu.multi_processor_count} SM", f"tensorrt {tensorrt.__version__}"


def folder_name(*parts: str) -> str:
    """One name for a folder, of letters, digits, dots and dashes."""
    return "_".join(re.sub(r"[^\w.]+", "-", part).strip("-") for part in parts)


def install(sources: Path, cached: Path, target: Path, export: Export) -> None:
    """Builds ``cached`` unless it is there, and copies it to ``target``; one pod at a time."""
    with _locked(cached.with_name(f"{cached.name}.lock")):
        shutil.copytree(sources, cached, dirs_exist_ok=True, ignore=_installed)
        export(cached)
        shutil.copytree(cached, target, dirs_exist_ok=True)


def _installed(folder: str, names: Sequence[str]) -> list[str]:
    """Everything in a version folder but the code: only the export puts it there."""
    return [name for name in names if Path(folder).name == "1" and name != "model.py"]


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Waits until no other pod holds the lock; it is free again when this process ends, however it does."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
