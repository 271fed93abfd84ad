"""Ingestion: reads, chunks, embeds and stores documents in concurrent stages."""

from retriton_pipeline.ingest.ingestion import Ingestion, Progress
from retriton_pipeline.ingest.options import IngestKeywords, IngestOptions
from retriton_pipeline.ingest.parser_limits import ParserLimits
from retriton_pipeline.ingest.paths import ingest_paths
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.report import IngestReport, Skipped
from retriton_pipeline.ingest.shard import Shard
from retriton_pipeline.ingest.sources import as_source

__all__ = [
    "IngestKeywords",
    "IngestOptions",
    "IngestReport",
    "Ingestion",
    "ParserLimits",
    "Progress",
    "Reader",
    "Shard",
    "Skipped",
    "as_source",
    "ingest_paths",
]
