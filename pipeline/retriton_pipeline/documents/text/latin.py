"""The encoding of a text in a European language with Latin letters, by the accented letters that one language has."""

from __future__ import annotations

_WESTERN = (
    "äöüß", "àâæçéèêëîïôœùûüÿ", "áéíóúüñªº", "ãáâàçéêíõóôúª", "åäöé", "æøåéòôó", "àèéìòùîº", "áðéíóúýþæö", "ëïéèóöüê",
    "àçéèíïóòúü·", "éáíóúêôâ",
)  # fmt: skip
_CENTRAL = ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "ăâîşţ", "čšžćđ", "áäčďéíĺľňóôŕšťúýž")
_BALTIC = ("āčēģīķļņšūž", "ąčęėįšųūž", "äöõüšž")
_LANGUAGES = {  # of those that fit as well, the first is chosen
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": ("çğıi̇öşüâîû",),
    "iso8859_2": _CENTRAL,
    "cp1257": _BALTIC,
    "mac_roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
}
_SIGNS = frozenset("€–—’‘“”„‚…°£§«»©®™·•½¼¾¡¿²³µ×±\u00a0¢¥‰†¶¬÷")
_WITHIN_WORDS = frozenset("’–—·")
_COVERED_MIN = 0.95
_SAMPLE_BYTES = 64 * 1024


def latin_encoding(raw: bytes) -> str:
    """The encoding with which ``raw`` has only letters of one language and usual signs; empty if there is none."""
    sample = raw[:_SAMPLE_BYTES]
    best, best_covered = "", _COVERED_MIN
    for encoding, languages in _LANGUAGES.items():
        try:
            covered = _covered(sample.decode(encoding), languages)
        except UnicodeDecodeError:
            continue
        if covered > best_covered:
            best, best_covered = encoding, covered
    return best


def _covered(text: str, languages: tuple[str, ...]) -> float:
    """The share of the characters beyond ASCII that are letters of one of ``languages``, or signs beside words."""
    letters: dict[str, int] = {}
    signs = odd = 0
    for before, character, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if character <= "\x7f":
            continue
        if character.isalpha() and not (character.isupper() and before.islower()):
            letters[character.lower()] = letters.get(character.lower(), 0) + 1
        elif character in _SIGNS and (character in _WITHIN_WORDS or not (before.isalpha() and after.isalpha())):
            signs += 1
        else:
            odd += 1
    total = sum(letters.values()) + signs + odd
    known = max(sum(count for letter, count in letters.items() if letter in language) for language in languages)
    return (known + signs) / total if total else 0.0
