"""Spanish numbers in words, by the rules of the Real Academia Española (Ortografía, 2010, chapter VIII)."""

from __future__ import annotations

_ONES_LIST = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"
    " dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete"
    " veintiocho veintinueve"
)
_ONES = _ONES_LIST.split()
_TENS_LIST = "_ _ _ treinta cuarenta cincuenta sesenta setenta ochenta noventa"
_TENS = _TENS_LIST.split()
_HUNDREDS_LIST = (
    "_ ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
)
_HUNDREDS = _HUNDREDS_LIST.split()
_ORDINALS_LIST = "_ primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo"
_ORDINALS = _ORDINALS_LIST.split()
LARGEST = 10**12


def es_cardinal(number: int, gender: str = "") -> str:
    """Below ``LARGEST``. ``gender`` of the noun behind it: "m" (veintiún), "f" (veintiuna), "" for none (veintiuno)."""
    millions, rest = divmod(number, 10**6)
    if not millions:
        return _below_million(rest, gender)
    head = "un millón" if millions == 1 else f"{_below_million(millions, 'm')} millones"
    return f"{head} {_below_million(rest, gender)}" if rest else head


def _below_million(number: int, gender: str) -> str:
    thousands, rest = divmod(number, 1000)
    head = (
        ""
        if not thousands
        else "mil"
        if thousands == 1
        else f"{_below_thousand(thousands, gender or 'm')} mil"
    )
    tail = _below_thousand(rest, gender) if rest or not thousands else ""
    return f"{head} {tail}".strip()


def _below_thousand(number: int, gender: str) -> str:
    if number == 100:
        return "cien"
    hundreds, rest = divmod(number, 100)
    head = _HUNDREDS[hundreds] if hundreds else ""
    if gender == "f" and hundreds > 1:
        head = head[:-2] + "as"
    tail = _below_hundred(rest, gender) if rest or not hundreds else ""
    return f"{head} {tail}".strip()


def _below_hundred(number: int, gender: str) -> str:
    tens, ones = divmod(number, 10)
    said = _ONES[number] if number < 30 else _TENS[tens] + (f" y {_ONES[ones]}" if ones else "")
    if not said.endswith("uno") or not gender:
        return said
    if gender == "f":
        return said[:-1] + "a"
    return "veintiún" if number == 21 else said[:-1]


def es_digits(digits: str) -> str:
    """Digit by digit."""
    return " ".join(_ONES[int(char)] for char in digits if char.isdecimal())


def es_ordinal(number: int, feminine: bool = False, short: bool = False) -> str:
    """To ten, "primero"; then people say the cardinal. ``short``: primer, tercer."""
    if not 1 <= number <= 10:
        return es_cardinal(number)
    said = _ORDINALS[number]
    if short and number in (1, 3):
        return said[:-1]
    return said[:-1] + "a" if feminine else said
