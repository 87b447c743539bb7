"""What usage says; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "usage_none": (
        "There is no {path} yet: the server writes it with the first request.",
        "还没有 {path}：服务收到第一个请求后写入。",
    ),
    "usage_unreadable": ("{path} cannot be read: {reason}.", "无法读取 {path}：{reason}。"),
    "usage_empty": ("Nothing was spoken within {days} days.", "最近 {days} 天没有合成记录。"),
}

HELP: dict[str, tuple[str, str]] = {
    "usage": (
        "What was spoken, by day and caller: requests, characters, seconds of audio and of the engine.",
        "按日期与调用者统计：请求数、字符数、音频秒数与引擎秒数。",
    ),
    "usage_days": ("The last so many days.", "最近多少天。"),
    "usage_by": (
        "One line for each day, caller, or both.",
        "按日期（day）、调用者（caller）或两者（both）分行。",
    ),
    "usage_rows": ("Each request instead of sums.", "逐条列出请求，而不是汇总。"),
    "usage_csv": ("As CSV, for a spreadsheet.", "输出 CSV，可用电子表格打开。"),
}
