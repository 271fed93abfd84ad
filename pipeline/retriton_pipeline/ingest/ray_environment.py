"""Variables that Ray reads when it is imported. This module does not import Ray."""

from __future__ import annotations

import os

LOCAL = "local"  # address that stands for a cluster on this machine, for this run
_LOOPBACK = ("127.", "localhost:", "[::1]:")
# Ray's switch for systems on which it supports only local clusters. There, and with 0 on Linux, all its processes
# listen on 127.0.0.1 alone; otherwise they listen on every address, even of a cluster that one program uses.
_CLUSTERS = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
_USAGE_STATS = "RAY_USAGE_STATS_ENABLED"


def prepare(address: str) -> None:
    """Sets the variables for a cluster at ``address``, unless they are set. Call it before Ray is imported."""
    os.environ.setdefault(_USAGE_STATS, "0")
    if address == LOCAL or address.startswith(_LOOPBACK):
        os.environ.setdefault(_CLUSTERS, "0")
