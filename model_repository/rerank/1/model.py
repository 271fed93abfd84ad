"""The reranking lane; the code is in the package retriton_serving."""

from retriton_serving.triton.rerank import TritonPythonModel

__all__ = ["TritonPythonModel"]
