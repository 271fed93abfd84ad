"""A health probe as a command, for Kubernetes exec probes: ``retriton-health [HOST:PORT] [--timeout SECONDS]``.

It embeds a short text on both lanes. Exit code 0 and the milliseconds of each lane, or 1 and what is wrong.
Over TLS where ``RETRITON_TLS_CA``, a file of certificates, is set (and ``RETRITON_TLS_NAME``, if they are for another
host than the address says).
"""

from __future__ import annotations

import argparse
import os
import sys

from retriton_client._async import DEFAULT_URL
from retriton_client._config import Tls
from retriton_client._exceptions import RetritonError
from retriton_client._sync import Client


def main() -> None:
    """Runs the probe."""
    parser = argparse.ArgumentParser(prog="retriton-health", description="Embed a short text on each lane.")
    parser.add_argument("url", nargs="?", default=os.environ.get("RETRITON_URL", DEFAULT_URL), help="HOST:PORT, gRPC")
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="deadline of the probe")
    arguments = parser.parse_args()
    try:
        with Client(arguments.url, tls=Tls.from_environment()) as client:
            took = client.check_health(arguments.timeout)
    except RetritonError as error:
        sys.exit(f"unhealthy: {error}")
    sys.stdout.write("healthy: " + ", ".join(f"{lane} {ms:.1f} ms" for lane, ms in took.items()) + "\n")
