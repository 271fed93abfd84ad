"""Translates the errors of parser libraries."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from retriton_pipeline.errors import UnreadableDocument


@contextmanager
def parser_errors() -> Iterator[None]:
    """Raises `UnreadableDocument` with the reason for whatever a parser raises in the ``with`` block."""
    try:
        yield
    except (UnreadableDocument, MemoryError):
        raise
    except ModuleNotFoundError as error:
        raise UnreadableDocument(
            f"its parser needs the package {error.name}, which is not installed: pip install 'retriton[documents]'"
        ) from error
    except RecursionError as error:
        raise UnreadableDocument("it is nested too deeply to be read") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise UnreadableDocument(f"a part of it is damaged: {error}") from error
    except Exception as error:  # parsers raise errors of any class for files that they do not expect
        raise UnreadableDocument(f"its parser failed: {type(error).__name__}: {error}") from error
