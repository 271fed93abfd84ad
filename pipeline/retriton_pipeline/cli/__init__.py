"""The command `retriton`."""

import os

# Before anything imports gRPC: Milvus Lite makes its log complain about keep-alive pings on the user's terminal.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from retriton_pipeline.cli.main import app, main

__all__ = ["app", "main"]
