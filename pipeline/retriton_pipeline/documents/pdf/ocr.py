"""Recognizes the text of scanned pages with Tesseract, if it is installed and switched on.

Environment variable: ``RETRITON_OCR``, the languages of the scans as Tesseract names them (``eng``, ``eng+deu``).
"""

from __future__ import annotations

import os
import re
import subprocess

import pypdfium2

from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.errors import UnreadableDocument

VARIABLE = "RETRITON_OCR"
_LANGUAGES = re.compile(r"[A-Za-z_]{1,32}(?:\+[A-Za-z_]{1,32}){0,7}")
_DOTS_PER_POINT = 300 / 72
_PIXELS_MAX = 30_000_000
_PAGE_SECONDS_MAX = 120


def ocr_languages() -> str:
    """The languages of `VARIABLE`; empty if recognition is off.

    Raises:
        UnreadableDocument: the variable is malformed.
    """
    languages = os.environ.get(VARIABLE, "")
    if languages and not _LANGUAGES.fullmatch(languages):
        raise UnreadableDocument(f"{VARIABLE} is {languages[:64]!r}, not languages such as eng or eng+deu")
    return languages


def recognized(page: pypdfium2.PdfPage, number: int, languages: str) -> list[Block]:
    """The paragraphs of an image of ``page``, the page ``number``.

    Raises:
        UnreadableDocument: Tesseract is not installed, has no data for a language, or takes too long.
    """
    command = ["tesseract", "stdin", "stdout", "-l", languages]
    try:
        done = subprocess.run(
            command,
            input=_image(page),
            capture_output=True,
            timeout=_PAGE_SECONDS_MAX,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            check=False,
        )
    except FileNotFoundError as error:
        raise UnreadableDocument(
            f"{VARIABLE} is set, but tesseract is not installed: install it, or unset the variable"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnreadableDocument(f"recognizing page {number} took more than {_PAGE_SECONDS_MAX} s") from error
    if done.returncode:
        reason = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        raise UnreadableDocument(f"tesseract failed on page {number}: {reason}")
    text = done.stdout.decode("utf-8", "replace").replace("\f", "")
    return [Block(" ".join(block.text.split()), page=number) for block in paragraphs(text)]


def _image(page: pypdfium2.PdfPage) -> bytes:
    """The page in shades of grey, as a PGM file."""
    width, height = page.get_size()
    scale = min(_DOTS_PER_POINT, (_PIXELS_MAX / max(width * height, 1)) ** 0.5)
    pixels = page.render(scale=scale, grayscale=True).to_numpy()
    rows, columns = pixels.shape[:2]
    return b"P5 %d %d 255\n" % (columns, rows) + bytes(pixels.tobytes())
