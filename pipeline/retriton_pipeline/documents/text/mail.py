"""Mail (.eml): the body, with sender, recipients and date as metadata. Of attachments, only the names are kept."""

from __future__ import annotations

import email
from email.message import EmailMessage
from itertools import islice
from typing import cast

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.signatures import require_text
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.mail_policy import mail_policy, require_few_parts
from retriton_pipeline.documents.text.plain_text import paragraphs
from retriton_pipeline.errors import UnreadableDocument

_SLOW_CHARSETS = ("punycode", "idna")  # quadratic, and of names, not of text
_ATTACHMENTS_MAX = 100  # whose names are kept
_HEADERS = ("from", "to", "cc", "date")


def read_mail(raw: bytes) -> Content:
    """Paragraphs; the title is the subject.

    Raises:
        UnreadableDocument: it is not a mail.
    """
    require_text(raw)
    require_few_parts(raw)
    message = cast(EmailMessage, email.message_from_bytes(raw, policy=mail_policy()))
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
        charset = body.get_content_charset() or "utf-8"
        text = decode(raw) if charset in _SLOW_CHARSETS else raw.decode(charset)
    except (LookupError, UnicodeError):
        text = decode(raw)
    if body.get_content_type() != "text/html":
        return paragraphs(text.replace("\r\n", "\n"))
    tree = parse_html(text)
    return html_blocks(tree) if tree is not None else []


def _metadata(message: EmailMessage) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {name: str(message[name]) for name in _HEADERS if message[name]}
    if sent := getattr(message["date"], "datetime", None):
        metadata["date"] = sent.isoformat()
    attachments = islice(message.iter_attachments(), _ATTACHMENTS_MAX)
    if names := [name for part in attachments if (name := part.get_filename())]:
        metadata["attachments"] = ", ".join(names)
    return metadata
