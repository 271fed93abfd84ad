"""The citations of an answer as annotations of OpenAI's responses, also while it is generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from retriton_pipeline.gateway.services.file_search import FileHit
from retriton_pipeline.generation import Prompt

_TAIL = 64  # characters before a delta in which a citation may begin that it completes


class FileCitations:
    """The annotations of one answer, which keeps its marks, such as [1].

    Args:
        prompt: has the numbers of passages.
        hits: the files of its passages.

    Attributes:
        found: the annotations so far; ``index`` is the place of the mark in the text.
    """

    def __init__(self, prompt: Prompt, hits: Sequence[FileHit]) -> None:
        self._prompt = prompt
        files = {(hit.passage.document_id, hit.passage.chunk_index): hit for hit in hits}
        self._files = [files[passage.document_id, passage.chunk_index] for passage in prompt.passages]
        self._seen: set[tuple[int, int]] = set()
        self.found: list[dict[str, Any]] = []

    def add(self, text: str, since: int = 0) -> list[dict[str, Any]]:
        """The annotations that are new.

        Args:
            text: the answer so far.
            since: its length when this was last called.
        """
        start = max(0, since - _TAIL)
        new = []
        for citation in self._prompt.citations(text[start:]):
            place = start + citation.place
            if (place, citation.number) not in self._seen:
                self._seen.add((place, citation.number))
                file = self._files[citation.number - 1]
                annotation = {"type": "file_citation", "file_id": file.file_id, "filename": file.filename}
                new.append({**annotation, "index": place})
        self.found += new
        return new
