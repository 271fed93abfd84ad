"""Names of uploaded files."""

from __future__ import annotations

import io

import pytest
from starlette.datastructures import Headers, UploadFile

from retriton_pipeline.gateway.errors import ApiError
from retriton_pipeline.gateway.services.uploaded_files import name_of, safe_name


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


@pytest.mark.parametrize(
    ("rest", "plain", "name"),
    [
        ("; filename*=utf-8''%E6%B5%8B.txt", "=?utf-8?B?5rWLLnR4dA==?=", "测.txt"),  # .NET
        ("; FileName* = UTF-8'de'%C3%BC.txt", "u.txt", "ü.txt"),
        ("; filename*=utf-8''..%2F..%2Fa.txt", "b.txt", "a.txt"),
        ("; filename*=utf-8''%FF.txt", "b.txt", "\ufffd.txt"),
        ("; filename*=iso-8859-1''%FC.txt", "b.txt", "b.txt"),
        ("", "a; filename*=utf-8''b.txt", "a; filename*=utf-8''b.txt"),
        ("", "mein%20%C3%BCber.txt", "mein über.txt"),  # aiohttp
        ("", "..%2F%C3%BC.txt", "ü.txt"),
        ("", "a%22b%0D%0A.txt", 'a"b.txt'),  # browsers, httpx
        ("", "a%20b 100%25 %FF.txt", "a%20b 100%25 %FF.txt"),
        ("", "ü%C3%BC.txt", "ü%C3%BC.txt"),
    ],
)
def test_of_two_names_the_one_in_utf_8_counts(rest: str, plain: str, name: str) -> None:
    headers = Headers({"content-disposition": f'form-data; name="file"; filename="{plain}"{rest}'})
    assert name_of(UploadFile(io.BytesIO(), filename=plain, headers=headers), "file") == name
