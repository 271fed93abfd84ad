"""Numbers as letters, Roman numerals and others that lists are numbered with."""

from __future__ import annotations

import re

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
_CARDINALS = (
    "", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IRREGULAR = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
              "twelve": "twelfth"}  # fmt: skip
_ZEROS = re.compile(r"decimalZero(\d{0,2})")  # with the number of digits
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def numeral(number: int, style: str) -> str:
    """``number`` in a style with a name of WordprocessingML; with digits if the style is unknown."""
    if style == "none":
        return ""
    if zeros := _ZEROS.fullmatch(style):
        return str(number).rjust(int(zeros[1] or 2), "0")
    if style in ("lowerLetter", "upperLetter") and 0 < number <= _LETTERS_MAX:
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters if style == "lowerLetter" else letters.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < number <= ROMAN_MAX:
        return roman(number) if style == "lowerRoman" else roman(number).upper()
    if style == "ordinal":
        return f"{number}{'th' if number % 100 in (11, 12, 13) else _ORDINALS.get(number % 10, 'th')}"
    if style == "decimalEnclosedCircle" and 0 < number <= 20:
        return chr(ord("①") + number - 1)
    return _of_other_scripts(number, style) or str(number)


def _of_other_scripts(number: int, style: str) -> str:
    """``number`` in letters, signs or words; empty if the style is unknown."""
    if style in _ALPHABETS and 0 < number <= len(_ALPHABETS[style]):
        return _ALPHABETS[style][number - 1]
    if style in ("cardinalText", "ordinalText") and 0 < number < 100:
        return _in_words(number, is_ordinal=style == "ordinalText").capitalize()
    if style == "decimalFullWidth":
        return str(number).translate(_FULL_WIDTH)
    if style in _CHINESE and 0 < number < 100:
        return _chinese(number)
    return ""


def roman(number: int) -> str:
    """``number``, from 1, as a Roman numeral of lower-case letters."""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _in_words(number: int, is_ordinal: bool) -> str:
    """``number`` in English words."""
    tens, ones = (0, number) if number < len(_CARDINALS) else divmod(number, 10)
    words = list(filter(None, (_TENS[tens], _CARDINALS[ones])))
    if is_ordinal:
        last = words[-1]
        words[-1] = _IRREGULAR.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return "-".join(words)


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    digits = _CHINESE_DIGITS
    return ("" if tens < 2 else digits[tens]) + ("十" if tens else "") + (digits[ones] if ones else "")
