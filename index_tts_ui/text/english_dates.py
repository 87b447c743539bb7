"""English dates and times in words: what the rules of ``english`` put in place of a match."""

from __future__ import annotations

import re

from .numerals import en_cardinal, en_counted, en_ordinal, en_plural, en_year

_MONTH_LIST = "January February March April May June July August September October November December"
_MONTHS = _MONTH_LIST.split()
MONTH = "|".join(_MONTHS) + r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"


def iso_date(match: re.Match[str]) -> str:
    """2026-11-21."""
    return _month_day_year(match, int(match["month"]), int(match["day"]), match["year"])


def us_date(match: re.Match[str]) -> str:
    """11/21/2026, or 21/11/2026 where that is all it can be."""
    first, second = int(match["month"]), int(match["day"])
    month, day = (second, first) if first > 12 else (first, second)
    year = match["year"] if len(match["year"]) == 4 else "20" + match["year"]
    return _month_day_year(match, month, day, year)


def _month_day_year(match: re.Match[str], month: int, day: int, year: str) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match.group()
    return f"{_MONTHS[month - 1]} {en_ordinal(day)}, {en_year(int(year))}"


def _month(name: str) -> str:
    return next(month for month in _MONTHS if month.startswith(name.rstrip(".")[:3]))


def month_day(match: re.Match[str]) -> str:
    """May 5, 2024."""
    year = f", {en_year(int(match['year']))}" if match["year"] else ""
    return f"{_month(match['month'])} {en_ordinal(int(match['day']))}{year}"


def day_month(match: re.Match[str]) -> str:
    """5 May 2024."""
    year = f", {en_year(int(match['year']))}" if match["year"] else ""
    return f"the {en_ordinal(int(match['day']))} of {_month(match['month'])}{year}"


def time(match: re.Match[str]) -> str:
    """A clock time with minutes: 3:45 pm."""
    hour, minute, second = match.group("hour", "minute", "second")
    if int(hour) > 24:
        return f"{en_cardinal(int(hour))} to {en_cardinal(int(minute))}"
    half = _half(match)
    if not int(minute):
        said = "" if half else (" o'clock" if int(hour) <= 12 else " hundred")
    else:
        said = f" {'oh ' if minute[0] == '0' else ''}{en_cardinal(int(minute))}"
    seconds = f" and {en_counted(second.lstrip('0') or '0', 'second', 'seconds')}" if second else ""
    return en_cardinal(int(hour)) + said + seconds + half


def _half(match: re.Match[str]) -> str:
    return f" {match['half'].upper()}.M." if match["half"] else ""


def hour(match: re.Match[str]) -> str:
    """A full hour: 3 pm."""
    return en_cardinal(int(match["hour"])) + _half(match)


def decade(match: re.Match[str]) -> str:
    """1990s, '80s."""
    century, decade = match["century"], int(match["decade"] + "0")
    plural = en_plural(en_cardinal(decade)) if decade else "hundreds"
    return f"{en_cardinal(int(century)) + ' ' if century else ''}{plural}"
