"""The passage lane; the code is in the package retriton_serving."""

from retriton_serving.triton.embed import TritonPythonModel

__all__ = ["TritonPythonModel"]
