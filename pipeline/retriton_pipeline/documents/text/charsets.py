"""Encodings that a text states, or that are evident from its script, which statistics of bytes often miss."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

_HEAD_BYTES = 4096
_STATED = re.compile(
    rb"""<meta[^>]{1,200}charset\s{0,9}=\s{0,9}["']?([\w.:-]{1,40})"""
    rb"""|\A\s*<\?xml[^>]{1,200}encoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})"""
    rb"""|\A(?:[^\n]*\n)?[^\n]*coding[:=][ \t]*([-\w.]{1,40})"""
    rb"""|\\usepackage\[(\w{1,40})\]\{inputenc\}""",
    re.IGNORECASE,
)
_DEFAULT = "cp1252"
# What is meant by a name is often a superset of it.
_MEANT = {
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii", "ansinew"), _DEFAULT),
    **dict.fromkeys(("gb2312", "gbk", "x-gbk"), "gb18030"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j"), "cp932"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601"), "cp949"),
    "big5": "big5hkscs",
    "iso-8859-9": "cp1254",
    "iso-2022-jp": "iso2022_jp_ext",
}
_SLOW = ("punycode", "idna")  # quadratic, and of names, not of text
_SAMPLE_BYTES, _SAMPLE_CHARACTERS = 256 * 1024, 50_000
_EVIDENT = 0.9
_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")
_FOREIGN_BYTES_MIN = 12
_COMMON_CYRILLIC = set("оеаинтсрвл")
_COMMON_CYRILLIC_MIN = 0.45
_KANA_MIN = 0.2
_COMMON_HAN_MIN, _ONLY_COMMON_HAN_MIN = 0.8, 0.95
_CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5")
_HEBREW_FINAL = "ךםןףץ"  # forms of letters at the ends of words, whose bytes are frequent letters within Cyrillic words
_HEBREW_LETTERS_MIN = 10
_ALPHABETS = {  # the first and the last letter
    "cp1255": ("\u05d0", "\u05ea"),
    "cp1256": ("\u0621", "\u064a"),
    "cp874": ("\u0e01", "\u0e5b"),
    "cp1253": ("\u0391", "\u03ce"),
}
_ESCAPES = (b"\x1b$B", b"\x1b$@")  # of ISO-2022-JP, whose bytes are ASCII


def decoded_as(raw: bytes, name: str) -> str | None:
    """``raw`` decoded with what is meant by the ``name`` of an encoding; None if it does not fit or is unknown."""
    known = _MEANT.get(name.strip().lower(), name.strip())
    try:
        if known == _DEFAULT and not raw.isascii():
            return raw.decode("utf-8")  # programs state their default for texts in UTF-8
    except UnicodeDecodeError:
        pass
    try:
        return None if known.lower() in _SLOW else raw.decode(known)
    except (LookupError, UnicodeError, ValueError):
        return None


def stated_text(raw: bytes) -> str | None:
    """``raw`` decoded with the encoding that it states in HTML, XML, source code or LaTeX; None if there is none."""
    if any(escape in raw for escape in _ESCAPES):
        return decoded_as(raw, "iso-2022-jp")
    match = _STATED.search(raw[:_HEAD_BYTES])
    return decoded_as(raw, next(filter(None, match.groups())).decode("ascii")) if match else None


def evident_encoding(raw: bytes) -> str:
    """The encoding of a text in a script other than Latin; empty if none is evident."""
    sample = _foreign_text(raw[:_SAMPLE_BYTES])
    if not sample:
        return ""
    for encoding in ("cp932", "euc_jp"):
        kana, japanese = _shares(sample, encoding, _is_kana, _is_japanese)
        if kana >= _KANA_MIN and japanese >= _EVIDENT:
            return encoding
    if _shares(sample, "euc_kr", _is_hangul)[0] >= _EVIDENT:
        return "cp949"
    if _is_hebrew(sample):
        return "cp1255"
    cyrillic = {name: _shares(sample, name, _COMMON_CYRILLIC.__contains__)[0] for name in _CYRILLIC}
    best = max(cyrillic, key=lambda name: cyrillic[name])
    if cyrillic[best] >= _COMMON_CYRILLIC_MIN:
        return best
    chinese = {name: _shares(sample, name, common)[0] for name, common in _CHINESE.items()}
    common_han = max(chinese, key=lambda name: chinese[name])
    if chinese[common_han] >= _ONLY_COMMON_HAN_MIN:  # whose bytes can all be Thai
        return common_han
    for name, (first, last) in _ALPHABETS.items():
        if _shares(sample, name, lambda character, first=first, last=last: first <= character <= last)[0] >= _EVIDENT:  # type: ignore[misc]
            return name
    return common_han if chinese[common_han] >= _COMMON_HAN_MIN else ""


def _foreign_text(sample: bytes) -> bytes:
    """``sample``; if it is mostly ASCII, as code with comments is, its words without any ASCII letter.

    It is empty if these do not have almost all other bytes: words in Latin letters mix both.
    """
    if 2 * sum(byte >= 128 for byte in islice(sample, _SAMPLE_CHARACTERS)) >= min(len(sample), _SAMPLE_CHARACTERS):
        return sample
    words = [word for word in _WORDS.findall(sample) if not word[0] < 128 and not any(byte < 128 for byte in word)]
    found = b" ".join(word for word in words if len(word) > 1)
    others = sum(byte >= 128 for byte in sample)
    return found if len(found) >= _FOREIGN_BYTES_MIN and len(found) - found.count(b" ") >= _EVIDENT * others else b""


def _is_hebrew(sample: bytes) -> bool:
    """Whether all letters are Hebrew, and their final forms are at the ends of words only."""
    text = sample[:_SAMPLE_CHARACTERS].decode("cp1255", "replace")
    first, last = _ALPHABETS["cp1255"]
    words = re.findall(rf"[{first}-{last}]+", text)
    letters = sum(map(len, words))
    return (
        letters >= _HEBREW_LETTERS_MIN
        and _shares(sample, "cp1255", lambda character: first <= character <= last)[0] >= _EVIDENT
        and any(word[-1] in _HEBREW_FINAL for word in words)
        and not any(letter in _HEBREW_FINAL for word in words for letter in word[:-1])
    )


def _shares(sample: bytes, encoding: str, *kinds: Callable[[str], bool]) -> list[float]:
    """The shares of the letters beyond ASCII that are of each of ``kinds``; 0 if ``sample`` does not fit."""
    for end in range(len(sample), max(len(sample) - 4, 0), -1):  # the sample may end within a character
        try:
            text = sample[:end].decode(encoding)
        except UnicodeDecodeError:
            continue
        letters = [character for character in text[:_SAMPLE_CHARACTERS] if character > "\x7f" and _is_letter(character)]
        return [sum(map(kind, letters)) / (len(letters) or 1) for kind in kinds]
    return [0.0] * len(kinds)


def _is_letter(character: str) -> bool:
    return character.isalpha() or not (character.isspace() or "\u2000" <= character <= "\u206f" or _is_mark(character))


def _is_mark(character: str) -> bool:
    return "\u3000" <= character <= "\u303f" or "\uff00" <= character <= "\uff20" or character in "«»·–—…№"


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30fe"


def _is_japanese(character: str) -> bool:
    return _is_kana(character) or "\u4e00" <= character <= "\u9fff"


def _is_hangul(character: str) -> bool:
    return "\uac00" <= character <= "\ud7a3"


def _is_common(character: str, encoding: str, first: int, last: int) -> bool:
    """Whether ``character`` is in the first of the two levels of an encoding of Chinese."""
    code = character.encode(encoding, "ignore")
    return len(code) == 2 and first <= code[0] <= last and character.isalpha()


_CHINESE: dict[str, Callable[[str], bool]] = {
    "gb18030": lambda character: _is_common(character, "gb2312", 0xB0, 0xD7),
    "big5hkscs": lambda character: _is_common(character, "big5", 0xA4, 0xC6),
}
