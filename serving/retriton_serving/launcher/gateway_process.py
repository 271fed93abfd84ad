"""The gateway as a process beside Triton."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from retriton_serving.launcher.options import ServerTls
from retriton_serving.launcher.ports import Endpoint, address, check_port_free
from retriton_serving.launcher.process import RestartPolicy, SupervisedProcess

_NO_GATEWAY = "or leave the gateway out with --no-gateway."


class GatewayProcess(SupervisedProcess):
    """`retriton gateway`, kept running.

    Args:
        host, port: where it listens.
        triton: the endpoint that it calls.
        tls: how that endpoint is encrypted.
        environ: its other settings, as the variables of `retriton gateway`; not arguments, which every user can see.
        options: more arguments for `retriton gateway`.
        policy: when it is started again.

    Raises:
        LaunchError: the port is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        triton: Endpoint,
        tls: ServerTls | None = None,
        environ: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        policy: RestartPolicy | None = None,
    ) -> None:
        check_port_free(host, port, f"choose another with --gateway-port, {_NO_GATEWAY}")
        self.address = address(host, port)
        command = [sys.executable, "-m", "retriton", "gateway", "--host", host, "--port", str(port)]
        super().__init__(
            "gateway",
            [*command, "--url", triton.local_grpc_url, *options],
            {**(environ or {}), **({"RETRITON_TLS_CA": str(tls.ca), "RETRITON_TLS_NAME": tls.name} if tls else {})},
            advice=f"Triton keeps serving gRPC. Correct the cause, which is logged above, {_NO_GATEWAY}",
            policy=policy,
        )
