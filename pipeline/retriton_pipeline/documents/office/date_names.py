"""Names of months and days in the languages that format codes of spreadsheets state, such as ``[$-407]``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_PRIMARY_LANGUAGE = 0x3FF  # of the number of a language and a country
_DIGITS_MAX = 8


@dataclass(frozen=True)
class _Names:
    months: tuple[str, ...]
    short_months: tuple[str, ...]
    days: tuple[str, ...]
    short_days: tuple[str, ...]

    @classmethod
    def of(cls, months: str, short_months: str, days: str, short_days: str) -> _Names:
        """The names in texts that blanks separate, from January and from Monday."""
        return cls(*(tuple(names.split()) for names in (months, short_months, days, short_days)))


_NAMES = {
    "de": _Names.of(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Mo Di Mi Do Fr Sa So",
    ),
    "en": _Names.of(
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "Mon Tue Wed Thu Fri Sat Sun",
    ),
    "es": _Names.of(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sep oct nov dic",
        "lunes martes miércoles jueves viernes sábado domingo",
        "lu ma mi ju vi sá do",
    ),
    "fr": _Names.of(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "it": _Names.of(
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "lun mar mer gio ven sab dom",
    ),
    "nl": _Names.of(
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan feb mrt apr mei jun jul aug sep okt nov dec",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "ma di wo do vr za zo",
    ),
    "pt": _Names.of(
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan fev mar abr mai jun jul ago set out nov dez",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "seg ter qua qui sex sáb dom",
    ),
}
_LANGUAGES = {0x07: "de", 0x09: "en", 0x0A: "es", 0x0C: "fr", 0x10: "it", 0x13: "nl", 0x16: "pt"}


def language_of(locale: str) -> str:
    """The language of a locale in a format code (``407``, ``de-DE``); English if its names are not known."""
    try:
        number = int(locale[:_DIGITS_MAX], 16) & _PRIMARY_LANGUAGE
    except ValueError:
        return locale[:2].lower() if locale[:2].lower() in _NAMES else "en"
    return _LANGUAGES.get(number, "en")


def month_name(moment: datetime, language: str, is_short: bool) -> str:
    """The name of a month."""
    names = _NAMES[language]
    return (names.short_months if is_short else names.months)[moment.month - 1]


def day_name(moment: datetime, language: str, is_short: bool) -> str:
    """The name of a day of the week."""
    names = _NAMES[language]
    return (names.short_days if is_short else names.days)[moment.weekday()]
