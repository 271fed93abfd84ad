"""A model repository with the encoder of `bench.gpu.model`, as the export would install it."""

from __future__ import annotations

import random
from pathlib import Path

import torch

from bench.gpu.model import WORDS, Encoder, Shape, tokenizer
from retriton_export.recipes import Recipe, describe
from retriton_export.torch_program import PROGRAM_FILE, export_program
from retriton_serving.contract.manifest import TOKENIZER_FILE, EncoderSpec, Manifest
from retriton_serving.contract.verification import sha256
from retriton_serving.launcher import create_repository

PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def install(target: Path, shape: Shape, precision: str) -> Path:
    """Writes the repository into an empty folder, and returns the version folder of the encoder."""
    create_repository(target)
    folder = target / "encoder" / "1"
    torch.manual_seed(0)
    model = Encoder(shape, PRECISIONS[precision]).eval()
    export_program(model, folder / PROGRAM_FILE, inputs=2, tokens_max=shape.tokens)
    tokenizer().save(str(folder / TOKENIZER_FILE))
    others = (TOKENIZER_FILE, "model.py")
    spec = EncoderSpec("random", "random", shape.hidden, shape.tokens, 0, "mean", True, {})
    artefact = describe(Recipe("torch", precision), folder, PROGRAM_FILE, 0, others)
    Manifest(spec, artefact, tokenizer_sha256=sha256(folder / TOKENIZER_FILE)).write(folder)
    return folder


def texts(number: int, tokens: int, seed: int = 0) -> list[str]:
    """Returns texts of ``tokens`` tokens each, the two special ones included."""
    draw = random.Random(seed)
    return [" ".join(f"w{draw.randrange(WORDS)}" for _ in range(tokens - 2)) for _ in range(number)]
