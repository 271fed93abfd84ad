"""Documents into the store: reading, chunking, embedding and writing, all at once."""

from retriton_pipeline.ingest.ingestion import Ingestion, Progress
from retriton_pipeline.ingest.reading import Reader
from retriton_pipeline.ingest.report import IngestReport, Skipped

__all__ = ["IngestReport", "Ingestion", "Progress", "Reader", "Skipped"]
