"""The texts of a mail: its body, forwarded messages and invitations."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from typing import cast

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block
from retriton_pipeline.documents.text.armor import without_armor
from retriton_pipeline.documents.text.calendar import calendar_blocks
from retriton_pipeline.documents.text.charsets import decoded_as
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.flowed import unflowed
from retriton_pipeline.documents.text.plain_text import paragraphs

_STUB_RATIO = 2  # a plain text that is shorter than the HTML text by more only says that there is HTML
_SOURCES = {"text/css", "text/javascript", "text/x-amp-html"}  # of pages, which are never shown as text
_RANKS = {"text/plain": 0, "text/enriched": 2, "text/richtext": 2}  # of alternatives; others are between these
_FORWARDED_HEADERS = ("from", "to", "date")
_FORWARDED_LEVEL = 2


def message_blocks(message: Message) -> Iterator[Block]:
    """The blocks of the texts of ``message``, in order. Attachments are skipped, except messages and invitations."""
    kind = message.get_content_type()
    if kind == "multipart/alternative":
        yield from _alternative_blocks(_parts(message))
    elif kind == "message/rfc822":
        for forwarded in _parts(message):
            yield from _forwarded_blocks(forwarded)
    elif kind == "message/delivery-status":
        yield from (Block("\n".join(f"{name}: {value}" for name, value in part.items())) for part in _parts(message))
    elif message.is_multipart():
        for part in _parts(message):
            yield from message_blocks(part)
    elif kind == "text/calendar":
        yield from calendar_blocks(_text(message))
    elif kind in _SOURCES:
        return
    elif message.get_content_maintype() == "text" and message.get_content_disposition() != "attachment":
        yield from _text_blocks(message)


def _parts(message: Message) -> list[Message]:
    payload = message.get_payload()
    return cast(list[Message], payload) if isinstance(payload, list) else []


def _alternative_blocks(parts: list[Message]) -> Iterator[Block]:
    """The plain text, unless another form of it says much more; and invitations."""
    chosen: list[Block] = []
    invitations: list[Block] = []
    for part in sorted(parts, key=_rank):
        blocks = list(message_blocks(part))
        if part.get_content_type() == "text/calendar":
            invitations += blocks
        elif not chosen or (_rank(part) < _RANKS["text/enriched"] and _length(blocks) > _STUB_RATIO * _length(chosen)):
            chosen = blocks
    yield from chosen
    yield from invitations


def _rank(part: Message) -> int:
    return _RANKS.get(part.get_content_type(), 1)


def _length(blocks: list[Block]) -> int:
    return sum(len(block.text) for block in blocks)


def _forwarded_blocks(message: Message) -> Iterator[Block]:
    subject = " ".join(str(message["subject"] or "").split())
    yield Block(subject or "Forwarded message", heading_level=_FORWARDED_LEVEL)
    headers = [f"{name.capitalize()}: {message[name]}" for name in _FORWARDED_HEADERS if message[name]]
    if headers:
        yield Block("\n".join(headers))
    yield from message_blocks(message)


def _text_blocks(message: Message) -> list[Block]:
    text = _text(message)
    if message.get_content_type() != "text/html":
        text = without_armor(text)
        is_flowed = str(message.get_param("format")).lower() == "flowed"
        return paragraphs(unflowed(text, str(message.get_param("delsp")).lower() == "yes") if is_flowed else text)
    tree = parse_html(text)
    return html_blocks(tree) if tree is not None else []


def _text(message: Message) -> str:
    payload = message.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    text = decoded_as(raw, message.get_content_charset() or "utf-8")
    return (decode(raw) if text is None else text).replace("\r\n", "\n")
