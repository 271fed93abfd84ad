"""Mails (.eml): the text, with who wrote to whom and when as metadata. Attachments are only named."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage

from retriton_pipeline.documents.html_blocks import html_blocks, parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.plain_text import decode, paragraphs
from retriton_pipeline.documents.signatures import refuse_binary
from retriton_pipeline.errors import UnreadableDocument

_HEADERS = ("from", "to", "cc", "date")


def read_mail(raw: bytes) -> Content:
    """Paragraphs, titled by the subject.

    Raises:
        UnreadableDocument: it is something else.
    """
    refuse_binary(raw)
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if not any(message[name] for name in ("from", "date", "subject", "message-id")):
        raise UnreadableDocument("it is not a mail: it has no header")
    return Content(" ".join(str(message["subject"] or "").split()), _body(message), _metadata(message))


def _body(message: EmailMessage) -> list[Block]:
    body = message.get_body(("plain", "html"))
    if body is None:
        return []
    payload = body.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        text = raw.decode(body.get_content_charset() or "utf-8")
    except (LookupError, UnicodeDecodeError):
        text = decode(raw)
    if body.get_content_type() != "text/html":
        return paragraphs(text.replace("\r\n", "\n"))
    tree = parse_html(text)
    return html_blocks(tree) if tree is not None else []


def _metadata(message: EmailMessage) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {name: str(message[name]) for name in _HEADERS if message[name]}
    if sent := getattr(message["date"], "datetime", None):
        metadata["date"] = sent.isoformat()
    if names := [name for part in message.iter_attachments() if (name := part.get_filename())]:
        metadata["attachments"] = ", ".join(names)
    return metadata
