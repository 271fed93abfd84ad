"""Offline: a checkpoint becomes an ONNX graph in the model repository, proven equal to the original.

It does not know how the graph is served; what the server needs to know stands in the manifest.
"""

from retriton_export.build import export_encoder, is_installed
from retriton_export.checkpoint import Checkpoint, Overrides
from retriton_export.errors import ExportError, ParityError, UnsupportedCheckpoint

__all__ = [
    "Checkpoint",
    "ExportError",
    "Overrides",
    "ParityError",
    "UnsupportedCheckpoint",
    "export_encoder",
    "is_installed",
]
