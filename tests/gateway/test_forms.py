"""Forms with files: no file is lost without notice, and what is wrong is named with the way out."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.gateway.conftest import error
from tests.gateway.in_process import in_process

PURPOSE = 'name="purpose"'
FILE = 'name="file"; filename="a.txt"'


def form(*parts: tuple[str, str], boundary: str = "limit") -> bytes:
    """A form of these parts: what is written after ``form-data;``, and the content."""
    lines = [f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{text}\r\n" for head, text in parts]
    return "".join([*lines, f"--{boundary}--\r\n"]).encode()


async def send(
    http: httpx.AsyncClient, body: bytes, path: str = "/v1/files", content_type: str = "form-data; boundary=limit"
) -> httpx.Response:
    return await http.post(path, content=body, headers={"Content-Type": f"multipart/{content_type}"})


COMPLETE = form((PURPOSE, "assistants"), (FILE, "text"))
TWO = form(('name="files"; filename="a.txt"', "text"), ('name="files"; filename="b.txt"', "text"))


@pytest.mark.parametrize("missing", [4, 9, 15, 40, len(COMPLETE)])
async def test_a_form_that_was_cut_off_is_refused(tmp_path: Path, missing: int) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, COMPLETE[:-missing])
        assert (answer.status_code, error(answer)["code"]) == (400, "invalid_request")
        assert "the form ends before its last boundary" in error(answer)["message"]
        assert not (await http.get("/v1/files")).json()["data"]


async def test_no_file_of_a_form_that_was_cut_off_is_ingested(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, TWO[:-12], "/v1/collections/mine/documents")
        assert (answer.status_code, (await http.get("/v1/jobs")).json()["data"]) == (400, [])


@pytest.mark.parametrize(
    ("body", "content_type", "param", "message"),
    [
        (COMPLETE, "form-data", "Content-Type", "let the HTTP client set this header"),
        (COMPLETE, "form-data; boundary=other", None, "the form is malformed: Expected boundary"),
        (form(("x=y", "a")), "form-data; boundary=limit", None, "the form is malformed: The Content-Disposition"),
        (form((PURPOSE, "a" * 2**21)), "form-data; boundary=limit", None, "Part exceeded maximum size of 1024KB"),
    ],
)
async def test_the_reason_is_that_of_the_form(
    tmp_path: Path, body: bytes, content_type: str, param: str | None, message: str
) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, body, content_type=content_type)
    assert (answer.status_code, error(answer)["param"]) == (400, param)
    assert message in error(answer)["message"]


@pytest.mark.parametrize("boundary", ["b" * 70, "a'()+_,-./:=?b", "----WebKitFormBoundary7MA4"])
async def test_boundaries_may_have_any_characters_of_the_standard(tmp_path: Path, boundary: str) -> None:
    body = form((PURPOSE, "vision"), (FILE, "text"), boundary=boundary)
    async with in_process(files=tmp_path) as http:
        assert (await send(http, body, content_type=f'form-data; boundary="{boundary}"')).status_code == 200


async def test_a_name_that_is_only_in_filename_star_is_a_name(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        named = form((PURPOSE, "vision"), ("name=\"file\"; filename*=UTF-8''%E2%98%95.txt", "text"))
        assert (await send(http, named)).json()["filename"] == "☕.txt"


async def test_a_second_file_is_not_dropped(tmp_path: Path) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, form((PURPOSE, "vision"), (FILE, "one"), (FILE, "two")))
        assert (answer.status_code, error(answer)["param"]) == (400, "file")
        assert "there are 2 files: send one in each request" in error(answer)["message"]


@pytest.mark.parametrize(
    "fields",
    [
        [('name="expires_after"', '{"anchor": "created_at", "seconds": 3600}')],
        [('name="expires_after.anchor"', "created_at"), ('name="expires_after.seconds"', "3600")],
        [('name="expires_after[anchor]"', "created_at")],
    ],
)
async def test_an_expiry_that_is_written_otherwise_is_not_ignored(
    tmp_path: Path, fields: list[tuple[str, str]]
) -> None:
    async with in_process(files=tmp_path) as http:
        answer = await send(http, form((PURPOSE, "vision"), *fields, (FILE, "text")))
    assert (answer.status_code, error(answer)["param"]) == (400, "expires_after[seconds]")
    assert "send it and expires_after[anchor]" in error(answer)["message"]
