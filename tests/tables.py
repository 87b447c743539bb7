"""The README's table of settings, made from the code: ``python -m tests.tables`` rewrites both READMEs."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from index_tts_ui.config import Config

ROOT = Path(__file__).parent.parent
READMES = {"README.md": "help", "README.zh-CN.md": "help_zh"}
HEADS = {
    "help": "| setting | variable | flag | default | meaning |",
    "help_zh": "| 设置 | 环境变量 | 命令行 | 默认值 | 含义 |",
}
_BLOCK = re.compile(r"(<!-- settings:[^>]*-->\n).*?(<!-- /settings -->)", re.DOTALL)


def settings(help_key: str) -> str:
    """One row per setting."""
    rows = [
        f"| `{item.name}` | `TTS_{item.name.upper()}` | `--{item.name.replace('_', '-')}` "
        f"| {f'`{item.default}`' if item.default != '' else ''} | {item.metadata[help_key]} |"
        for item in fields(Config)
    ]
    return "\n".join([HEADS[help_key], "|---|---|---|---|---|", *rows]) + "\n"


def filled(text: str, help_key: str) -> str:
    """``text`` with its table made anew."""
    return _BLOCK.sub(lambda match: match.group(1) + "\n" + settings(help_key) + match.group(2), text)


if __name__ == "__main__":
    for name, key in READMES.items():
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), key), "utf-8")
