"""Text before it becomes a chunk: encodings, sanitizing, chunking."""

from __future__ import annotations

from pathlib import Path

from fuzz.seeds.attacks import TEXT
from fuzz.seeds.valid import TEXT as PROSE
from fuzz.seeds.words import TEXT_WORDS
from fuzz.target import Target, Violation
from fuzz.targets.documents import check_document
from retriton_pipeline.documents.model import Block, Content
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.errors import UnreadableDocument


def _decode(raw: bytes) -> None:
    try:
        text = decode(raw)
    except UnreadableDocument:
        return
    if "\0" in text or "\r" in text:
        raise Violation("decoded text contains NUL or CR")


def _chunk(raw: bytes) -> None:
    """Blocks of all kinds, cut from ``raw`` at form feeds: the first character of each chooses its kind."""
    texts = _with_surrogates(raw).split("\f")
    blocks = [_block(text) for text in texts if text.strip()]
    metadata = {text[:200]: text[200:] or len(text) for text in texts}
    try:
        document = sanitized_document(Path("a"), Content(texts[0], blocks, metadata), "0" * 64, texts[-1][:50])
    except UnreadableDocument:
        return
    check_document(document)


def _with_surrogates(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def _block(text: str) -> Block:
    kind, text = text.strip()[:1], text.strip()
    if kind == "#":
        return Block(text, heading_level=1 + len(text) % 6)
    return Block(text, page=len(text) % 3 or None, verbatim=kind == "|", header=text[:40] if kind == "|" else "")


def _chunk_seeds() -> dict[str, bytes]:
    table = b"|a|b|\n|---|---|\n|1|2|"
    return {"blocks": b"\f".join([b"# Pumps", PROSE, table, b"## Valves", PROSE * 8]), "surrogates": b"s\xed\xa0\x80 a"}


TARGETS = {
    "encoding": Target("encoding", _decode, lambda: {"text": PROSE, "latin": "Größe".encode("latin-1")}, lambda: TEXT, TEXT_WORDS),
    "chunking": Target("chunking", _chunk, _chunk_seeds, lambda: TEXT, (*TEXT_WORDS, b"\f", b"\f#", b"\f|", b"|\n")),
}  # fmt: skip
