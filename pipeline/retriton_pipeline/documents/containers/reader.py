"""Reads files that hold other files, each of which is a document: archives and mailboxes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from retriton_pipeline.documents.containers.mailbox import is_mailbox, mailbox_parts, part_messages
from retriton_pipeline.documents.containers.members import Member, archive_members
from retriton_pipeline.documents.containers.suffixes import ARCHIVE_SUFFIXES, CONTAINER_SUFFIXES, MAILBOX_SUFFIXES
from retriton_pipeline.documents.files import display_name, read_whole, without_controls
from retriton_pipeline.documents.model import Content, Document, FilePart, SourceFile, Unreadable
from retriton_pipeline.documents.parser_errors import parser_errors
from retriton_pipeline.documents.reader import DocumentReader
from retriton_pipeline.documents.records.reader import RECORD_SUFFIXES, member_records
from retriton_pipeline.documents.sanitizing import sanitized_document
from retriton_pipeline.errors import UnreadableDocument

_Item = Document | Unreadable
_ReaderOf = Callable[[str], DocumentReader]


def holds_files(file: Path) -> bool:
    """Whether ``file`` is an archive or a mailbox, by its name."""
    return file.suffix.lower() in CONTAINER_SUFFIXES


def container_parts(file: SourceFile) -> Iterator[FilePart]:
    """The units in which ``file`` is read: ranges of messages, or a whole archive."""
    if file.path.suffix.lower() in MAILBOX_SUFFIXES:
        return mailbox_parts(file)
    return iter([FilePart(file.path, within=file.within)])


def load_members(part: FilePart, reader_of: _ReaderOf) -> Iterator[_Item]:
    """The documents in a part of a container, with the reason for each that cannot be read.

    Args:
        part: of a file for which `holds_files` is true.
        reader_of: gives the reader of a suffix.

    Raises:
        UnreadableDocument: the container cannot be read.
    """
    is_archive = part.file.suffix.lower() in ARCHIVE_SUFFIXES
    if is_archive:
        with parser_errors():
            members = archive_members(read_whole(part.file, part.within), part.file.name)
    else:
        members = part_messages(part)
    found = 0
    while (member := _next(members)) is not None:
        found += 1
        yield from _member_documents(part.file, member, reader_of)
    if not found:
        raise UnreadableDocument("it holds no file" if is_archive else "it holds no message")


def _next(members: Iterator[Member]) -> Member | None:
    with parser_errors():
        return next(members, None)


def _member_documents(file: Path, member: Member, reader_of: _ReaderOf) -> Iterator[_Item]:
    path = PurePosixPath(member.name.replace("\\", "/"))
    source = f"{display_name(file)}#{without_controls(member.name)}"
    try:
        if member.reason or not member.raw:
            raise UnreadableDocument(member.reason or "it is empty (0 bytes)")
        if (suffix := path.suffix.lower()) in RECORD_SUFFIXES:
            yield from member_records(file, member.name, member.raw)
            return
        if suffix in MAILBOX_SUFFIXES:
            raise UnreadableDocument("mailboxes in archives are not read: unpack it")
        with parser_errors():
            content = reader_of(".eml" if is_mailbox(file) else suffix).read(member.raw)
        yield sanitized_document(file, _titled(content, path, file), _sha256(member.raw, content), member.name)
        for name, reason in content.unreadable_parts.items():
            yield Unreadable(f"{source}#{without_controls(name)}", reason)
    except UnreadableDocument as error:
        yield Unreadable(source, str(error))


def _titled(content: Content, path: PurePosixPath, file: Path) -> Content:
    """``content`` with the name of its own file as title, not that of the archive, if it states none."""
    return content if content.title or is_mailbox(file) else replace(content, title=path.stem)


def _sha256(raw: bytes, content: Content) -> str:
    digest = hashlib.sha256(raw)
    digest.update("".join(content.unreadable_parts).encode("utf-8", "replace"))
    return digest.hexdigest()
