"""Every reader, through the registry, with chunking: the path of an uploaded file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache, partial
from itertools import chain
from pathlib import Path

from tests.tokenizers import minilm_encoder

from fuzz.containers import FLAT, ZIP
from fuzz.measuring import fails_in_product
from fuzz.seeds.attacks import ATTACKS
from fuzz.seeds.valid import FILES
from fuzz.seeds.words import WORDS
from fuzz.target import Target, Violation
from retriton_pipeline.chunking import ChunkSize, chunk_document
from retriton_pipeline.documents import Document, file_parts, find_files, holds_records, load_documents
from retriton_pipeline.documents.model import Content
from retriton_pipeline.documents.registry import reader_of
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.errors import PipelineError, UnreadableDocument
from retriton_pipeline.tokens import TokenCounter

_ZIPPED = (".docx", ".pptx", ".xlsx", ".odt", ".ods", ".odp", ".epub")


@cache
def _counter() -> TokenCounter:
    return TokenCounter(minilm_encoder())


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="retriton-fuzz-"))


def read_and_chunk(raw: bytes, suffix: str) -> None:
    """Reads a file and chunks its documents, as ingestion does.

    Raises:
        Violation: a document breaks what `Document` or `Chunk` promise.
        Exception: what no reader may raise.
    """
    if not raw:
        return
    file = _folder() / f"a{suffix}"
    if not holds_records(file):
        check_content(partial(reader_of(suffix).read, raw))
        return
    file.write_bytes(raw)
    for part in chain.from_iterable(map(file_parts, find_files([file]))):
        for document in load_documents(part):
            if isinstance(document, Document):
                check_document(document)


def check_content(read: Callable[[], Content]) -> None:
    """Reads, sanitizes and chunks a document. Parser libraries may fail in any way, the project's own code may not."""
    try:
        document = sanitized_document(Path("a"), read(), "0" * 64)
    except (UnreadableDocument, RecursionError, MemoryError):
        return
    except Exception as error:
        if fails_in_product(error):
            raise
        return
    check_document(document)


def check_document(document: Document) -> None:
    """Chunks a document; raises `Violation` for what Milvus, JSON or gRPC would refuse."""
    for text in (document.source, document.title, *(block.text for block in document.blocks), *document.metadata):
        text.encode()  # raises UnicodeEncodeError, which is a finding
        if "\0" in text:
            raise Violation("a document contains NUL")
    try:
        chunks = chunk_document(document, _counter(), ChunkSize())
    except PipelineError as error:
        raise Violation(f"a document cannot be chunked: {error}") from error
    for chunk in chunks:
        if (tokens := _counter().count_passage(chunk.embedded_text)) > ChunkSize().tokens:
            raise Violation(f"a chunk has {tokens} tokens")


def _target(suffix: str) -> Target:
    return Target(
        suffix[1:],
        partial(read_and_chunk, suffix=suffix),
        lambda: {"valid": FILES[suffix]()},
        lambda: ATTACKS[suffix],
        WORDS[suffix],
        ZIP if suffix in _ZIPPED else FLAT,
    )


TARGETS = {suffix[1:]: _target(suffix) for suffix in FILES}
