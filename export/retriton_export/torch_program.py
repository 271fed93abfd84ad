"""Exports a PyTorch module as a program (``.pt2``) for `retriton_serving.engines.torch_program`.

Imports PyTorch alone, so that it also exports models that no checkpoint describes.
"""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import nn

PROGRAM_FILE = "model.pt2"
_ROWS_MAX = 4096


def export_program(model: nn.Module, target: Path, inputs: int, tokens_max: int) -> None:
    """Writes the program, with its weights, for rows of 1 to ``tokens_max`` tokens.

    Args:
        model: maps int64 ``[rows, length]`` inputs to float32 ``[rows, dimension]``; in evaluation mode.
        target: file to write.
        inputs: number of inputs.
        tokens_max: maximum number of tokens of a row.
    """
    axes = {
        0: torch.export.Dim("batch", min=1, max=_ROWS_MAX),
        1: torch.export.Dim("sequence", min=1, max=tokens_max),
    }
    logging.getLogger("torch.export").setLevel(logging.ERROR)
    with torch.no_grad():
        program = torch.export.export(
            model,
            tuple(torch.ones((2, 8), dtype=torch.int64) for _ in range(inputs)),
            dynamic_shapes=tuple(axes for _ in range(inputs)),
        )
    torch.export.save(program, target)
