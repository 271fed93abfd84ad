"""Files to structured text: headings, paragraphs, tables, pages."""

from retriton_pipeline.documents.files import display_name, find_files, location, size_of
from retriton_pipeline.documents.load import SUFFIXES, file_parts, holds_records, load_document, load_documents
from retriton_pipeline.documents.model import Block, Document, Part, Unreadable

__all__ = [
    "SUFFIXES",
    "Block",
    "Document",
    "Part",
    "Unreadable",
    "display_name",
    "file_parts",
    "find_files",
    "holds_records",
    "load_document",
    "load_documents",
    "location",
    "size_of",
]
