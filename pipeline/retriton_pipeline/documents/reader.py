"""The interface of the readers of formats with one document a file."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from retriton_pipeline.documents.model import Content


class DocumentReader(Protocol):
    """Extracts the content of files of one format."""

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The file name extensions of the format, lower case, with their dot."""

    @property
    def media_types(self) -> tuple[str, ...]:
        """The media types (MIME types) of the format."""

    def read(self, raw: bytes) -> Content:
        """The content of a file.

        Args:
            raw: all bytes of the file, at least one.

        Raises:
            UnreadableDocument: the bytes are of another format, encrypted, damaged, or without text.
            ImportError: a parser library is not installed.
        """


@dataclass(frozen=True)
class LazyReader:
    """A `DocumentReader` whose module and parser libraries are imported when the first file is read.

    Attributes:
        function: the ``read`` function, as ``module:function`` below this package.
        suffixes: as in `DocumentReader`.
        media_types: as in `DocumentReader`.
        variant: what ``read`` gets after the bytes, if it reads several formats, such as the name of a language.
    """

    function: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...] = ()
    variant: str = ""

    def read(self, raw: bytes) -> Content:
        """As `DocumentReader.read`."""
        module, _, name = self.function.partition(":")
        imported = importlib.import_module(f"{__package__}.{module}")
        read = cast(Callable[..., Content], getattr(imported, name))
        return read(raw, self.variant) if self.variant else read(raw)
