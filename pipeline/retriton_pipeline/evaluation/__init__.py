"""Retrieval quality on BEIR-style data, through the served encoder and Milvus."""

from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.evaluation.evaluate import Configuration, EvalReport, Evaluation, evaluate, indexed

__all__ = ["Configuration", "Dataset", "EvalReport", "Evaluation", "evaluate", "indexed"]
