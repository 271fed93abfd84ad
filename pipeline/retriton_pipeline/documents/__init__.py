"""Reads files into documents: headings, paragraphs, tables and pages.

Importing this package imports no parser library; each is imported when the first file of its format is read.
"""

from retriton_pipeline.documents.files import display_name, find_files, location, size_of
from retriton_pipeline.documents.load import file_parts, holds_records, load_document, load_documents
from retriton_pipeline.documents.model import Block, Document, FilePart, Scalar, SourceFile, Unreadable
from retriton_pipeline.documents.registry import SUFFIXES

__all__ = [
    "SUFFIXES",
    "Block",
    "Document",
    "FilePart",
    "Scalar",
    "SourceFile",
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
