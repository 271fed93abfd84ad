"""The command `retriton`."""

from retriton_pipeline.cli.main import app, main

__all__ = ["app", "main"]
