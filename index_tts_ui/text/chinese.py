"""Mandarin normalisation: rules for what `wetext` reads wrongly, then wetext for the other numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from .numerals import zh_digits, zh_number
from .units import CURRENCIES, UNITS, pattern

_N = r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_TO = r"\s?[-~～–—－至到]\s?"
_BIG = "万亿|千万|百万|十万|[万亿千百]"
_HAN_NAME = {"+": "正", "-": "负", "−": "负"}
_URL_MARKS = {
    ".": "点",
    "/": "斜杠",
    "-": "杠",
    "_": "下划线",
    "?": "问号",
    "=": "等于",
    "&": "和",
    "@": " at ",
    ":": "冒号",
}
_SYMBOLS = {
    "+": "加", "=": "等于", ">": "大于", "<": "小于", "≥": "大于等于", "≤": "小于等于", "≈": "约等于",
    "±": "正负", "÷": "除以", "×": "乘", "&": "和", "√": "根号", "∞": "无穷大",
}  # fmt: skip
Say = Callable[[re.Match[str]], str]


def normalise_zh(text: str) -> str:
    """``text`` with every number, unit, date and symbol as a Mandarin reader says it."""
    text = text.replace("￥", "¥")
    for rule, say in _RULES:
        text = rule.sub(say, text)
    return _DIGITS_CHUNK.sub(_with_wetext, text)


@lru_cache(maxsize=1)
def _wetext() -> Any:
    from wetext import Normalizer

    return Normalizer(lang="zh", operator="tn")


# short chunks only: the transducer's time grows with the square of its input
_DIGITS_CHUNK = re.compile(
    r"[^\s,，。！？!?；;：:、\"'\\()（）\[\]{}“”‘’《》]{0,12}\d[^\s,，。！？!?；;：:、\"'\\()（）\[\]{}“”‘’《》]{0,24}"
)


def _with_wetext(match: re.Match[str]) -> str:
    chunk = match.group()
    try:
        said = str(_wetext().normalize(chunk))
    except RuntimeError:  # no path through its grammar
        said = chunk
    return re.sub(r"\d+", lambda digits: zh_number(digits.group()), said)


def _number(text: str) -> str:
    text = text.replace(",", "")
    sign = _HAN_NAME.get(text[:1], "")
    return sign + zh_number(text.lstrip("+-−"))


def _count(text: str) -> str:
    """As :func:`_number`, but two of something is 两."""
    return "两" if text == "2" else _number(text)


def _year(digits: str) -> str:
    return zh_digits(digits) if len(digits) == 4 else _number(digits)


def _date(match: re.Match[str]) -> str:
    year, month, day = match.group("year", "month", "day")
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return match.group()
    return f"{zh_digits(year)}年{zh_number(month)}月{zh_number(day)}日"


def _clock(hour: str, minute: str, second: str | None = None) -> str:
    said = f"{'两' if hour in ('2', '02') else zh_number(hour)}点"
    if int(minute) or second:
        said += ("零" if minute[0] == "0" and int(minute) else "") + zh_number(minute) + "分"
    return said + (
        ("零" if second[0] == "0" and int(second) else "") + zh_number(second) + "秒" if second else ""
    )


def _time(match: re.Match[str]) -> str:
    hour, minute, second = match.group("hour", "minute", "second")
    if int(hour) > 24:
        return f"{zh_number(hour)}比{zh_number(minute)}"
    return {"a": "上午", "p": "下午"}.get((match["half"] or "").lower(), "") + _clock(hour, minute, second)


def _phone(match: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", match.group())
    groups = re.findall(r"\d+", match.group())
    if len(groups) == 1 and len(digits) == 11:
        groups = [digits[:3], digits[3:7], digits[7:]]
    return "，".join(zh_digits(group, phone=True) for group in groups)


def _money(match: re.Match[str]) -> str:
    unit = CURRENCIES[match["sign"]][0]
    low = match["low"] and _number(match["low"]) + "到"
    number = (
        re.sub(r"(\.\d*?)0+$", r"\1", match["number"]).rstrip(".")
        if "." in match["number"]
        else match["number"]
    )
    amount = _number(number) if match["big"] or low or number != "2" else "两"
    sign = "负" if match["minus"] else ""
    return f"{sign}{low or ''}{amount}{match['big'] or ''}{unit}"


def _range(match: re.Match[str]) -> str:
    low, high = match["low"], match["high"]
    if all(re.fullmatch("(?:1[6-9]|20)\\d\\d", end) for end in (low, high)) and not match["big"]:
        return f"{_year(low)}到{_year(high)}"
    return f"{_number(low)}到{_count(high) if _MEASURE.match(match.string, match.end()) else _number(high)}{match['big'] or ''}"


def _measured(match: re.Match[str]) -> str:
    template = UNITS[match["unit"]][0]
    cold = match["sign"] and template == "摄氏度"
    sign = "零下" if cold and match["sign"] in "-−" else _HAN_NAME.get(match["sign"] or "", "")
    if match["sign"] == "+":
        sign = ""
    low = _number(match["low"]) + "到" if match["low"] else ""
    counted = _number if low or template[0] in " {百千摄华" else _count
    amount = low + counted(match["number"]) + (match["big"] or "")
    if "{}" not in template:
        return sign + amount + template
    return template.format(sign + amount) if template.startswith("每") else sign + template.format(amount)


def _percent_range(match: re.Match[str]) -> str:
    return f"百分之{_number(match['low'])}到百分之{_number(match['high'])}"


def _url(match: re.Match[str]) -> str:
    bare = re.sub(r"^[a-z]+://", "", match.group().rstrip("/"), flags=re.I)
    bare = re.sub(r"^www\.", "W W W点", bare, flags=re.I)
    said = re.sub(r"[./\-_?=&@:]", lambda mark: _URL_MARKS[mark.group()], bare)
    said = re.sub(r"\d+", lambda digits: zh_digits(digits.group()), said)
    return said + (" " if _LATIN.match(match.string, match.end()) else "")


def _version(match: re.Match[str]) -> str:
    parts = re.findall(r"\d+", match.group())
    ip = len(parts) == 4 and not match["v"]
    said = "点".join(zh_digits(part) if ip or len(part) > 2 else zh_number(part) for part in parts)
    return ("V " if match["v"] else "") + said


def _model(match: re.Match[str]) -> str:
    """A name and its number: GPT-4, A380, RTX 4090, Qwen2.5."""
    name, digits = match["name"], match["digits"]
    by_digit = "." not in digits and (len(digits) > 3 or (len(digits) == 3 and len(name) <= 3))
    said = zh_digits(digits) if by_digit else zh_number(digits)
    return f"{name} {said}" + (" " if match["next"] or _LATIN.match(match.string, match.end()) else "")


def _fraction(match: re.Match[str]) -> str:
    whole, top, bottom = match.group("whole", "top", "bottom")
    return (f"{_number(whole)}又" if whole else "") + f"{_number(bottom)}分之{_number(top)}"


def _decade(match: re.Match[str]) -> str:
    century = {"18": "十九世纪", "19": "二十世纪", "20": "二十一世纪"}[match["century"]]
    return f"{century}{_number(match['decade'] + '0')}年代"


_LATIN = re.compile(r"[A-Za-z]")
_MEASURE = re.compile(
    r"\s?(?:个|只|条|张|件|位|名|天|年(?!代)|周|次|种|本|台|辆|家|间|座|岁|倍|小时|分钟|秒|米|块|元|斤|公|千米|吨|升|杯|瓶|碗|顿|场|句|段|章节|遍|套|双|对|群|匹|头|棵|朵|颗|粒|把|支|枝|根|份|层|排|行|口|门|幅|架|艘|所|批|届|万|千|亿|百万)"
)
_TABLE: tuple[tuple[str, Say], ...] = (
    (r"(?<=[\u4e00-\u9fff]{4}) (?=[\u4e00-\u9fff]{4})", lambda match: "，"),
    (r"(?<=[\u4e00-\u9fff]) (\d[\d.,]*%?) (?=[\u4e00-\u9fff])", lambda match: match[1]),
    (
        r"(?<=[图表例式])(\d{1,3})-(\d{1,3})(?![\d-])",
        lambda match: f"{zh_number(match[1])}杠{zh_number(match[2])}",
    ),
    (
        r"(?:https?|ftp)://[A-Za-z0-9./\-_?=&@:%#~+]+|www\.[A-Za-z0-9./\-_?=&%#~]+|[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}|\b[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,3}\.(?:com|cn|org|net|io|ai|edu|gov|dev|app)\b(?:/[A-Za-z0-9./\-_?=&%]*)?",
        _url,
    ),
    (
        r"(?<![\d.])(?P<year>(?:1[5-9]|20|21)\d\d)(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})(?![\d.]*\d)(?:日)?",
        _date,
    ),
    (
        r"(?<![\d.:A-Za-z-])(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?![\d.])|(?<![\d.-])(?:400|800)[- ]?\d{3}[- ]?\d{4}(?![\d.])|(?<![\d.-])0\d{2,3}[- ]\d{3,4}[- ]?\d{4}(?![\d.])",
        _phone,
    ),
    (
        r"(?<=[打拨]|警|话)(?:110|119|120|122|12345|12306|10086|10010|10000|911)(?!\d)|(?<!\d)1(?:10|19|20)(?=报警|急救|火警)",
        _phone,
    ),
    (
        r"(?<![A-Za-z\d.])(?P<v>[vV]\.? ?)(?:\d+(?:\.\d+)+|\d+(?![\d.]*[A-Za-z]))|(?<![\d.])\d+(?:\.\d+){2,}(?![\d.]*\d)",
        _version,
    ),
    (
        r"(?<!\d)(?P<month>\d{1,2})月(?P<day>\d{1,2})(?P<end>[日号])",
        lambda match: f"{zh_number(match['month'])}月{zh_number(match['day'])}{match['end']}",
    ),
    (r"(?<=公元前)(?P<year>\d{1,4})(?=年)", lambda match: zh_number(match["year"])),
    (
        r"(?:(?<=波音)|(?<=空客)) ?(?P<digits>\d{3})(?!\d)|(?<!\d)(?P<lines>720|1080|1440|2160) ?(?=[pPiI]\b)",
        lambda match: zh_digits(match["digits"] or match["lines"]),
    ),
    (r"(?<![\d/])24/7(?![\d/])", lambda match: "七乘二十四"),
    (r"(?<!\d)(?P<a>\d{1,2})·(?P<b>\d{1,2})(?!\d)", lambda match: zh_digits(match["a"] + match["b"])),
    (r"(?<=\d)\^(?P<power>\d{1,3})", lambda match: f"的{zh_number(match['power'])}次方"),
    (
        r"(?<![\d.])(?P<number>\d+\.\d*?)0+(?=[元块]|美元|欧元|英镑|港元|日元)",
        lambda match: match["number"].rstrip("."),
    ),
    (
        r"(?<![\d:.])(?P<hour>\d{1,2})[:：](?P<minute>[0-5]\d)(?:[:：](?P<second>[0-5]\d))?(?!\d|[:：]\d)(?:\s?(?P<half>[aApP])\.?[mM]\b\.?)?",
        _time,
    ),
    (r"(?<=点|分)\s?[-~～–—－]\s?(?=[零一二两三四五六七八九十]+点)", lambda match: "到"),
    (
        r"(?<=[日号])\s?[-~～–—－]\s?(?=[零一二三四五六七八九]{4}年|\d{1,2}[日月号]|[一二三四五六七八九十]{1,3}[日月号])",
        lambda match: "到",
    ),
    (r"(?<![\d.])(?P<century>18|19|20)(?P<decade>[1-9])0(?:s\b|年代)", _decade),
    (
        r"(?<!\d)(?P<digits>[5-9]0|[05]0|[6-9]5|0[05]|10)后(?!天|来|面|者)",
        lambda match: zh_digits(match["digits"]) + "后",
    ),
    (
        rf"(?P<minus>[-−](?=\S))?(?P<sign>{pattern(CURRENCIES)})\s?(?:(?P<low>{_N}){_TO})?(?P<number>{_N})\s?(?P<big>{_BIG})?",
        _money,
    ),
    (r"(?<=元|米|克|斤|次|人|天|时|升|个|件|吨)/(?=[\u4e00-\u9fff])", lambda match: "每"),
    (rf"(?P<low>{_N})%{_TO}(?P<high>{_N})%", _percent_range),
    (
        rf"(?<![A-Za-z\d.])(?P<sign>[-−+])?(?:(?P<low>{_N}){_TO})?(?P<number>{_N})\s?(?P<big>万|亿)?\s?(?P<unit>{pattern(UNITS)})(?![A-Za-z²³])",
        _measured,
    ),
    (r"(?<=\d)\s?[×xX*]\s?(?=\d)", lambda match: "乘"),
    (
        r"(?:(?<=比分)|(?<=战胜)|(?<=击败)|(?<=以))(?P<a>\d{1,3})[-:：比](?P<b>\d{1,3})(?!\d)",
        lambda match: f"{_number(match['a'])}比{_number(match['b'])}",
    ),
    (
        r"(?<![\d.:])(?P<a>\d{1,4})[:：](?P<b>\d{1,4})(?![\d:])",
        lambda match: f"{_number(match['a'])}比{_number(match['b'])}",
    ),
    (
        rf"(?<![A-Za-z\d.\-])(?P<low>\d+(?:\.\d+)?){_TO}(?P<high>\d+(?:\.\d+)?)(?P<big>{_BIG})?(?![\d.\-]*\d|\s?[=＝])",
        _range,
    ),
    (
        r"(?<![\d/.])(?:(?P<whole>\d{1,3})[ 又])?(?P<top>\d{1,3})/(?P<bottom>[1-9]\d{0,3})(?![\d/.]*\d)",
        _fraction,
    ),
    (r"\b([BCOPG])2([BCOPG])\b", lambda match: f"{match[1]} to {match[2]}"),
    (r"(?<=[A-Za-z])\+\+", lambda match: "加加"),
    (r"[Nn][Oo]\. ?(?=\d)|№ ?(?=\d)", lambda match: "第"),
    (r"#(?=\d)", lambda match: "第"),
    (rf"(?<![\d.,年月第周期A-Za-z-])2(?=(?:{_MEASURE.pattern})|点(?!\d))(?!年级)", lambda match: "两"),
    (
        r"(?P<name>(?<![A-Za-z])[A-Za-z]{1,20})[ -]?(?P<digits>\d{1,6}(?:\.\d{1,3})?)(?!\d|\s?[年月日号%]|\.\d)(?P<next>-(?=[A-Za-z0-9]))?",
        _model,
    ),
    (rf"(?<![\d.,A-Za-z]){_N.split('|')[0]}", lambda match: _number(match.group())),
    (r"(?<![\d.])0\d{2,}(?![\d.])|(?<![\d.])\d{10,}(?![\d.])", lambda match: zh_digits(match.group())),
    (r"(?<=\d)(?P<power>[⁰¹²³⁴-⁹]+)", lambda match: f"的{zh_number(_plain(match['power']))}次方"),
    (r"(?<=[\d零一二三四五六七八九十百千万亿]) ?[-−] ?(?=\d+(?![\dA-Za-z]))", lambda match: "减"),
    (r" ?([+=><≥≤≈±÷×&√∞]) ?", lambda match: _SYMBOLS[match[1]]),
)
_RULES = tuple((re.compile(rule, re.A), say) for rule, say in _TABLE)  # ASCII: a Han character ends a \w


def _plain(superscript: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", superscript)
