"""Dates, times and durations as spreadsheets display them: ``dd.mm.yyyy``, ``h:mm AM/PM``, ``[h]:mm``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from retriton_pipeline.documents.office.date_names import day_name, month_name

DATE_CODE = r"AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|e+|g+"
_FIRST_DAY = datetime(1899, 12, 30)
_LEAP_DAY = 60  # 29 February 1900, which the format counts although it did not exist
_DAYS_MAX = 2_958_466  # until the end of the year 9999
_SECONDS = 86_400
_Tokens = Sequence[tuple[str, str]]


def is_date(tokens: _Tokens) -> bool:
    """Whether a section of a format code displays a date, a time or a duration."""
    return any(kind in ("date", "elapsed") for kind, _ in tokens)


def displayed_date(value: float, tokens: _Tokens, language: str = "en") -> str:
    """The days ``value`` since the end of 1899 by ``tokens``; empty if it is out of the range of dates.

    Args:
        value: the days.
        tokens: of a section of a format code.
        language: of the names of months and days, as `language_of` returns it.
    """
    if not 0 <= value < _DAYS_MAX:
        return ""
    places = max((len(text.partition(".")[2]) for kind, text in tokens if kind == "date"), default=0)
    seconds = float(round(Decimal(repr(value)) * _SECONDS, places))
    days, rest = divmod(seconds, _SECONDS)
    moment = _FIRST_DAY + timedelta(days=days + (days < _LEAP_DAY), seconds=rest)
    has_noon = any(text.upper() in ("AM/PM", "A/P") for _, text in tokens)
    return "".join(_parts(moment, seconds, tokens, has_noon, language)).strip()


def _parts(moment: datetime, seconds: float, tokens: _Tokens, has_noon: bool, language: str) -> Iterator[str]:
    units = [(index, text[0].lower()) for index, (kind, text) in enumerate(tokens) if kind in ("date", "elapsed")]
    minutes = {index for place, (index, unit) in enumerate(units) if unit == "m" and (
        (place and units[place - 1][1] == "h") or (units[place + 1 :] and units[place + 1][1] == "s"))}  # fmt: skip
    for index, (kind, text) in enumerate(tokens):
        if kind == "elapsed":
            unit = {"h": 3600, "m": 60, "s": 1}[text[0]]
            yield str(int(seconds // unit)).rjust(len(text), "0")
        elif kind == "date":
            is_name = text[0].lower() in "dm" and index not in minutes and len(text) > 2
            yield _name(moment, text, language) if is_name else _unit(moment, seconds, text, index in minutes, has_noon)
        elif kind != "space":
            yield "" if text == "@" else text


def _unit(moment: datetime, seconds: float, code: str, is_minute: bool, has_noon: bool) -> str:
    unit, width = code[0].lower(), len(code)
    if code.upper() in ("AM/PM", "A/P"):
        name = "AM" if moment.hour < 12 else "PM"
        return name if len(code) > 3 else name[0]
    if unit == "s":
        whole, _, places = code.partition(".")
        second = f"{moment.second:0{min(len(whole), 2)}}"
        return f"{second}{f'{seconds % 1:.{len(places)}f}'[1:]}" if places else second
    if unit == "h":
        return f"{(moment.hour % 12 or 12) if has_noon else moment.hour:0{min(width, 2)}}"
    if unit == "y" or unit == "e":
        return f"{moment.year % 100:02}" if unit == "y" and width < 3 else str(moment.year)
    if unit == "g":
        return ""
    if is_minute:
        return f"{moment.minute:0{min(width, 2)}}"
    return f"{moment.month if unit == 'm' else moment.day:0{width}}"


def _name(moment: datetime, code: str, language: str) -> str:
    """The name of a month or a day: ``mmm`` and ``ddd`` are short, ``mmmmm`` is its first letter."""
    name = (month_name if code[0].lower() == "m" else day_name)(moment, language, len(code) == 3)
    return name[:1] if len(code) == 5 else name
