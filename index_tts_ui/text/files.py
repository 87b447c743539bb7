"""Text files as people have them."""

from __future__ import annotations

import codecs
import re

from ..errors import Invalid

# what no text has; a tab, line ends, a form feed, and the mark of a file's end from DOS may be there
_STRANGE = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f\x7f]")
STRANGE_MOST = 0.02  # of the characters: a slip of a keyboard or a converter makes no other file of it


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16, or what Chinese Windows saves. Raises Invalid for what is no text: pictures, sound, archives."""
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.rstrip("\0")  # with which some tools fill a file up
        if len(_STRANGE.findall(text)) > STRANGE_MOST * len(text) or (not text and b"\0" in data):
            break
        return text.replace("\0", "")
    raise Invalid("not_text", param="file")


def _encodings(data: bytes) -> tuple[str, ...]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    even, odd = data[0::2].count(0), data[1::2].count(0)  # of UTF-16 without its mark one of them is never 0
    if even + odd > len(data) * 0.3 and not (even and odd):
        return ("utf-16-le" if odd else "utf-16-be",)
    return ("utf-8-sig", "gb18030")
