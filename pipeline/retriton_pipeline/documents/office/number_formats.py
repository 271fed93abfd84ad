"""Numbers as spreadsheets display them: the format codes of Office Open XML, such as ``0.00%`` and ``[h]:mm``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import lru_cache

from retriton_pipeline.documents.office.date_formats import DATE_CODE, displayed_date, is_date
from retriton_pipeline.documents.office.date_names import language_of

_CODE_CHARACTERS_MAX = 255  # the limit of the format
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.?)|[_*](?P<space>.?)|\[(?P<bracket>[^\]]*)\]?'
    rf"|(?P<general>General)|(?P<exponent>E[+-]0+)|(?P<date>{DATE_CODE})|(?P<digit>[0#?])|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)(-?[\d.]+)")
_SECTIONS = 4  # for positive numbers, negative numbers, zero and text
_DIGITS = Context(prec=400)
_FRACTION = re.compile(r"[?#0]+/([?#0]+|\d+)")
_LOCALE_DATES = {"mm-dd-yy": "yyyy-mm-dd", "m/d/yy h:mm": "yyyy-mm-dd hh:mm"}  # each computer displays its own


@dataclass(frozen=True)
class _Section:
    """A part of a format code, for some of the numbers.

    Attributes:
        tokens: kinds and texts.
        condition: an operator and a number; None if the sign decides.
        language: of the names of months and days.
    """

    tokens: tuple[tuple[str, str], ...]
    condition: tuple[str, float] | None = None
    language: str = "en"


def displayed(value: float, code: str, days_added: int = 0) -> str:
    """``value`` as a cell with the format ``code`` displays it.

    Args:
        value: the number; dates are days since the end of 1899.
        code: the format code, in English notation.
        days_added: 1462 for the dates of a file that counts days since 1904.
    """
    if code == "General" or len(code) > _CODE_CHARACTERS_MAX:
        return _general(value)
    sections = _sections(_LOCALE_DATES.get(code, code))
    section, is_absolute = _section_of(value, sections)
    kinds = [kind for kind, _ in section.tokens]
    if is_date(section.tokens):
        return displayed_date(value + days_added, section.tokens, section.language) or _general(value)
    if "general" in kinds or ("other", "@") in section.tokens:
        number = _general(abs(value) if is_absolute else value)
        return "".join(
            number if kind == "general" or text == "@" else text for kind, text in section.tokens if kind != "space"
        ).strip()
    text = _number(abs(value), section.tokens)
    is_negative = value < 0 and not is_absolute and any(digit in text for digit in "123456789")
    return f"-{text}" if is_negative else text


def displayed_text(text: str, code: str) -> str:
    """``text`` as a cell with the format ``code`` displays it."""
    if code in ("General", "@") or len(code) > _CODE_CHARACTERS_MAX or not ("@" in code or code.count(";") > 2):
        return text
    sections = _sections(code)
    if "@" not in code and len(sections) < _SECTIONS:
        return text
    return "".join(text if part == "@" else part for kind, part in sections[-1].tokens if kind != "space")


def _general(value: float) -> str:
    return f"{value:.15g}".upper()  # without binary rounding errors


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...]:
    sections: list[_Section] = []
    tokens: list[tuple[str, str]] = []
    condition: tuple[str, float] | None = None
    language = "en"
    for match in _TOKEN.finditer(code + ";"):
        kind, text = match.lastgroup or "other", match[match.lastgroup or 0]
        if kind == "other" and text == ";":
            sections.append(_Section(tuple(tokens), condition, language))
            tokens, condition, language = [], None, "en"
        elif kind == "bracket":
            condition = _condition(text) or condition
            language = language_of(text.partition("-")[2]) if text.startswith("$") else language
            tokens += _bracket(text)
        else:
            tokens.append(("literal", text) if kind in ("quoted", "escaped") else (kind, text))
    return tuple(sections)


def _condition(text: str) -> tuple[str, float] | None:
    match = _CONDITION.fullmatch(text)
    return (match[1], float(match[2])) if match and match[2].count(".") < 2 and match[2] not in (".", "-.") else None


def _bracket(text: str) -> list[tuple[str, str]]:
    """``[$€-407]`` is a currency, ``[h]`` an elapsed time; others are colours and conditions."""
    if text.startswith("$"):
        return [("literal", text[1:].partition("-")[0])]
    return [("elapsed", text.lower())] if text and text.lower().strip(text[0].lower()) == "" and text[0] in "hmsHMS" \
        else []  # fmt: skip


def _section_of(value: float, sections: tuple[_Section, ...]) -> tuple[_Section, bool]:
    """The section for ``value``, and whether the section itself shows the sign."""
    numeric = sections[:3]
    if any(section.condition for section in numeric):
        for section in numeric:
            if section.condition is None or _holds(value, *section.condition):
                return section, False
        return numeric[-1], False
    if value < 0 and len(numeric) > 1:
        return numeric[1], True
    return numeric[2 if value == 0 and len(numeric) > 2 else 0], False


def _holds(value: float, operator: str, limit: float) -> bool:
    return ("=" in operator and value == limit) or ("<" in operator and value < limit) or (
        ">" in operator and value > limit)  # fmt: skip


def _number(value: float, tokens: tuple[tuple[str, str], ...]) -> str:
    code = "".join(text for kind, text in tokens if kind in ("digit", "other", "exponent"))
    if fraction := _FRACTION.search(code):
        return _with_fraction(value, tokens, fraction[1], whole=code[: fraction.start()].strip() != "")
    digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digit"]
    point = next((index for index, token in enumerate(tokens) if token == ("other", ".")), len(tokens))
    integers, decimals = [index for index in digits if index < point], [index for index in digits if index > point]
    commas = [index for index, token in enumerate(tokens) if token == ("other", ",")]
    scale = sum(index > max(integers if index < point else digits, default=index) for index in commas)
    percents = sum(token == ("other", "%") for token in tokens)
    exponent = next((text for kind, text in tokens if kind == "exponent"), "")
    scaled = Decimal(repr(value)).scaleb(2 * percents - 3 * scale)
    steps = len(integers) if any(tokens[index][1] != "0" for index in integers) else 1  # as in "##0.0E+0"
    whole, places, power = _rounded(scaled, len(decimals), exponent, steps)
    places = places.rstrip("0").ljust(sum(tokens[index][1] == "0" for index in decimals), "0")
    whole = whole.lstrip("0").rjust(sum(tokens[index][1] == "0" for index in integers), "0")
    has_groups = any(integers[0] < index < integers[-1] for index in commas) if integers else False
    filled = _filled(tokens, integers, f"{int(whole):,}" if has_groups and whole.strip("0") else whole)
    filled |= dict.fromkeys(decimals, "") | ({decimals[0]: places} if decimals else {})
    filled |= dict.fromkeys(commas, "") | ({} if places else {point: ""})
    return "".join(
        filled.get(index, power if kind == "exponent" else "" if kind == "space" else text)
        for index, (kind, text) in enumerate(tokens)
    ).strip()


def _rounded(value: Decimal, places: int, exponent: str, steps: int) -> tuple[str, str, str]:
    """The digits before and after the point, and the exponent, which is a multiple of ``steps``."""
    if exponent:
        power = int(f"{value:E}".partition("E")[2]) // steps * steps if value else 0
        whole, decimals, _ = _rounded(value.scaleb(-power), places, "", 1)
        if len(whole) > steps:  # by rounding
            power += steps
            whole, decimals, _ = _rounded(value.scaleb(-power), places, "", 1)
        sign = "-" if power < 0 else "+" if "+" in exponent else ""
        return whole, decimals, f"E{sign}{str(abs(power)).rjust(len(exponent) - 2, '0')}"
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _DIGITS)
    whole, _, decimals = f"{rounded:f}".partition(".")
    return whole, decimals, ""


def _filled(tokens: tuple[tuple[str, str], ...], places: list[int], digits: str) -> dict[int, str]:
    """The digits for each place; the first takes all that the others leave, or all if no text is in between."""
    if not places:
        return {}
    between = tokens[places[0] : places[-1]]
    if all(kind == "digit" or text == "," for kind, text in between):
        return dict.fromkeys(places, "") | {places[0]: digits}
    rest = len(digits) - len(places) + 1
    return {place: digits[:rest] if number == 0 else digits[rest + number - 1 : rest + number]
            for number, place in enumerate(places)} if rest > 0 else dict(
        zip(places, digits.rjust(len(places)), strict=True))  # fmt: skip


def _with_fraction(value: float, tokens: tuple[tuple[str, str], ...], denominator: str, whole: bool) -> str:
    fixed = int(denominator) if denominator.isdecimal() and int(denominator) else 0
    exact = Fraction(value)
    near = Fraction(round(exact * fixed), fixed) if fixed else exact.limit_denominator(10 ** len(denominator) - 1)
    integer, rest = divmod(near, 1) if whole else (0, near)
    lower = fixed or rest.denominator
    parts = [str(integer)] if integer or (whole and not rest) else []
    parts += [f"{rest * lower}/{lower}"] if rest or not whole else []
    after = "".join(text for kind, text in tokens if kind == "literal")
    return " ".join([*parts, after.strip()]).strip()
