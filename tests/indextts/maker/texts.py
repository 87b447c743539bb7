"""Tokenizers that know the common characters of GB 2312 and some English words."""

from __future__ import annotations

import base64
from pathlib import Path

BEYOND_RANKS = 2 + 99 + 11 + 4 + 6 + 30 + 20 + 1501  # special tokens that v2.5's reader adds to the file's
_WORDS = """
the of and to in a is that for it was on are as with his they at be this from have or by one had not but what
all were when we there can an your which their said if do will each about how up out them then she many some so
these would other into has more her two like him see time could no make than first been its who now people my
made over did down only way find use may water long little very after words called just where most know hello
world speech voice service test synthesis quick brown fox jumps lazy dog today good morning thank you twenty
thirty four five six seven eight nine ten eleven twelve hundred thousand million dollars doctor mister
"""
WORDS = _WORDS.split()


def characters() -> list[str]:
    """Level 1 of GB 2312: the 3755 most common Chinese characters, in its order."""
    found = []
    for row in range(0xB0, 0xD8):
        for column in range(0xA1, 0xFF):
            try:
                found.append(bytes([row, column]).decode("gb2312"))
            except UnicodeDecodeError:
                continue  # row 0xD7 is not full
    return found


def write_sentencepiece(path: Path) -> None:
    """v2's ``bpe.model``: upper case, ids 0, 1, 2 for start, stop and unknown, as in the published one."""
    import sentencepiece

    signs, upper = characters(), [word.upper() for word in WORDS]
    lines = [" ".join(signs[at : at + 20]) for at in range(0, len(signs), 20)] * 2
    lines += [" ".join(upper[at : at + 8]) + " ." for at in range(0, len(upper), 4)] * 20
    lines += [" ".join(part) for part in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", ". , ! ? ' - …")] * 50
    lines += ["WHAT ' S UP , DOC ? I ' M FINE ! REALLY … YES - NO ."] * 50
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_prefix=str(path.with_suffix("")),
        model_type="bpe",
        vocab_size=4300,
        character_coverage=1.0,
        bos_id=0,
        eos_id=1,
        unk_id=2,
        pad_id=-1,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    path.with_suffix(".vocab").unlink()


def write_tiktoken(path: Path) -> int:
    """v2.5's ranks: single bytes in the usual order (0 is "!"), then what words and characters need.

    Returns:
        The size of the vocabulary with the special tokens.
    """
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    ranks = dict.fromkeys(bytes([one]) for one in [*visible, *(set(range(256)) - set(visible))])
    for sign in characters():
        data = sign.encode()
        ranks |= dict.fromkeys((data[:2], data))
    for word in WORDS:
        data = f" {word}".encode()
        ranks |= dict.fromkeys(data[:end] for end in range(2, len(data) + 1))
    lines = (f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(ranks))
    path.write_text("".join(lines))
    return len(ranks) + BEYOND_RANKS
