"""The commands of `retriton`, a module each; `retriton.commands` lists them."""

import os

# Before anything imports gRPC: Milvus Lite makes its log complain about keep-alive pings on the user's terminal.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
