"""Offline: a checkpoint becomes an engine in the model repository, proven equal to the original.

It does not know how the engine is served; what the server needs to know stands in the manifest.
"""

from retriton_export.build import export_encoder, installed
from retriton_export.checkpoint import Checkpoint, Overrides
from retriton_export.errors import ExportError, ParityError, UnsupportedCheckpoint, UnsupportedRecipe
from retriton_export.recipes import Recipe

__all__ = [
    "Checkpoint",
    "ExportError",
    "Overrides",
    "ParityError",
    "Recipe",
    "UnsupportedCheckpoint",
    "UnsupportedRecipe",
    "export_encoder",
    "installed",
]
