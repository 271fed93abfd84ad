"""Analysis of texts for BM25: the terms that are indexed and searched.

Milvus splits texts at white space alone; everything else happens here, so that Milvus Lite and every server find the
same words. See `retriton_pipeline.analysis.words` for what becomes a term.
"""

from retriton_pipeline.analysis.words import terms

ANALYSIS = 1  # increment it when the terms of a text change: collections with other terms must be rebuilt

__all__ = ["ANALYSIS", "terms"]
