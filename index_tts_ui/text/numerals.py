"""Numbers in words: Mandarin digits and numbers, English cardinals, ordinals and years."""

from __future__ import annotations

_HAN_DIGITS = "零一二三四五六七八九"
_PHONE_DIGITS = _HAN_DIGITS.replace("一", "幺")
_ONES_LIST = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen"
)
_ONES = _ONES_LIST.split()
_TENS_LIST = "_ _ twenty thirty forty fifty sixty seventy eighty ninety"
_TENS = _TENS_LIST.split()
_SCALES = ("", "thousand", "million", "billion", "trillion", "quadrillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def zh_digits(digits: str, phone: bool = False) -> str:
    """Digit by digit: "2026" is 二零二六; on the ``phone`` a one is 幺."""
    names = _PHONE_DIGITS if phone else _HAN_DIGITS
    return "".join(names[int(char)] if char.isdecimal() else char for char in digits)


def zh_number(number: str) -> str:
    """A whole number below 10**16 or a decimal, in Mandarin; digit by digit where it is longer."""
    whole, point, fraction = number.partition(".")
    said = _zh_whole(whole.lstrip("0") or "0") if len(whole.lstrip("0")) <= 16 else zh_digits(whole)
    return said + ("点" + zh_digits(fraction) if point and fraction else "")


def _zh_whole(digits: str) -> str:
    if len(digits) > 8:
        return _zh_joined(digits[:-8], "亿", digits[-8:])
    if len(digits) > 4:
        return _zh_joined(digits[:-4], "万", digits[-4:])
    return _zh_thousands(digits)


def _zh_joined(high: str, scale: str, low: str) -> str:
    head = ("两" if high == "2" else _zh_whole(high)) + scale
    rest = low.lstrip("0")
    if not rest:
        return head
    said = _zh_whole(rest)
    if len(rest) == 2 and rest[0] == "1":
        said = "一" + said  # 一万零一十
    return head + ("零" if low[0] == "0" else "") + said


def _zh_thousands(digits: str) -> str:
    out = ""
    for position, digit in zip(range(len(digits) - 1, -1, -1), digits, strict=True):
        if digit == "0":
            out += "" if out.endswith("零") else "零"
        else:
            name = "两" if digit == "2" and position == 3 else _HAN_DIGITS[int(digit)]
            out += name + ("", "十", "百", "千")[position]
    out = out.rstrip("零") or "零"
    return out[1:] if out.startswith("一十") else out


def en_cardinal(number: int) -> str:
    """ "one hundred and five"; digit by digit from 10**18 on."""
    if number < 0:
        return "minus " + en_cardinal(-number)
    if number >= 10**18:
        return en_digits(str(number))
    groups: list[str] = []
    for scale in _SCALES:
        number, group = divmod(number, 1000)
        if group:
            groups.append(f"{_en_hundreds(group)} {scale}".rstrip())
        if group and not scale and group < 100 and number:
            groups[-1] = "and " + groups[-1]
    return " ".join(reversed(groups)) or "zero"


def _en_hundreds(number: int) -> str:
    hundreds, rest = divmod(number, 100)
    words = [f"{_ONES[hundreds]} hundred"] if hundreds else []
    if rest:
        words.append(
            _ONES[rest] if rest < 20 else f"{_TENS[rest // 10]} {_ONES[rest % 10] if rest % 10 else ''}"
        )
    return " and ".join(words).strip()


def en_number(number: str) -> str:
    """A decimal string, grouped by commas or not: "1,234.5" is one thousand ... point five."""
    whole, point, fraction = number.replace(",", "").partition(".")
    said = en_digits(whole) if len(whole) > 1 and whole[0] == "0" else en_cardinal(int(whole or "0"))
    return said + (" point " + en_digits(fraction) if point and fraction else "")


def en_digits(digits: str) -> str:
    """Digit by digit: "007" is zero zero seven."""
    return " ".join(_ONES[int(char)] for char in digits if char.isdecimal())


def en_ordinal(number: int) -> str:
    """ "twenty first", "one hundred and second"."""
    head, space, last = en_cardinal(number).rpartition(" ")
    regular = (last[:-1] + "ie" if last.endswith("y") else last) + "th"
    return head + space + _ORDINALS.get(last, regular)


def en_year(year: int) -> str:
    """ "nineteen oh five", "two thousand and five", "twenty twenty six"."""
    century, rest = divmod(year, 100)
    if year < 1000 or year >= 10000 or (century % 10 == 0 and rest < 10):
        return en_cardinal(year)
    if not rest:
        return f"{en_cardinal(century)} hundred"
    return f"{en_cardinal(century)} {'oh ' if rest < 10 else ''}{en_cardinal(rest)}"


def en_counted(number: str, singular: str, plural: str) -> str:
    """A number and its noun: "one meter", "two point five meters"."""
    return f"{en_number(number)} {singular if number == '1' else plural}"


def en_plural(word: str) -> str:
    """The plural of a regular noun in words: decades, halves, units."""
    if word.endswith("y"):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("x", "s", "ch")) else "s")
