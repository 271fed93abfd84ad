"""Numbers and units of the LaTeX package siunitx as they are printed, and verbatim text in a line."""

from __future__ import annotations

import re

_PREFIXES = {
    "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "µ", "milli": "m",
    "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "kibi": "Ki", "mebi": "Mi", "gibi": "Gi",
}  # fmt: skip
_UNITS = {
    "ampere": "A", "bar": "bar", "becquerel": "Bq", "bit": "bit", "byte": "B", "candela": "cd", "celsius": "°C",
    "coulomb": "C", "dalton": "Da", "day": "d", "decibel": "dB", "degree": "°", "degreeCelsius": "°C",
    "electronvolt": "eV", "farad": "F", "gram": "g", "gray": "Gy", "hectare": "ha", "henry": "H", "hertz": "Hz",
    "hour": "h", "joule": "J", "kelvin": "K", "kg": "kg", "kilogram": "kg", "km": "km", "cm": "cm", "mm": "mm",
    "um": "µm", "nm": "nm", "litre": "L", "liter": "L", "lumen": "lm", "lux": "lx", "meter": "m", "metre": "m",
    "minute": "min", "mole": "mol", "newton": "N", "ohm": "Ω", "pascal": "Pa", "percent": "%", "radian": "rad",
    "second": "s", "siemens": "S", "sievert": "Sv", "tesla": "T", "tonne": "t", "volt": "V", "watt": "W", "weber": "Wb",
    "kHz": "kHz", "MHz": "MHz", "GHz": "GHz", "kW": "kW", "kV": "kV", "mA": "mA", "ms": "ms", "us": "µs", "kPa": "kPa",
    "MPa": "MPa", "kN": "kN", "ml": "ml",
}  # fmt: skip
_SIGNS = {"per": "/", "squared": "²", "cubed": "³", "square": "²", "cubic": "³"}
_BEFORE = {"square", "cubic"}  # powers before their units
_MACRO = re.compile(r"\\([A-Za-z]+)\s*")
_ARGUMENT = re.compile(r"\{([^{}]*)\}")
_SPECIAL = re.compile(r"([#$%&_{}])")


def escaped(text: str) -> str:
    """The source of verbatim ``text`` outside of a verbatim macro."""
    text = text.replace("\\", "\0")
    text = _SPECIAL.sub(r"\\\1", text).replace("^", "\\^{}").replace("~", "\\textasciitilde{}")
    return text.replace("\0", "\\textbackslash{}")


def displayed_quantity(match: re.Match[str]) -> str:
    """The text of a macro of siunitx, as a replacement for ``match``, whose first group is all arguments."""
    macro = match[0].lstrip("\\")
    *numbers, last = _ARGUMENT.findall(match[1])
    if macro.startswith("ang"):
        return "".join(f"{part}{sign}" for part, sign in zip(last.split(";"), "°′″", strict=False) if part.strip())
    if macro.startswith("num"):
        return " to ".join(map(_number, [*numbers, last]))
    return escaped_percent(" ".join(filter(None, [" to ".join(map(_number, numbers)), _unit(last)])))


def escaped_percent(text: str) -> str:
    """``text`` whose percent signs begin no comments."""
    return text.replace("%", "\\%")


def _number(text: str) -> str:
    return re.sub(r"(?<=\d)[eE](?=[-+]?\d)", "e", text.replace("+-", "±").replace("\\pm", "±").strip())


def _unit(source: str) -> str:
    r"""The signs of a unit such as ``\kilo\metre\per\hour``, or its text where it is written in signs."""
    power = ""
    shown: list[str] = []
    position = 0
    for macro in _MACRO.finditer(source):
        shown.append(source[position : macro.start()].replace(".", "·").replace("~", "·"))
        position = macro.end()
        name = macro[1]
        sign = _PREFIXES.get(name) or _UNITS.get(name) or _SIGNS.get(name, name)
        if name in _BEFORE:
            power = sign
            continue
        is_base = name not in _PREFIXES and name not in _SIGNS
        needs_dot = shown[:-1] and name not in _SIGNS and _ends_unit(source[: macro.start()])
        shown.append(("·" if needs_dot else "") + sign + (power if is_base else ""))
        power = "" if is_base else power
    return "".join([*shown, source[position:].replace("~", "·")]).strip()


def _ends_unit(source: str) -> bool:
    """Whether ``source`` ends with a complete unit, so that the next one is a factor."""
    names = _MACRO.findall(source)
    return bool(names) and (names[-1] in _UNITS or names[-1] in ("squared", "cubed"))
