"""Files to structured text: headings, paragraphs, tables, pages."""

from retriton_pipeline.documents.load import SUFFIXES, display_name, find_files, load_document
from retriton_pipeline.documents.model import Block, Document

__all__ = ["SUFFIXES", "Block", "Document", "display_name", "find_files", "load_document"]
