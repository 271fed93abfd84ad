"""The head of a response is sent with its body, and alone if the body is late."""

from __future__ import annotations

import asyncio

import pytest

from retriton_pipeline.gateway.http.joined_head import JoinedHead


class Written(asyncio.Transport):
    """Remembers what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.parts.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
async def response(written: Written) -> JoinedHead:
    return JoinedHead(written, asyncio.get_running_loop())


async def test_head_and_body_are_one_write_and_later_parts_are_their_own(
    written: Written, response: JoinedHead
) -> None:
    response.write(b"head")
    response.write(b"body")
    response.write(b"more")
    await asyncio.sleep(0)
    assert written.parts == [b"headbody", b"more"]


async def test_a_head_does_not_wait_for_a_late_body(written: Written, response: JoinedHead) -> None:
    response.write(b"head")
    await asyncio.sleep(0)
    response.write(b"body")
    assert written.parts == [b"head", b"body"]


async def test_a_head_is_sent_before_the_connection_closes(written: Written, response: JoinedHead) -> None:
    response.write(b"head")
    response.close()
    await asyncio.sleep(0)
    assert (written.parts, written.closed) == ([b"head"], True)
    assert not response.get_extra_info("socket")


async def test_nothing_is_sent_on_a_connection_that_was_lost(written: Written, response: JoinedHead) -> None:
    response.write(b"head")
    written.close()
    await asyncio.sleep(0)
    assert written.parts == []
