"""Finds files and opens them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from retriton_pipeline.documents.model import FilePart, SourceFile
from retriton_pipeline.errors import PipelineError, UnreadableDocument

BYTES_MAX = 256 * 1024 * 1024
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}
# Characters that change how a terminal or a page shows the text around them: control characters, line separators, and
# those that override the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def find_files(paths: Iterable[Path], follow_links: bool = False) -> Iterator[SourceFile]:
    """The files among ``paths`` and all files in the folders among them: sorted by folder, without duplicates.

    Hidden files and folders are skipped. Symbolic links to folders are not followed. Links to files are followed if
    they are among ``paths`` or lead to a file in the same folder among ``paths``; loading any other link, and any link
    to a folder elsewhere, reports it.
    Special files, folders that cannot be listed and dangling links are included, so that loading them reports why they
    cannot be read.

    Args:
        paths: files and folders.
        follow_links: whether to follow links out of a folder, too.

    Raises:
        PipelineError: a path does not exist, or is neither a file nor a folder.
    """
    seen: set[str] = set()
    for path in paths:
        is_file = _is_file(path)
        within = None if is_file or follow_links else Path(os.path.realpath(path))
        for file in [path] if is_file else _walk(path):
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield SourceFile(file, within)


def _is_file(path: Path) -> bool:
    """Whether ``path`` is a file, not a folder."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        known = isinstance(error, FileNotFoundError | NotADirectoryError)
        reason = "does not exist" if known else f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise PipelineError(f"{display_name(path)} {reason}") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise PipelineError(f"{display_name(path)} is neither a file nor a folder")
    return stat.S_ISREG(mode)


def _walk(folder: Path) -> Iterator[Path]:
    unlistable: list[Path] = []
    found: list[Path] = []
    for parent, folders, files in os.walk(folder, onerror=lambda error: unlistable.append(Path(error.filename))):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
        found += [link for name in folders if _leads_out(link := Path(parent, name), folder)]
    yield from sorted([*unlistable, *found])


def _leads_out(path: Path, folder: Path) -> bool:
    """Whether ``path`` is a link to something outside of ``folder``."""
    return path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def size_of(file: Path) -> int:
    """The size of ``file`` in bytes; 0 if it cannot be determined."""
    try:
        return file.stat().st_size
    except OSError:
        return 0


def location(file: Path) -> str:
    """The path of ``file`` with links among its parent folders resolved, but not a link that is the file itself."""
    return display_name(Path(os.path.realpath(file.parent), file.name))


def display_name(file: Path) -> str:
    r"""The path as valid Unicode: bytes that are not UTF-8 are replaced, control characters are escaped (``\x1b``)."""
    return without_controls(os.fsencode(file).decode("utf-8", "replace"))


def without_controls(text: str) -> str:
    r"""``text`` with control characters, and those that override the direction of writing, as escapes (``\x1b``)."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def open_file(file: Path, within: Path | None = None) -> BinaryIO:
    """Opens a regular file; never waits for the other end of a pipe.

    Args:
        file: its path.
        within: the folder that it must be in after all links are resolved; None for anywhere.

    Raises:
        OSError: it cannot be opened.
        UnreadableDocument: it is no regular file, or outside of ``within``.
    """
    _require_regular(file.stat().st_mode)
    stream = os.fdopen(os.open(file, _OPEN), "rb")
    try:
        _require_regular(os.fstat(stream.fileno()).st_mode)  # it may have been replaced
        if within is not None and not _real_path(stream, file).is_relative_to(os.path.realpath(within)):
            raise UnreadableDocument(
                "it is, or is in, a link that leads out of the folder that is ingested: name the file itself, or allow "
                "such links with --follow-links"
            )
    except BaseException:
        stream.close()
        raise
    return stream


def require_regular(file: Path) -> None:
    """Checks that ``file`` is not a folder or a special file; whether it exists is checked when it is opened.

    Raises:
        UnreadableDocument: it is.
    """
    try:
        mode = file.stat().st_mode
        is_link = file.is_symlink()
    except OSError:
        return
    if stat.S_ISDIR(mode):
        raise UnreadableDocument(
            "it is a link to a folder, which is not followed: name that folder itself"
            if is_link
            else "the folder cannot be listed"
        )
    _require_regular(mode)


def _require_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnreadableDocument(f"it is {_KINDS.get(stat.S_IFMT(mode), 'something else')}, not a regular file")


def _real_path(stream: BinaryIO, file: Path) -> Path:
    """The path of the file that is open, which a change of links since then does not affect."""
    try:
        return Path(f"/proc/self/fd/{stream.fileno()}").readlink()
    except OSError:
        return Path(os.path.realpath(file))


def read_whole(file: Path, within: Path | None = None) -> bytes:
    """The bytes of ``file``.

    Args:
        file: its path.
        within: as for `open_file`.

    Raises:
        UnreadableDocument: it is empty, too large, no regular file, or cannot be read.
    """
    try:
        with open_file(file, within) as stream:
            size = os.fstat(stream.fileno()).st_size
            raw = b"" if size > BYTES_MAX else stream.read(size)  # not more, of a file that grows
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error
    if size > BYTES_MAX:
        raise UnreadableDocument(f"it has {size} bytes, more than the {BYTES_MAX} that are read at once: split it")
    if not raw:
        raise UnreadableDocument("it is empty (0 bytes)")
    return raw


def read_range(part: FilePart) -> bytes:
    """The bytes of ``part``, after those of the head of its file.

    Raises:
        UnreadableDocument: as for `read_whole`.
    """
    if part.end is None and not part.start:
        return read_whole(part.file, part.within)
    try:
        with open_file(part.file, part.within) as stream:
            head = stream.read(min(part.head, part.start))
            end = os.fstat(stream.fileno()).st_size if part.end is None else part.end
            stream.seek(part.start)
            return head + stream.read(max(end - part.start, 0))
    except OSError as error:
        raise UnreadableDocument(f"it cannot be read: {error.strerror}") from error
