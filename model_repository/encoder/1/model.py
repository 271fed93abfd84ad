"""The encoder in the Python backend; the code is in the package retriton_serving."""

from retriton_serving.triton.encoder import TritonPythonModel

__all__ = ["TritonPythonModel"]
