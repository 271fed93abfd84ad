"""Mail (.eml): its texts, with sender, recipients and date as metadata. Of attachments, only the names are kept."""

from __future__ import annotations

import email
from email.message import EmailMessage
from itertools import islice
from typing import cast

from retriton_pipeline.documents.model import Block, Content, Scalar
from retriton_pipeline.documents.signatures import require_text
from retriton_pipeline.documents.text.mail_parts import message_blocks
from retriton_pipeline.documents.text.mail_policy import mail_policy, require_few_parts
from retriton_pipeline.errors import UnreadableDocument

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
    if not any(message[name] for name in ("from", "date", "subject", "message-id", "mime-version")):
        raise UnreadableDocument("it is not a mail: it has no header")
    return Content(" ".join(str(message["subject"] or "").split()), _blocks(message), _metadata(message))


def _blocks(message: EmailMessage) -> list[Block]:
    """The blocks of ``message``, each once: an invitation is often both in the body and attached."""
    seen: set[str] = set()
    blocks: list[Block] = []
    for block in message_blocks(message):
        if not block.text.startswith("Summary: ") or block.text not in seen:
            blocks.append(block)
        seen.add(block.text)
    return blocks


def _metadata(message: EmailMessage) -> dict[str, Scalar]:
    metadata: dict[str, Scalar] = {name: str(message[name]) for name in _HEADERS if message[name]}
    if sent := getattr(message["date"], "datetime", None):
        metadata["date"] = sent.isoformat()
    names = (name for part in message.walk() if (name := part.get_filename()))
    if attachments := ", ".join(islice(names, _ATTACHMENTS_MAX)):
        metadata["attachments"] = attachments
    return metadata
