"""Exports a checkpoint as an engine into the model repository, and verifies it against the original.

The export is independent of the server. Everything that the server needs is in the manifest.
"""

from retriton_export.build import export_encoder, installed
from retriton_export.checkpoint import Checkpoint, Overrides
from retriton_export.errors import ExportError, NotAccepted, ParityError, UnsupportedCheckpoint, UnsupportedRecipe
from retriton_export.recipes import Recipe

__all__ = [
    "Checkpoint",
    "ExportError",
    "NotAccepted",
    "Overrides",
    "ParityError",
    "Recipe",
    "UnsupportedCheckpoint",
    "UnsupportedRecipe",
    "export_encoder",
    "installed",
]
