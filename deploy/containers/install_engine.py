"""Installs an engine for the node's GPU in a pod's model repository: the init container of the overlay `gpu`.

A TensorRT plan works only with one type of GPU (a MIG slice is a type of its own) and one version of TensorRT. The
cache has a folder for each checkpoint, type and version. The first pod builds the engine, which takes minutes; others
wait and copy it. Each pod serves its own copy, and is not affected by later changes to the cache.
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
    parser.add_argument("--cache", type=Path, required=True, help="folder that all pods share")
    parser.add_argument("--target", type=Path, required=True, help="model repository of the pod")
    parser.add_argument("--checkpoint", default="", help="hub id; default: all-MiniLM-L6-v2")
    parser.add_argument("--precision", default="fp16", help="fp16 or fp8")
    options = parser.parse_args()

    def export(repository: Path) -> None:
        # The export writes TensorRT's timing cache to the working directory, which speeds up the next build.
        subprocess.run(export_command(repository, options.checkpoint, options.precision), cwd=options.cache, check=True)

    name = folder_name(options.checkpoint or "default", options.precision, *describe_gpu())
    install(SOURCES, options.cache / name, options.target, export)
    sys.stdout.write(f"installed {name} in {options.target}\n")


def export_command(repository: Path, checkpoint: str, precision: str) -> list[str]:
    """Returns the command that builds the engine.

    With ``--if-missing``, a pod that finds an engine starts without access to the hub.
    """
    source = [checkpoint] if checkpoint else []
    options = ["--engine", "tensorrt", "--precision", precision, "--if-missing"]
    return ["retriton", "export", *source, *options, "--model-repository", str(repository)]


def describe_gpu() -> tuple[str, str]:
    """Returns name and size of the GPU, and the version of TensorRT. A plan depends on both.

    Exits if there is no GPU.
    """
    import tensorrt
    import torch

    if not torch.cuda.is_available():
        sys.exit("no GPU is visible: the pod must request one, and its node needs NVIDIA's container toolkit")
    gpu = torch.cuda.get_device_properties(0)
    return f"{gpu.name} {gpu.multi_processor_count} SM", f"tensorrt {tensorrt.__version__}"


def folder_name(*parts: str) -> str:
    """Joins ``parts`` to a folder name of letters, digits, dots, dashes and underscores."""
    return "_".join(re.sub(r"[^\w.]+", "-", part).strip("-") for part in parts)


def install(sources: Path, cached: Path, target: Path, export: Export) -> None:
    """Builds ``cached`` if it is missing, and copies it to ``target``. A lock admits one pod at a time.

    Args:
        sources: model repository without engines.
        cached: model repository in the cache.
        target: model repository of the pod.
        export: exports the engine into a model repository, if it is missing there.
    """
    with _locked(cached.with_name(f"{cached.name}.lock")):
        shutil.copytree(sources, cached, dirs_exist_ok=True, ignore=_installed)
        export(cached)
        shutil.copytree(cached, target, dirs_exist_ok=True)


def _installed(folder: str, names: Sequence[str]) -> list[str]:
    """Returns all files in a version folder except the code; only the export writes them."""
    return [name for name in names if Path(folder).name == "1" and name != "model.py"]


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Holds the lock on ``file``, which the kernel releases even if this process is killed."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
