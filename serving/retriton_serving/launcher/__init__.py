"""Starts, supervises and stops Triton and the gateway on this machine."""

from retriton_serving.launcher.launch import (
    SHARED_MEMORY,
    Endpoint,
    LaunchError,
    TritonInstallation,
    TritonServer,
    TritonWheel,
    check_port_free,
    die_with_parent,
    free_ports,
)

__all__ = [
    "SHARED_MEMORY",
    "Endpoint",
    "LaunchError",
    "TritonInstallation",
    "TritonServer",
    "TritonWheel",
    "check_port_free",
    "die_with_parent",
    "free_ports",
]
