"""Chunks and their vectors in Milvus."""

from retriton_pipeline.store.collection import LAYOUT
from retriton_pipeline.store.indexes import PROFILES, IndexProfile
from retriton_pipeline.store.rows import Hit, StoredDocument, content_digest, document_id
from retriton_pipeline.store.store import Store

__all__ = ["LAYOUT", "PROFILES", "Hit", "IndexProfile", "Store", "StoredDocument", "content_digest", "document_id"]
