"""Writes OLE files (compound files), the container of older Office files and of Outlook messages."""

from __future__ import annotations

import struct

_SECTOR, _MINI_SECTOR, _TABLE_ENTRIES = 512, 64, 128
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_DIRECTORY = 2  # the first sector of the directory, after the two tables


def ole_file(streams: dict[str, bytes]) -> bytes:
    """A file with ``streams`` of together at most 8 KiB in its root, all of them in the mini stream."""
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    mini, mini_table = b"", list[int]()
    entries: list[bytes] = []
    for number, name in enumerate(names, 1):
        start, sectors = len(mini_table), -(-len(streams[name]) // _MINI_SECTOR)
        mini += streams[name].ljust(sectors * _MINI_SECTOR, b"\0")
        mini_table += [*range(start + 1, start + sectors), _END]
        right = number + 1 if number < len(names) else _FREE  # a tree that is a list
        entries.append(_entry(name, 2, _FREE, start, len(streams[name]), right))
    directory_sectors = -(-(len(names) + 1) * 128 // _SECTOR)
    first, mini_sectors = _DIRECTORY + directory_sectors, -(-len(mini) // _SECTOR)
    root = _entry("Root Entry", 5, 1, first, len(mini))
    table = [_FAT, _END, *range(_DIRECTORY + 1, first), _END, *range(first + 1, first + mini_sectors), _END]
    directory = b"".join([root, *entries]).ljust(directory_sectors * _SECTOR, b"\0")
    return _header() + _table(table) + _table(mini_table) + directory + mini.ljust(mini_sectors * _SECTOR, b"\0")


def _table(entries: list[int]) -> bytes:
    return struct.pack(f"<{_TABLE_ENTRIES}I", *entries, *[_FREE] * (_TABLE_ENTRIES - len(entries)))


def _entry(name: str, kind: int, child: int, start: int, size: int, right: int = _FREE) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return struct.pack(
        "<64sHBBIII16sIQQIQ", encoded, len(encoded), kind, 1, _FREE, right, child, b"", 0, 0, 0, start, size
    )


def _header() -> bytes:
    fields = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"", 0, 1, _DIRECTORY, 0, 4096, 1, 1, _END, 0,
    )  # fmt: skip
    return fields + struct.pack("<109I", 0, *[_FREE] * 108)


def msg(subject: str, body: str, sender: str = "Ann") -> bytes:
    """An Outlook message."""
    texts = {"0037": subject, "1000": body, "0C1A": sender, "5D01": "ann@example.org"}
    streams = {f"__substg1.0_{tag}001F": text.encode("utf-16-le") for tag, text in texts.items()}
    header = struct.pack("<8sIIII8s", b"", 0, 0, 0, 0, b"")
    properties = b"".join(
        struct.pack("<HHIII", 0x1F, int(tag, 16), 6, len(text.encode("utf-16-le")) + 2, 0)
        for tag, text in texts.items()
    )
    return ole_file({**streams, "__properties_version1.0": header + properties})
