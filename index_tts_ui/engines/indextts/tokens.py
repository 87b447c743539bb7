"""Text to the ids of the models' vocabularies: sentencepiece for version 2, tiktoken for version 2.5.

Ids are those of the packages' own tokenizers for the same words; what a user writes is never
taken for a control token.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ...errors import BadConfig

ENGLISH_MARK, HAN_MARK = "\ue001", "\ue002"  # stand for <|SPECIAL_TOKEN_1|> and _2: no cleaned text has them
_SPECIAL = re.compile(f"([{ENGLISH_MARK}{HAN_MARK}])")
# Where control tokens stand behind the vocabulary. The list is Whisper's (start of transcript, 99 languages in
# its order) with FunASR's events before its SPECIAL_TOKEN_n.
_LANGUAGES = {"en": 2, "zh": 3, "es": 5, "ja": 9, "ar": 15}
_MARKS = {ENGLISH_MARK: 122, HAN_MARK: 123}
# GPT-2's rule of where words begin, which the vocabulary was made with
_WORDS = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
# scripts that are written without spaces: each character is a word to the vocabulary
_ALONE = re.compile(
    "([\u1100-\u11ff\u2e80-\ua4cf\ua840-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff65-\uffdc\U00020000-\U0002ffff])"
)


class Tokens25:
    """The vocabulary of version 2.5. Any thread."""

    FILE = "multilingual_zh_ja_yue_char_del.tiktoken"

    def __init__(self, model_dir: Path) -> None:
        path = _present(model_dir, self.FILE, "indextts2.5")
        tiktoken = _imported("tiktoken", "indextts2.5")
        try:
            lines = (line.split() for line in path.read_bytes().splitlines() if line.strip())
            ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
            if len(ranks) < 256 or sorted(ranks.values()) != list(range(len(ranks))):
                raise ValueError("its ranks are not complete")
            self._encoding = tiktoken.Encoding(
                path.stem, pat_str=_WORDS, mergeable_ranks=ranks, special_tokens={}
            )
        except ValueError as error:
            raise _damaged(path, error, "indextts2.5") from error
        self._base = len(ranks)

    def prefix(self, language: str) -> list[int]:
        """The control token that a text in ``language`` begins with."""
        return [self._base + _LANGUAGES[language]]

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` (as ``words.Words`` makes it) behind the space that follows the prefix."""
        ids: list[int] = []
        for part in _SPECIAL.split(" " + text):
            ids += [self._base + _MARKS[part]] if part in _MARKS else self._encoding.encode_ordinary(part)
        return ids

    def sayable(self, text: str) -> str:
        """Every character has its bytes in the vocabulary."""
        return text


class Tokens2:
    """The vocabulary of version 2: upper case, a character of Chinese a word. Any thread."""

    FILE = "bpe.model"

    def __init__(self, model_dir: Path) -> None:
        path = _present(model_dir, self.FILE, "indextts2")
        pieces = _imported("sentencepiece", "indextts2")
        try:
            self._model: Any = pieces.SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise _damaged(path, error, "indextts2") from error
        self._unknown = self._model.unk_id()
        self._said = lru_cache(maxsize=4096)(self._character)

    def prefix(self, language: str) -> list[int]:
        """There is none."""
        return []

    def encode(self, text: str) -> list[int]:
        """Ids of ``text`` in capitals, with a space around each character that is a word."""
        words = (part.strip().upper() for part in _ALONE.split(text.strip()))
        return list(self._model.encode(" ".join(word for word in words if word)))

    def sayable(self, text: str) -> str:
        """``text`` with what the vocabulary lacks as its nearest: é is E, a rare character its pinyin."""
        return "".join(
            char if (char.isascii() and char.isalnum()) or char == " " else self._said(char) for char in text
        )

    def _character(self, char: str) -> str:
        if self._knows(char):
            return char
        if _ALONE.match(char) and (reading := _pinyin(char)):
            return f" {reading if self._knows(reading) else reading[:-1]} "
        if not char.isalnum():
            return " "
        from anyascii import anyascii

        latin = str(anyascii(char)).upper()
        return latin if self._knows(latin) else " "

    def _knows(self, text: str) -> bool:
        return self._unknown not in self._model.encode(text.upper())


def _pinyin(char: str) -> str:
    """The reading of one character as version 2 spells it (XUAN4), "" where it has none."""
    from pypinyin import Style, lazy_pinyin

    from ..marks import umlauts

    found = lazy_pinyin(char, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore", v_to_u=False)
    return umlauts(found[0].upper()) if found else ""


def _present(model_dir: Path, name: str, model: str) -> Path:
    path = model_dir / name
    if not path.is_file():
        reason = f"{name} is missing: run 'tts-launch models fetch {model}'"
        raise BadConfig("bad_config", name=str(model_dir), reason=reason)
    return path


def _damaged(path: Path, error: Exception, model: str) -> BadConfig:
    why = " ".join(str(error).split())[:200]
    reason = f"cannot be read ({why}): delete it and run 'tts-launch models fetch {model}'"
    return BadConfig("bad_config", name=str(path), reason=reason)


def _imported(name: str, engine: str) -> Any:
    """A package of the engine's extra."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        reason = f"needs the Python package {name}: './start_app.sh --engine {engine}' installs it"
        raise BadConfig("bad_config", name="engine", reason=f"{engine} {reason}") from error
