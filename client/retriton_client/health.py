"""Health probe for Kubernetes exec probes: ``retriton-health [HOST:PORT] [--timeout SECONDS]``.

The probe sends a short text through each lane. It exits with 0 and prints the latency of each lane, or exits with 1 and
prints the error. A server of which some devices have failed, and others work, is healthy; the probe prints which.
``RETRITON_TLS_CA`` (a file of certificates) enables TLS, ``RETRITON_TLS_NAME`` is the name in the server's certificate,
if it differs from the host in the address, and ``RETRITON_TLS_CERT`` and ``RETRITON_TLS_KEY`` are the probe's own
certificate and key, for mutual TLS.
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
    parser = argparse.ArgumentParser(prog="retriton-health", description="Send a short text through each lane.")
    parser.add_argument("url", nargs="?", default=os.environ.get("RETRITON_URL", DEFAULT_URL), help="HOST:PORT, gRPC")
    parser.add_argument("--timeout", type=float, default=2.0, metavar="SECONDS", help="timeout of the probe")
    arguments = parser.parse_args()
    try:
        with Client(arguments.url, tls=Tls.from_environment()) as client:
            took = client.check_health(arguments.timeout)
            problems = client.device_problems()
    except RetritonError as error:
        sys.exit(f"unhealthy: {error}")
    sys.stdout.write("healthy: " + ", ".join(f"{lane} {ms:.1f} ms" for lane, ms in took.items()) + "\n")
    if problems:
        sys.stdout.write(f"degraded: {'; '.join(problems.splitlines())}\n")
