"""Chunks and their vectors in Milvus."""

from retriton_pipeline.store.catalog import collection_names, drop_collection
from retriton_pipeline.store.collection import LAYOUT
from retriton_pipeline.store.imports import ImportJobs, import_files, import_jobs
from retriton_pipeline.store.indexes import PROFILES, IndexProfile
from retriton_pipeline.store.rows import Hit, StoredChunk, StoredDocument, content_hash, document_id
from retriton_pipeline.store.store import Store

__all__ = [
    "LAYOUT",
    "PROFILES",
    "Hit",
    "ImportJobs",
    "IndexProfile",
    "Store",
    "StoredChunk",
    "StoredDocument",
    "collection_names",
    "content_hash",
    "document_id",
    "drop_collection",
    "import_files",
    "import_jobs",
]
