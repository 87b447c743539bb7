"""Spanish normalisation: numbers, dates, times, money, units and abbreviations in words."""

from __future__ import annotations

import re
from collections.abc import Callable

from .spanish_numbers import LARGEST, es_cardinal, es_digits, es_ordinal
from .units import pattern

_MONTH_LIST = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
_MONTHS = _MONTH_LIST.split()
_N = r"\d{1,3}(?:[.\u00a0 ]\d{3})+(?:,\d+)?(?!\d)|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:[.,]\d+)?"
# symbol: (singular, plural); the gender of the amount goes by the plural's last letters
_UNITS = {
    "km/h": ("kilómetro por hora", "kilómetros por hora"), "km²": ("kilómetro cuadrado", "kilómetros cuadrados"),
    "m²": ("metro cuadrado", "metros cuadrados"), "m³": ("metro cúbico", "metros cúbicos"), "km": ("kilómetro", "kilómetros"),
    "cm": ("centímetro", "centímetros"), "mm": ("milímetro", "milímetros"), "m": ("metro", "metros"),
    "kg": ("kilo", "kilos"), "mg": ("miligramo", "miligramos"), "g": ("gramo", "gramos"), "ml": ("mililitro", "mililitros"),
    "l": ("litro", "litros"), "L": ("litro", "litros"), "s": ("segundo", "segundos"), "min": ("minuto", "minutos"),
    "h": ("hora", "horas"), "kWh": ("kilovatio hora", "kilovatios hora"), "kW": ("kilovatio", "kilovatios"),
    "GB": ("gigabyte", "gigabytes"), "MB": ("megabyte", "megabytes"), "GHz": ("gigahercio", "gigahercios"),
    "Hz": ("hercio", "hercios"), "°C": ("grado Celsius", "grados Celsius"), "℃": ("grado Celsius", "grados Celsius"),
    "°": ("grado", "grados"), "%": ("por ciento", "por ciento"), "‰": ("por mil", "por mil"),
}  # fmt: skip
_MONEY = {
    "€": ("euro", "euros", "céntimo", "céntimos"), "EUR": ("euro", "euros", "céntimo", "céntimos"),
    "US$": ("dólar", "dólares", "centavo", "centavos"), "USD": ("dólar", "dólares", "centavo", "centavos"),
    "$": ("dólar", "dólares", "centavo", "centavos"), "£": ("libra", "libras", "penique", "peniques"),
    "¥": ("yen", "yenes", "sen", "senes"),
}  # fmt: skip
_ABBREVIATIONS = {
    "Sr.": "señor", "Sra.": "señora", "Srta.": "señorita", "Dr.": "doctor", "Dra.": "doctora", "Ud.": "usted",
    "Uds.": "ustedes", "etc.": "etcétera", "pág.": "página", "núm.": "número", "n.º": "número", "nº": "número",
    "p. ej.": "por ejemplo", "EE. UU.": "Estados Unidos", "EE.UU.": "Estados Unidos", "aprox.": "aproximadamente",
    "Av.": "Avenida", "Avda.": "Avenida", "a. C.": "antes de Cristo", "d. C.": "después de Cristo",
    "a. m.": "de la mañana", "p. m.": "de la tarde", "a.m.": "de la mañana", "p.m.": "de la tarde",
}  # fmt: skip
_SIGNS = {"&": "y", "+": "más", "=": "igual a", "@": "arroba", "×": "por", "÷": "entre", "<": "menor que",
          ">": "mayor que", "≈": "aproximadamente", "±": "más o menos", "#": "número"}  # fmt: skip
_URL_MARKS = {".": "punto", "/": "barra", "-": "guion", "_": "guion bajo", "@": "arroba", ":": "dos puntos"}
_MASCULINE_IN_A = re.compile(
    r"(?:días?|mapas?|problemas?|programas?|sistemas?|temas?|idiomas?|gramas?|planetas?)$"
)
_NOUN = re.compile(r" ([^\W\d_]{3,})")


def normalise_es(text: str) -> str:
    """``text`` with its numbers, dates, units, abbreviations and signs as a Spanish reader says them."""
    for rule, say in _RULES:
        text = rule.sub(say, text)
    return re.sub(r" {2,}", " ", text)


def _gender(plural: str) -> str:
    return "f" if re.search(r"as?$", plural) and not _MASCULINE_IN_A.search(plural) else "m"


def _parsed(number: str) -> tuple[str, str, str]:
    """(whole part, "coma" or "punto", decimals): 1.234,5 and 1,234.5 are the same number."""
    last = max(number.rfind("."), number.rfind(","))
    grouped = re.fullmatch(r"[1-9]\d{0,2}(?:([., \u00a0])\d{3})(?:\1\d{3})*", number)
    if last < 0 or grouped:
        return re.sub(r"\D", "", number), "", ""
    point = "coma" if number[last] == "," else "punto"
    return re.sub(r"\D", "", number[:last]), point, number[last + 1 :]


def _said(number: str, gender: str = "") -> str:
    whole, point, decimals = _parsed(number)
    if (len(whole) > 1 and whole[0] == "0") or int(whole) >= LARGEST:
        said = es_digits(whole)
    else:
        said = es_cardinal(int(whole), "" if point else gender)
    if not point:
        return said
    by_digit = decimals[0] == "0" or len(decimals) > 2
    return f"{said} {point} {es_digits(decimals) if by_digit else es_cardinal(int(decimals))}"


def _counted(number: str, singular: str, plural: str) -> str:
    if number == "1" and not singular.startswith("por "):
        return f"{'una' if _gender(plural) == 'f' else 'un'} {singular}"
    gender = "" if singular.startswith("por ") else _gender(plural.split()[0])
    return f"{_said(number, gender)} {plural}"


def _date(match: re.Match[str]) -> str:
    year, month, day = match["year"], int(match["month"]), int(match["day"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    return (
        f"{'primero' if day == 1 else es_cardinal(day)} de {_MONTHS[month - 1]} de {es_cardinal(int(year))}"
    )


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match["hour"]), match["minute"]
    if hour > 24:
        return match.group()
    said = es_cardinal(hour, "f")
    if int(minute):
        said += (" cero " if minute[0] == "0" else " ") + es_cardinal(int(minute))
    return said + (" horas" if match["h"] else "")


def _money(match: re.Match[str]) -> str:
    singular, plural, cent, cents = _MONEY[match["sign"] or match["after"]]
    number, big = match["number"] or match["number2"], match["big"] or match["big2"]
    minus = "menos " if match["minus"] else ""
    whole, point, decimals = _parsed(number)
    if big:
        return f"{minus}{_said(number, 'm')} {big} de {plural}"
    if not point or len(decimals) != 2:
        return minus + _counted(number, singular, plural)
    parts = [_counted(str(int(whole)), singular, plural)] if int(whole) else []
    if int(decimals):
        parts.append(_counted(str(int(decimals)), cent, cents))
    return minus + (" con ".join(parts) or f"cero {plural}")


def _measured(match: re.Match[str]) -> str:
    minus = "menos " if match["minus"] else ""
    low = f"{_said(match['low'])} a " if match["low"] else ""
    return minus + low + _counted(match["number"], *_UNITS[match["unit"]])


def _ordinal(match: re.Match[str]) -> str:
    return es_ordinal(int(match["number"]), match["end"] in ("ª", "a"), match["end"] == "er")


def _number(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    noun = _NOUN.match(text, end)
    gender = _gender(noun[1]) if noun else ""
    minus = "menos " if match["minus"] else ""
    before = " " if start and text[start - 1].isalnum() else ""
    return before + minus + _said(match["number"], gender) + (" " if text[end : end + 1].isalpha() else "")


def _url(match: re.Match[str]) -> str:
    bare = re.sub(r"^https?://", "", match.group(), flags=re.I)
    body = bare.rstrip(".,/")
    said = re.sub(r"[./_@:-]", lambda mark: f" {_URL_MARKS[mark.group()]} ", body)
    return said + "".join(char for char in bare[len(body) :] if char != "/")


_BIG = r"mil millones|millones|millón|mil"
Say = Callable[[re.Match[str]], str]
_TABLE: tuple[tuple[str, Say], ...] = (
    (
        r"https?://[\w./\-:]+|www\.[\w./\-]+|[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}",
        _url,
    ),
    (rf"(?<!\w)(?:{pattern(_ABBREVIATIONS)})", lambda match: _ABBREVIATIONS[match.group()]),
    (r"(?<![\d.,/-])(?P<year>[12]\d{3})-(?P<month>\d{1,2})-(?P<day>\d{1,2})(?![\d-])", _date),
    (
        r"(?<![\d.,/-])(?P<day>\d{1,2})(?P<mark>[/-])(?P<month>\d{1,2})(?P=mark)(?P<year>[12]\d{3})(?![\d/-])",
        _date,
    ),
    (r"(?<![\d:.,])(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?![\d:])(?P<h> ?h(?:rs?)?\b)?", _time),
    (
        rf"(?P<minus>(?<![\w.,])[-−])?(?:(?P<sign>{pattern(_MONEY)}) ?(?P<number>{_N})(?: (?P<big>{_BIG})\b)?"
        rf"|(?<![\w.,])(?P<number2>{_N}) ?(?:(?P<big2>{_BIG}) ?)?(?P<after>{pattern(_MONEY)})(?!\w))",
        _money,
    ),
    (
        rf"(?P<minus>(?<![\w.,])[-−])?(?<![\w.,])(?:(?P<low>{_N}) ?[-–—] ?)?(?P<number>{_N}) ?(?P<unit>{pattern(_UNITS)})(?![\w²³])",
        _measured,
    ),
    (r"(?<![\w.,])(?P<number>\d{1,3})\.?(?P<end>[ºª]|er\b)", _ordinal),
    (
        rf"(?<![\w.,-])(?P<low>{_N}) ?[-–—] ?(?P<high>{_N})(?![\w-])",
        lambda match: f"{_said(match['low'])} a {_said(match['high'])}",
    ),
    (rf"(?:(?<![\w.,])(?P<minus>[-−]))?(?P<number>{_N})", _number),
    (r" ?([&+=@×÷<>≈±#]) ?", lambda match: f" {_SIGNS[match[1]]} "),
)
_RULES = tuple((re.compile(rule), say) for rule, say in _TABLE)
