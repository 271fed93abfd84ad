"""The command `retriton`."""

from retriton_pipeline.cli import main

__all__ = ["main"]
