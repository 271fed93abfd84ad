"""Names of uploaded files."""

from __future__ import annotations

import pytest

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.uploaded_files import safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../tmp/a.txt", "a.txt"),
        ("C:\\windows\\a.txt", "a.txt"),
        (".hidden.txt", "hidden.txt"),
        ("a\x00\nb.txt", "ab.txt"),
        ("Übersicht 1.pdf", "Übersicht 1.pdf"),
    ],
)
def test_names_lose_their_path(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("name", ["", "..", "...", "/", "\x00\n", " ", "a" * 201, "\ud800" * 80])
def test_invalid_names_are_rejected(name: str) -> None:
    with pytest.raises(ApiError, match="name"):
        safe_name(name)
