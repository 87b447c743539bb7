"""Take out of a text what nobody can say: control and bidi marks, emoji, decoration, markup."""

from __future__ import annotations

import re
import unicodedata

_NEWLINES = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# symbols (category So) that a reader does say; every other So is an emoji, arrow or ornament
_SAID = frozenset("℃℉°№℗®©™㎏㎎㎜㎝㎞㎡㎥㏄㎖㎐㎒㎓㏑㏒㎢㎟㎠㎤㎣㎍㎕ℓ")
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
# full-width marks that are Chinese punctuation, not wide letters
for _mark in "！，．：；？（）～":
    _WIDE.pop(ord(_mark), None)
_COMPATIBLE = re.compile("[①-⑳⑴-⒇⒈-⒛Ⅰ-Ⅻⅰ-ⅻ㊀-㊉⓪㎀-㏟½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞₀-₉ℓ]")
_FENCE = re.compile(r"```[^\n`]*")
_LINK = re.compile(r"!?\[([^\[\]\n]{1,300})\]\([^()\s]{1,500}\)")
_LINE_MARK = re.compile(r"^[ ]*(?:#{1,6} |>[> ]* |[-*+•·‣▪] +)", re.M)
_EMPHASIS = re.compile(r"\*\*|__|`|(?<![\w*])\*(?=[^\s*\d])|(?<=[^\s*\d])\*(?![\w*])")
_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9]{0,15}(?: [^<>\n]{0,200})?/?>")
_RUNS = (
    (re.compile(r"\.{3,}|。{2,}|．{2,}|…+|・{3,}|·{3,}"), "…"),
    (re.compile(r"-{2,}|—+|–{2,}|―+|─+"), "—"),
    (re.compile(r"[~～]{2,}"), "～"),
    (re.compile(r"[!！?？]*[?？][!！?？]*[!！]+[!！?？]*|[!！]+[!！?？]*[?？][!！?？]*"), "？"),
    (re.compile(r"([^\w\s/+])\1+"), r"\1"),
    (re.compile(r"([/+])\1{2,}"), r"\1"),
    (re.compile(r"[,，、;；]*([,，、;；])"), r"\1"),
)
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])[’`´](?=[A-Za-z])")
_SPACE = re.compile(r"[^\S\n]+")
_BLANK = re.compile(r" ?\n[\n ]*")
_WRAPPED = re.compile(r"(?<=[^\n]{40}[a-z,;])\n(?=[a-z])")  # a line of mail, not of a list


def clean(text: str) -> str:
    """``text`` without what cannot be spoken; line breaks stay as single ``\\n``. Idempotent.

    Removes control, bidi, zero-width and private characters, lone surrogates, emoji and
    Markdown; narrows full-width letters; collapses runs of punctuation and white space.
    """
    previous = None
    text = _characters(text)
    # one rule's result may be another's input, as in "!。。。!"; each round only shortens
    while text != previous:
        previous = text
        text = _tidied(text)
    return text


def _characters(text: str) -> str:
    text = _NEWLINES.sub("\n", text)
    text = "".join(_character(char) for char in text if not _emoji_part(char))
    text = unicodedata.normalize("NFC", text)
    return _COMPATIBLE.sub(_compatible, text.translate(_WIDE))


def _emoji_part(char: str) -> bool:
    return char in "\u20e3" or "\ufe00" <= char <= "\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff"


def _character(char: str) -> str:
    if char == "\n" or (char < "\x7f" and char >= " "):
        return char
    category = unicodedata.category(char)
    if category == "Zs" or char == "\t":
        return " "
    if category[0] == "C" or (category == "So" and char not in _SAID and not _COMPATIBLE.match(char)):
        return ""
    return str(unicodedata.decimal(char)) if category == "Nd" else char


def _compatible(match: re.Match[str]) -> str:
    plain = unicodedata.normalize("NFKC", match.group())
    return " " + plain.replace("⁄", "/") if "⁄" in plain else plain  # 1½ is 1 1/2, not 11/2


def _tidied(text: str) -> str:
    text = _APOSTROPHE.sub("'", text)
    text = _LINE_MARK.sub("", _LINK.sub(r"\1", _FENCE.sub("", text)))
    text = _TAG.sub(" ", _EMPHASIS.sub("", text))
    for pattern, replacement in _RUNS:
        text = pattern.sub(replacement, text)
    text = _BLANK.sub("\n", _SPACE.sub(" ", text)).strip()
    return _WRAPPED.sub(" ", text)
