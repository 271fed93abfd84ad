"""Texts that are signed with OpenPGP in the clear."""

from __future__ import annotations

import re

_BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----\n"
_SIGNATURE, _END = "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----"
_ESCAPED = re.compile(r"^- ", re.MULTILINE)  # before lines that begin with a hyphen
_TEXTS_MAX = 100


def without_armor(text: str) -> str:
    """``text`` without what signing it added: the lines around it, the signature, and escaped hyphens."""
    parts: list[str] = []
    for _ in range(_TEXTS_MAX):
        before, _, signed = text.partition(_BEGIN)
        body, signature, rest = signed.partition(_SIGNATURE)
        _, end, after = rest.partition(_END)
        if not signature or not end:
            break
        parts += [before, _ESCAPED.sub("", body.partition("\n\n")[2])]  # above the blank line is the digest
        text = after
    return "".join([*parts, text])
