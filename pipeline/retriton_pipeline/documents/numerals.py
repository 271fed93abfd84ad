"""Numbers as letters, Roman numerals and others that lists are numbered with."""

from __future__ import annotations

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
ROMAN_MAX = 3999
_LETTERS_MAX = 780  # "zzz…" of thirty letters
_ORDINALS = {1: "st", 2: "nd", 3: "rd"}
_CHINESE_DIGITS = "〇一二三四五六七八九"
_CHINESE = ("chineseCounting", "chineseCountingThousand", "japaneseCounting", "taiwaneseCounting",
            "taiwaneseCountingThousand", "ideographDigital", "japaneseDigitalTenThousand")  # fmt: skip


_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
_ALPHABETS = {
    "russianLower": _RUSSIAN,
    "russianUpper": _RUSSIAN.upper(),
    "hebrew2": "אבגדהוזחטיכלמנסעפצקרשת",
    "ganada": "가나다라마바사아자차카타파하",
    "aiueoFullWidth": "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン",
    "irohaFullWidth": _IROHA,
}
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def numeral(number: int, style: str) -> str:
    """``number`` in a style with a name of WordprocessingML; with digits if the style is unknown."""
    if style == "none":
        return ""
    if style.startswith("decimalZero"):
        return f"{number:0{style.removeprefix('decimalZero') or 2}}"
    if style in ("lowerLetter", "upperLetter") and 0 < number <= _LETTERS_MAX:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if style == "lowerLetter" else letters.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < number <= ROMAN_MAX:
        return roman(number) if style == "lowerRoman" else roman(number).upper()
    if style == "ordinal":
        return f"{number}{'th' if number % 100 in (11, 12, 13) else _ORDINALS.get(number % 10, 'th')}"
    if style == "decimalEnclosedCircle" and 0 < number <= 20:
        return chr(ord("①") + number - 1)
    if style in _ALPHABETS and 0 < number <= len(_ALPHABETS[style]):
        return _ALPHABETS[style][number - 1]
    if style == "decimalFullWidth":
        return str(number).translate(_FULL_WIDTH)
    if style in _CHINESE and 0 < number < 100:
        return _chinese(number)
    return str(number)


def roman(number: int) -> str:
    """``number``, from 1, as a Roman numeral of lower-case letters."""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    digits = _CHINESE_DIGITS
    return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")
