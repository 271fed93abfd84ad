"""Retrieval quality on datasets in BEIR's layout, through the served encoder and Milvus."""

from retriton_pipeline.evaluation.configuration import BASELINE, Configuration
from retriton_pipeline.evaluation.dataset import Dataset
from retriton_pipeline.evaluation.evaluate import Evaluation, evaluate, indexed
from retriton_pipeline.evaluation.learning import learn_search, score_search
from retriton_pipeline.evaluation.report import EvalReport

__all__ = [
    "BASELINE",
    "Configuration",
    "Dataset",
    "EvalReport",
    "Evaluation",
    "evaluate",
    "indexed",
    "learn_search",
    "score_search",
]
