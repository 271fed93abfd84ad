"""Starts, supervises and stops Triton and the gateway on this machine."""

from retriton_serving.launcher.errors import LaunchError
from retriton_serving.launcher.gateway_process import GatewayProcess
from retriton_serving.launcher.installation import TritonInstallation, TritonWheel
from retriton_serving.launcher.options import ServerTls
from retriton_serving.launcher.ports import Endpoint, check_port_free, free_ports
from retriton_serving.launcher.process import RestartPolicy, SupervisedProcess, die_with_parent
from retriton_serving.launcher.repository import (
    create_repository,
    default_repository,
    installed_encoder,
    samples_folder,
)
from retriton_serving.launcher.scratch import SHARED_MEMORY
from retriton_serving.launcher.server import TritonServer
from retriton_serving.launcher.server_env import create_server_env, default_server_env, ensure_server_env
from retriton_serving.launcher.service import Service
from retriton_serving.launcher.supervisor import Supervisor

__all__ = [
    "SHARED_MEMORY",
    "Endpoint",
    "GatewayProcess",
    "LaunchError",
    "RestartPolicy",
    "ServerTls",
    "Service",
    "SupervisedProcess",
    "Supervisor",
    "TritonInstallation",
    "TritonServer",
    "TritonWheel",
    "check_port_free",
    "create_repository",
    "create_server_env",
    "default_repository",
    "default_server_env",
    "die_with_parent",
    "ensure_server_env",
    "free_ports",
    "installed_encoder",
    "samples_folder",
]
