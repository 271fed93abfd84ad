"""Messages that Outlook saves (.msg)."""

from __future__ import annotations

import io
from itertools import islice

from oxmsg import Message

from retriton_pipeline.documents.html.blocks import html_blocks
from retriton_pipeline.documents.html.parsing import parse_html
from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.signatures import require_ole
from retriton_pipeline.documents.text.encoding import decode
from retriton_pipeline.documents.text.plain_text import paragraphs

_NAMES_MAX = 100  # of recipients and attachments


def read_msg(raw: bytes) -> Content:
    """Paragraphs, with sender, recipients and date as metadata; the title is the subject.

    Raises:
        UnreadableDocument: it is of another format.
    """
    require_ole(raw, "an Outlook message")
    message = Message.load(io.BytesIO(raw))
    return Content(" ".join((message.subject or "").split()), _blocks(message), _metadata(message))


def _blocks(message: Message) -> list[Block]:
    """The plain text, or the HTML if there is none."""
    if message.body and message.body.strip():
        return paragraphs(message.body.replace("\r\n", "\n"))
    tree = parse_html(decode(message.html_body.encode())) if message.html_body else None
    return html_blocks(tree) if tree is not None else []


def _metadata(message: Message) -> dict[str, Scalar]:
    recipients = ", ".join(f"{to.name} <{to.email_address}>" for to in islice(message.recipients, _NAMES_MAX))
    attachments = ", ".join(filter(None, (item.file_name for item in islice(message.attachments, _NAMES_MAX))))
    date = message.sent_date.isoformat() if message.sent_date else ""
    fields = {"from": message.sender or "", "to": recipients, "date": date, "attachments": attachments}
    return {name: value for name, value in fields.items() if value}
