"""The environment of Triton: what it needs, without the secrets of the gateway and of this process."""

from __future__ import annotations

import os
from collections.abc import Mapping

from retriton_serving.contract.variables import DEVICES, ONNXRUNTIME_PROVIDER, QUERY_CACHE_MB

MORE_VARIABLES = "RETRITON_TRITON_ENVIRONMENT"
_NAMES = (
    *("HOME", "HOSTNAME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "PWD", "SHELL", "TERM", "USER"),
    *("TMP", "TMPDIR", "TEMP", "TZ", "TZDIR", "GLIBC_TUNABLES"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NO_PROXY", "no_proxy", QUERY_CACHE_MB, DEVICES, ONNXRUNTIME_PROVIDER),
)
# Libraries, devices and threads. OTEL_ has the headers of the trace collector, which Triton sends.
_PREFIXES = (
    *("LC_", "LD_", "XDG_", "PYTHON", "MALLOC_", "OTEL_", "TRITON_", "TOKENIZERS_"),
    *("CUDA", "NVIDIA_", "NV_", "NCCL_", "CUBLAS", "CUDNN", "TRT_", "TENSORRT_", "ORT_", "ONNX", "OV_", "OPENVINO"),
    *("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "TBB_", "DNNL_", "ONEDNN_"),
)


def triton_environ(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of ``environ`` that Triton gets.

    Anyone who may read Triton's ``/proc/PID/environ``, a crash dump, or run code in a model sees them, so the keys of
    the LLM, the store and the gateway are not among them. RETRITON_TRITON_ENVIRONMENT names more, separated by commas.
    """
    named = {name.strip() for name in environ.get(MORE_VARIABLES, "").split(",")}
    return {
        name: value for name, value in environ.items() if name in _NAMES or name in named or name.startswith(_PREFIXES)
    }
