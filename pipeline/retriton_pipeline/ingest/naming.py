"""How documents of an ingestion are named: for people, for their ids, and for pruning."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from retriton_pipeline.documents import FilePart, display_name, location


@dataclass(frozen=True)
class Naming:
    """Names of files: their paths or, if ``base`` is set, their paths relative to it; of remote files, their URLs."""

    base: Path | None

    def source(self, part: FilePart, source: str) -> str:
        """Returns the displayed source of a document of ``part``."""
        if part.url:
            return f"{part.url}{source.removeprefix(display_name(part.file))}"
        return source if self.base is None else source.removeprefix(f"{display_name(self.base)}{os.sep}")

    def identity(self, part: FilePart) -> str:
        """Returns the string that identifies a file: its URL, or its real path, with all links resolved."""
        if part.url:
            return part.url
        return os.path.realpath(part.file) if self.base is None else self._relative(part)

    def location(self, part: FilePart) -> str:
        """Returns the location of a file, for pruning."""
        if part.url:
            return part.url
        return location(part.file) if self.base is None else self._relative(part)

    def _relative(self, part: FilePart) -> str:
        return f"upload:{self.source(part, display_name(part.file))}"
