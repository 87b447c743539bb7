"""English normalisation. `wetext` has English rules, but reads 1234 as a year and 5 m as minutes."""

from __future__ import annotations

import re
from collections.abc import Callable

from .english_dates import MONTH, day_month, decade, hour, iso_date, month_day, time, us_date
from .numerals import en_cardinal, en_counted, en_digits, en_number, en_ordinal, en_plural, en_year
from .units import CURRENCIES, UNITS, pattern

_N = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TO = r"\s?[-~–—]\s?|\sto\s"
_BIG = "hundred|thousand|million|billion|trillion"
_ABBREVIATIONS = {
    "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Dr.": "Doctor", "Prof.": "Professor", "e.g.": "for example",
    "i.e.": "that is", "etc.": "et cetera", "vs.": "versus", "approx.": "approximately", "Inc.": "Incorporated",
    "Ltd.": "Limited", "Corp.": "Corporation", "Jr.": "Junior", "Sr.": "Senior", "Gen.": "General", "Capt.": "Captain",
    "Lt.": "Lieutenant", "Sgt.": "Sergeant", "Rev.": "Reverend", "Hon.": "Honorable", "Ave.": "Avenue",
    "Blvd.": "Boulevard", "dept.": "department", "Dept.": "Department", "Mt.": "Mount", "w/o": "without",
}  # fmt: skip
_BARE = {
    "Mr": "Mister",
    "Mrs": "Missus",
    "Dr": "Doctor",
    "Prof": "Professor",
    "vs": "versus",
    "etc": "et cetera",
}
_URL_MARKS = {".": "dot", "/": "slash", "-": "dash", "_": "underscore", "?": "question mark", "=": "equals",
              "&": "and", "@": "at", ":": "colon", "+": "plus", "%": "percent", "#": "hash", "~": "tilde"}  # fmt: skip
_NAMED_FRACTIONS = {2: "half", 3: "third", 4: "quarter"}
_SYMBOLS = {"&": "and", "=": "equals", "+": "plus", "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "about",
            ">": "is greater than", "<": "is less than", "≥": "is at least", "≤": "is at most", "√": "square root of",
            "∞": "infinity", "@": "at"}  # fmt: skip


def normalise_en(text: str) -> str:
    """``text`` with every number, unit, date, abbreviation and symbol in words."""
    text = text.replace("￥", "¥").replace("’", "'")
    for rule, say in _RULES:
        text = rule.sub(say, text)
    return re.sub(r" {2,}", " ", text)


def _ends_sentence(match: re.Match[str]) -> bool:
    rest = match.string[match.end() :]
    return not rest.strip() or bool(re.match(r"\s+[A-Z]", rest))


def _abbreviation(match: re.Match[str]) -> str:
    short = match.group()
    ends = short in ("etc.", "Inc.", "Ltd.", "Corp.", "Jr.", "Sr.", "Ave.", "Blvd.") and _ends_sentence(match)
    return _ABBREVIATIONS[short] + ("." if ends else "")


def _url(match: re.Match[str]) -> str:
    bare = re.sub(r"^[a-z]+://", "", match.group(), flags=re.I)
    body = bare.rstrip("./?&=,;:!)")
    mark = next((char for char in bare[len(body) :] if char in ".,;:!?"), "")
    body = re.sub(r"^www\.", "W W W.", body, flags=re.I)
    said = re.sub(r"[./\-_?=&@:+%#~]", lambda sign: f" {_URL_MARKS[sign.group()]} ", body)
    return re.sub(r"\d+", lambda digits: f" {en_digits(digits.group())} ", said).strip() + mark


def _money(match: re.Match[str]) -> str:
    _, singular, plural, cent, cents = CURRENCIES[match["sign"]]
    low, number, big = match.group("low", "number", "big")
    sign = "minus " if match["minus"] else ""
    if low or big:
        scale = {"k": "thousand", "m": "million", "b": "billion", "bn": "billion"}.get(
            (big or "").lower(), big
        )
        return f"{sign}{en_number(low) + ' to ' if low else ''}{en_number(number)} {scale + ' ' if scale else ''}{plural}"
    whole, _, fraction = number.partition(".")
    if len(fraction) != 2:
        return sign + en_counted(number, singular, plural)
    parts = [en_counted(whole, singular, plural)] if whole != "0" else []
    if int(fraction):
        parts.append(en_counted(str(int(fraction)), cent, cents))
    return sign + (" and ".join(parts) or f"zero {plural}")


def _measured(match: re.Match[str]) -> str:
    _, singular, plural = UNITS[match["unit"]]
    low = f"{en_number(match['low'])} to " if match["low"] else ""
    sign = "minus " if match["sign"] else ""
    # an attributive measure is singular: a 5-km run
    return sign + low + en_counted(match["number"], singular, singular if match["hyphen"] else plural)


def _percent_range(match: re.Match[str]) -> str:
    return f"{en_number(match['low'])} to {en_number(match['high'])} percent"


def _phone(match: re.Match[str]) -> str:
    return ", ".join(en_digits(group) for group in re.findall(r"\d+", match.group()))


def _range(match: re.Match[str]) -> str:
    low, high = match["low"], match["high"]
    read = _year if _is_year(low) and (_is_year(high) or len(high) == 2) else en_number
    return f"{read(low)} to {read(high)}"


def _is_year(number: str) -> bool:
    return bool(re.fullmatch(r"1[1-9]\d\d|20\d\d", number))


def _year(number: str) -> str:
    return en_year(int(number)) if len(number) == 4 else en_number(number)


def _version(match: re.Match[str]) -> str:
    said = " point ".join(
        en_number(part) if len(part) < 3 else en_digits(part) for part in match["parts"].split(".")
    )
    return f"{'version ' if match['v'] and match['v'].lower().startswith('ver') else 'V ' if match['v'] else ''}{said}"


def _fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match["whole"], int(match["top"]), int(match["bottom"])
    if not 0 < top < bottom <= 100:
        return f"{whole + ' ' if whole else ''}{en_cardinal(top)} over {en_cardinal(bottom)}"
    part = _NAMED_FRACTIONS.get(bottom) or en_ordinal(bottom)
    plural = part if top == 1 else "halves" if part == "half" else en_plural(part)
    lead = ("a" if top == 1 else en_cardinal(top)) if whole else en_cardinal(top)
    return f"{en_number(whole) + ' and ' if whole else ''}{lead} {plural}"


def _ordinal(match: re.Match[str]) -> str:
    return en_ordinal(int(match["number"].replace(",", "")))


def _model(match: re.Match[str]) -> str:
    digits = match["digits"]
    said = _in_pairs(digits) if len(digits) == 4 and "." not in digits else en_number(digits)
    # a lone A before a word would be read as the article
    return f"{match['name']}{'-' if match['name'] == 'A' else ' '}{said}"


def _in_pairs(digits: str) -> str:
    """As numbers of rooms, flights and models are read: 747 is seven forty seven, 4090 forty ninety."""
    return f"{en_cardinal(int(digits[:-2]))} {_pair(digits[-2:])}"


def _pair(digits: str) -> str:
    return (
        "hundred"
        if digits == "00"
        else f"oh {en_number(digits[1])}"
        if digits[0] == "0"
        else en_number(digits)
    )


def _number(match: re.Match[str]) -> str:
    sign = {"-": "minus ", "−": "minus ", "+": "plus "}.get(match["sign"] or "", "")
    number = match["number"]
    if _is_year(number) and _YEAR_CONTEXT.search(match.string, max(0, match.start() - 24), match.start()):
        return sign + en_year(int(number))
    # a bare year-like number is a year unless something is counted: 1500 people
    if _is_year(number) and not number.endswith("00") and not _COUNTED.match(match.string, match.end()):
        return sign + en_year(int(number))
    if len(number) > 12 and "," not in number and "." not in number:
        return en_digits(number)
    return sign + en_number(number)


_YEAR_CONTEXT = re.compile(
    rf"\b(?:in|since|by|from|until|till|before|after|during|of|year|early|late|mid|circa|{MONTH})[ -]$", re.I
)
_COUNTED = re.compile(
    r" (?:of |more |new |other )?[a-z]+s\b(?<!\bwas)(?<!\bis)(?<!\bhas)| people\b| men\b| women\b| children\b| percent\b"
)
Say = Callable[[re.Match[str]], str]
_TABLE: tuple[tuple[str, Say], ...] = (
    (
        r"(?:https?|ftp)://[^\s<>\"']+|www\.[^\s<>\"']+|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}|\b[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.(?:com|cn|org|net|io|ai|edu|gov|dev|app)\b(?:/[^\s<>\"']*)?",
        _url,
    ),
    (
        r"(?<![\w.])(?:Mrs?|Ms|Dr|Prof|e\.g|i\.e|etc|vs|approx|Inc|Ltd|Corp|Jr|Sr|Gen|Capt|Lt|Sgt|Rev|Hon|Ave|Blvd|[dD]ept|Mt)\.|(?<![\w])w/o(?!\w)",
        _abbreviation,
    ),
    (r"\b(Mrs?|Dr|Prof)\b(?= [A-Z])|\b(vs|etc)\b", lambda match: _BARE[match.group()]),
    (
        r"\bSt\.(?: (?=(?P<next>[A-Z])))|\bSt\.(?P<none>)(?!\w)",
        lambda match: "Saint " if match["next"] else "Street",
    ),
    (
        r"(?<![\d.])(?P<year>[12]\d{3})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?!\d)",
        iso_date,
    ),
    (r"(?<![\d./])(?P<month>\d{1,2})/(?P<day>\d{1,2})/(?P<year>\d{4}|\d\d)(?![\d/])", us_date),
    (
        r"(?<=:\d\d)(?:\s?[-–—~]\s?)(?=\d{1,2}:\d\d)|(?<=[AaPp][Mm])(?:\s?[-–—~]\s?)(?=\d)",
        lambda match: " to ",
    ),
    (
        r"(?<![\d.:])(?P<hour>\d{1,2}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d))?(?![\d:])(?:\s?(?P<half>[aApP])\.?[mM]\b\.?)?",
        time,
    ),
    (r"(?<![\d.:,])(?P<hour>\d{1,2})\s?(?P<half>[aApP])\.?[mM]\b\.?", hour),
    (
        rf"\b(?P<month>{MONTH}) (?P<day>[0-3]?\d)(?:st|nd|rd|th)?\b(?:,? (?P<year>[12]\d{{3}})\b)?",
        month_day,
    ),
    (
        rf"\b(?:the )?(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?: of)? (?P<month>{MONTH})\b(?:,? (?P<year>[12]\d{{3}})\b)?",
        day_month,
    ),
    (
        rf"(?P<minus>[-−])?(?P<sign>{pattern(CURRENCIES)})\s?(?:(?P<low>{_N})(?:{_TO})(?:[$€£¥])?)?(?P<number>{_N})(?:\s?(?P<big>{_BIG}|[kKmMbB]n?\b))?",
        _money,
    ),
    (
        r"(?<![\w.])(?:\+?1[- .])?\(?\d{3}\)?[- .]\d{3}[- .]\d{4}(?!\w)|(?<![\w.-])\d{3}-\d{4}(?![\w-])",
        _phone,
    ),
    (r"(?<![\w.])(?:(?P<century>1[1-9]|20)|['‘])?(?P<decade>\d)0'?s\b", decade),
    (r"\b24/7\b", lambda match: "twenty four seven"),
    (rf"(?<![\w.])(?P<low>{_N})%?(?:{_TO})(?P<high>{_N})\s?%", _percent_range),
    (
        rf"(?<![\w.])(?P<sign>[-−])?(?:(?P<low>{_N})(?:{_TO}))?(?P<number>{_N})(?P<hyphen>-)?\s?(?P<unit>{pattern(UNITS)})(?![\w²³])",
        _measured,
    ),
    (
        r"(?<![\d:/])(?:(?P<a>9)/(?P<b>11)|(?P<c>20)/(?P<d>20))(?![\d/])",
        lambda match: "nine eleven" if match["a"] else "twenty twenty",
    ),
    (
        r"(?<=[Cc]all |[Dd]ial )(?P<digits>\d{3})\b|\b(?P<sos>911)\b",
        lambda match: en_digits(match["digits"] or match["sos"]),
    ),
    (
        r"\b(?P<name>[Rr]oom|[Ff]light|[Rr]oute|[Ss]uite|Boeing|Airbus) (?P<digits>[1-9]\d\d)\b|\b(?P<model>[A-Z]{3,5}) (?P<four>[1-9]\d{3})\b(?!,| [a-z]+s\b)",
        lambda match: f"{match['name'] or match['model']} {_in_pairs(match['digits'] or match['four'])}",
    ),
    (r"(?<=\d)\s?[x*×]\s?(?=\d)", lambda match: " times " if " " in match.group() else " by "),
    (r"(?<=\d) [-−] (?=\d)", lambda match: " minus "),
    (
        r"(?<![\w.])(?P<v>[vV]\.? ?|[vV]er(?:sion)?\.? ?)?(?P<parts>\d+(?:\.\d+){2,})(?![\w.]*\w)|(?<![\w.])(?P<v2>[vV])(?P<parts2>\d+(?:\.\d+)*)(?![\w]|\.\d)",
        lambda match: (
            _version(match)
            if match["parts"]
            else f"V {' point '.join(en_number(part) for part in match['parts2'].split('.'))}"
        ),
    ),
    (r"(?<=[A-Za-z])\+\+", lambda match: " plus plus"),
    (r"\b(?:No|no|Nos)\. ?(?=\d)|№ ?(?=\d)|#(?=\d)", lambda match: "number "),
    (
        r"(?<![\w./])(?:(?P<whole>\d{1,3})[ -])?(?P<top>\d{1,3})/(?P<bottom>[1-9]\d{0,3})(?![\w/]|\.\d)",
        _fraction,
    ),
    (r"(?<![\w.])(?P<number>\d{1,3}(?:,\d{3})+|\d+)(?:st|nd|rd|th)\b", _ordinal),
    (rf"(?<![\w.\-])(?P<low>{_N})(?:\s?[-–—~]\s?)(?P<high>{_N})(?![\w\-]|\.\d|\s?=)", _range),
    (r"\b([A-Z])2([A-Z])\b", lambda match: f"{match[1]} to {match[2]}"),
    (r"(?<![A-Za-z\d])(?P<name>[A-Za-z]{1,20})-?(?P<digits>\d{1,6}(?:\.\d{1,3})?)(?![\d]|\.\d)", _model),
    (rf"(?:(?<![\w.])(?P<sign>[-−+]))?(?P<number>{_N})", lambda match: _glued(match, _number(match))),
    (r" ?([&=+×÷±≈><≥≤√∞@]) ?", lambda match: f" {_SYMBOLS[match[1]]} "),
    (r"\s?~\s?(?=[a-z])", lambda match: " about "),
)
_RULES = tuple((re.compile(rule), say) for rule, say in _TABLE)


def _glued(match: re.Match[str], said: str) -> str:
    """``said`` set apart from letters that touch the number: 5G, 4K."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if start and text[start - 1].isalnum() else ""
    return before + said + (" " if end < len(text) and text[end].isalpha() else "")
