"""Filters for folders of uploads."""

import re

_FOLDER = re.compile("[A-Za-z0-9:-]+")  # no wildcards of patterns


def below(folder: str) -> str:
    """Returns the filter of the documents of a folder's files.

    Args:
        folder: its location (see `StoredDocument`), of ASCII letters, digits, and ``:`` and ``-``.
    """
    if not _FOLDER.fullmatch(folder):
        raise ValueError(f"{folder!r} is no folder of uploads")
    return f'file like "{folder}/%"'
