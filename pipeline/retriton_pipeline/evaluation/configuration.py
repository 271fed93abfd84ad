"""How the queries of a dataset are searched."""

from __future__ import annotations

from dataclasses import dataclass

from retriton_pipeline.evaluation.measures import DEPTH
from retriton_pipeline.retrieval import SearchOptions

BASELINE = SearchOptions(mode="dense", hops=1, candidates=DEPTH, rerank=False)  # measures the encoder alone
_DEFAULTS = SearchOptions().resolved()


@dataclass(frozen=True)
class Configuration:
    """One way to search.

    Attributes:
        options: of the search; those that make passages of chunks have no effect.
        history: whether the conversation before a query is used.
    """

    options: SearchOptions = BASELINE
    history: bool = False

    @property
    def name(self) -> str:
        """The mode, and what differs from the default of the others, for tables."""
        options = self.options.resolved()
        is_fused = options.mode not in ("dense", "bm25")
        extras = [
            options.fusion if options.fusion != _DEFAULTS.fusion else "",
            f"weight {options.dense_weight:g}" if is_fused and options.dense_weight != _DEFAULTS.dense_weight else "",
            "history" if self.history else "",
            "rerank" if options.rerank else "",
            f"{options.hops} hops" if options.hops == 2 else "",
        ]
        return " + ".join([options.mode, *filter(None, extras)])
