"""The lane of reranking; the code is in the package retriton_serving."""

from retriton_serving.rerank import TritonPythonModel

__all__ = ["TritonPythonModel"]
