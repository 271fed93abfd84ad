"""Tunes an encoder or a cross-encoder on a domain, and shows whether it is better.

It does not know the served stack: its checkpoint is exported like any other.
"""

from retriton_tuning.errors import InvalidData, TooLittleData, TuningError
from retriton_tuning.labels import Labels, Pair
from retriton_tuning.outcome import SOURCES, Outcome, Settings
from retriton_tuning.reading import read_corpus, read_labels, read_queries
from retriton_tuning.tune import Tuning

__all__ = [
    "SOURCES",
    "InvalidData",
    "Labels",
    "Outcome",
    "Pair",
    "Settings",
    "TooLittleData",
    "Tuning",
    "TuningError",
    "read_corpus",
    "read_labels",
    "read_queries",
]
