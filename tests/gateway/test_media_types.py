"""Bodies that are not JSON, or not a form; and how usual clients name theirs."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from tests.gateway.in_process import in_process

BODY = b'{"model": "m"}'  # refused with 422 once it is read
UPLOAD = "/v1/collections/c/documents"


@pytest.mark.parametrize(
    ("path", "body", "headers", "message"),
    [
        ("/v1/embeddings", gzip.compress(BODY, mtime=0), {"Content-Encoding": "gzip"}, "Content-Encoding is 'gzip'"),
        ("/v1/embeddings", BODY, {"Content-Encoding": "br"}, "Content-Encoding is 'br'"),
        ("/v1/embeddings", BODY, {"Content-Type": "text/plain;charset=UTF-8"}, "Content-Type is 'text/plain'"),
        ("/rerank", BODY, {"Content-Type": "application/x-www-form-urlencoded"}, "send application/json"),
        ("/v1/chat/completions", BODY, {"Content-Type": "application/xml"}, "send application/json"),
        ("/v2/nvcf/pexec/functions/f", BODY, {"Content-Type": "text/json"}, "send application/json"),
        (UPLOAD, BODY, {"Content-Type": "application/json"}, "send multipart/form-data"),
        (UPLOAD, BODY, {}, "Content-Type is missing: send multipart/form-data"),
        (UPLOAD, b"", {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "gzip"}, "uncompressed"),
    ],
)
async def test_other_bodies_are_refused_with_the_header_that_is_wrong(
    path: str, body: bytes, headers: dict[str, str], message: str
) -> None:
    async with in_process() as http:
        answer = await http.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert message in answer.json()["error"]["message"]


async def test_a_body_of_another_charset_is_refused_not_read_as_other_words() -> None:
    async with in_process() as http:
        for charset in ("utf-16", "UTF-16LE", '"utf-32"', "shift_jis", "windows-1252", "unknown"):
            headers = {"Content-Type": f"application/json; charset={charset}"}
            answer = await http.post("/v1/embeddings", content=BODY, headers=headers)
            assert (answer.status_code, answer.json()["error"]["param"]) == (415, "Content-Type")
            assert "send UTF-8" in answer.json()["error"]["message"]


async def test_a_byte_order_mark_is_ignored() -> None:
    large = b'{"model": "m", "other": "' + b"x" * 100_000 + b'"}'
    async with in_process() as http:
        for body in (BODY, large):
            answer = await http.post("/v1/embeddings", content=codecs.BOM_UTF8 + body)
            assert (answer.status_code, answer.json()["error"]["param"]) == (422, "input")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "application/json"},
        {"Content-Type": "Application/JSON; charset=utf-8", "Content-Encoding": "identity"},
        {"Content-Type": "application/vnd.api+json"},
        {"Content-Type": 'application/json;charset="UTF-8"'},
        {"Content-Type": "application/json; Charset=us-ascii; boundary=x"},
        {"Content-Type": "application/json; charset=ISO-8859-1"},
    ],
)
async def test_json_is_read_whatever_it_is_called_and_without_a_name(headers: dict[str, str]) -> None:
    async with in_process() as http:
        answer = await http.post("/v1/embeddings", content=BODY, headers=headers)
        malformed = await http.post("/v1/embeddings", content=b"{", headers=headers)
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "input")
    assert (malformed.status_code, malformed.json()["error"]["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "application/x-www-form-urlencoded", "application/json"])
async def test_an_empty_body_has_no_type(tmp_path: Path, kind: str) -> None:
    async with in_process(files=tmp_path) as http:
        created = await http.post("/v1/vector_stores", content=b"", headers={"Content-Type": kind})
        assert created.status_code == 200, created.text
        missing = await http.post("/v1/embeddings", content=b"", headers={"Content-Type": kind})
        assert (missing.status_code, missing.json()["error"]["code"]) == (422, "invalid_request")
