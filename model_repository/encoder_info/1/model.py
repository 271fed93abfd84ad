"""The manifests of the served models; the code is in the package retriton_serving."""

from retriton_serving.triton.encoder_info import TritonPythonModel

__all__ = ["TritonPythonModel"]
