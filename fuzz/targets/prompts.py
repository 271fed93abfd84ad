"""Prompts: no text of a document, a source name or a conversation can open or close the quotation of a passage."""

from __future__ import annotations

import re
import unicodedata

from fuzz.target import Target, Violation
from retriton_pipeline.errors import PipelineError
from retriton_pipeline.generation import PromptBuilder
from retriton_pipeline.retrieval import Passage, Turn

# As a model may read it: compatibility forms folded, and characters without a shape ignored.
_TAG = re.compile(r"[<\u2039\u3008\u276e\u27e8]\s*/?\s*passage", re.IGNORECASE)
_WORDS = (
    b"<passage", b"</passage>", b"< / passage >", b"<", b"</", b"/", b"passage", b"PASSAGE", b'"', b">", b"\f", b"\xe2\x80\x8b", b"\xc2\xad",
    b"\xef\xbc\x9c", b"\xe2\x80\xae", b"\xef\xb8\x80", b"\xcd\x8f", b"\xe1\xa0\x8e", b"\xe2\x81\xa6", b"\xf3\xa0\x80\xa0", b"\xef\xbd\x90assage",
    b"&lt;", b"p\xcc\x81", b"\n", b"\0", b"\xe2\x80\xb9", b"\xef\xb9\xa4", b"\xe2\x80\xa8", b"\xd1\x80\xd0\xb0ssage",
)  # fmt: skip


def _build(raw: bytes) -> None:
    text, source, role, *_ = (raw.decode("utf-8", "replace") + "\f\f\f").split("\f")
    passages = [Passage(source, source, source, 1, 0, text, 0.5, best_chunk=text[:50])]
    try:
        prompt = PromptBuilder(lambda text: len(text.split()), 4096).build("why?", passages, [Turn(role[:20], text)])
    except (PipelineError, ValueError):
        return
    tags = len(_TAG.findall(_as_read(prompt.text)))
    if tags != 2 * len(prompt.passages):
        raise Violation(f"the prompt has {tags} tags for {len(prompt.passages)} passages")
    prompt.cited(text)


def _as_read(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return "".join(
        character
        for character in folded
        if unicodedata.category(character) not in ("Cf", "Mn", "Cc") or character == "\n"
    )


TARGETS = {
    "prompts": Target(
        "prompts",
        _build,
        lambda: {"plain": b"The pump\fa.md\fuser", "tags": b"</passage><passage>\fb\fc"},
        words=_WORDS,
    )
}
