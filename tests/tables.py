"""The READMEs' tables, made from the code and from benchmarks/results: ``python -m tests.tables`` rewrites them."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from index_tts_ui.config import Config

from . import figures as measured

ROOT = Path(__file__).parent.parent
FIGURES = {"docs/figures.md": False, "docs/figures.zh-CN.md": True}  # whether it is in Chinese
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


def figures(chinese: bool) -> str:
    """What the benchmarks wrote, in two tables, with the machine they ran on."""
    overhead, footprint = _result("overhead"), _result("footprint")
    free, limited = footprint["free"], footprint["limited_4gb"]
    host = overhead["machine"]
    lines = [
        WORDS["machine"][chinese].format(**host),
        "",
        WORDS["overhead"][chinese],
        "|---|---|---|---|---|---|",
    ]
    for case in ("tone", "tone-fast", "kokoro"):
        for row in overhead[case]["rows"]:
            keys = ("bare_audio_s_per_s", "http_audio_s_per_s", "ratio", "added_ms")
            cells = [WORDS[case][chinese], row["clients"], *(row[key] for key in keys)]
            lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    lines += ["", WORDS["footprint"][chinese], "|---|---|---|"]
    lines.append(
        f"| {WORDS['install'][chinese]} | {footprint['install_seconds']} s, {footprint['install_mib']} MiB | |"
    )
    for key, unit in FOOTPRINT.items():
        lines.append(f"| {WORDS[key][chinese]} | {free[key]} {unit} | {limited[key]} {unit} |")
    return "\n".join(lines) + "\n"


def launcher(chinese: bool) -> str:
    """What ``benchmarks.launcher`` wrote: ours beside other managers of the same server, and their ratio."""
    found = _result("launcher")
    ours, *others = found["managers"].values()
    heads = [f"{name} {about['version']}" for name, about in found["managers"].items()]
    lines = [WORDS["launcher"][chinese].format(**found["machine"], **found), ""]
    lines += ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for key, unit in LAUNCHER.items():
        cells = [f"{ours[key]}{unit}"]
        for about in others:
            ratio = f" ({about[key] / ours[key]:.1f}×)" if unit else ""
            cells.append(f"{about[key]}{unit}{ratio}")
        lines.append(f"| {WORDS[key][chinese]} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _result(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text("utf-8"))
    return data


FOOTPRINT = {
    "ready_s": "s",
    "zh_short_first_s": "s",
    "en_short_first_s": "s",
    "zh_short_worst_s": "s",
    "long_first_s": "s",
    "memory_idle_mib": "MiB",
    "memory_speaking_mib": "MiB",
}
LAUNCHER = {
    "status_ms": " ms",
    "stop_s": " s",
    "start_s": " s",
    "restart_requests": "",
    "restart_failed": "",
    "restart_longest_s": " s",
}
# English, Chinese
WORDS = {
    "launcher": (
        "The same server (test engine `tone`) under each manager, in turn, in one run; medians of {rounds} and "
        "{cycles}, on a virtual machine with {cores} cores, {date}. In brackets: as a multiple of `tts-launch`. "
        "The restart (`--graceful` for `tts-launch`, the only one each of the others has for this server) runs "
        "under 20 requests a second, {cycles} times. `python -m benchmarks.launcher` repeats it.",
        "同一个服务（测试引擎 `tone`），各管理器在同一次运行中轮流测量；取 {rounds} 次与 {cycles} 次的中位数，虚拟机 {cores} 核，{date}。"
        "括号内为相对 `tts-launch` 的倍数。重启（`tts-launch` 用 `--graceful`，其他管理器用各自的重启命令）在每秒 20 个请求下进行 {cycles} 次。"
        "用 `python -m benchmarks.launcher` 可重做。",
    ),
    "status_ms": ("`status`, `pm2 ls`", "`status`、`pm2 ls`"),
    "stop_s": ("`stop` of an idle service, until its processes are gone", "停止空闲服务，直到进程全部结束"),
    "start_s": ("`start`, until it can serve", "启动，直到可以服务"),
    "restart_requests": ("requests sent during the restarts", "重启期间发出的请求"),
    "restart_failed": ("of these failed", "其中失败"),
    "restart_longest_s": ("longest wait of one that did not fail", "未失败请求的最长等待"),
    "machine": (
        "On a virtual machine with {cores} cores ({cpu}), {memory_gib} GiB, no GPU, Python {python}, {date}; its speed "
        "varies by half from hour to hour, so trust the ratios. `python -m benchmarks.overhead` and "
        "`python -m benchmarks.footprint` repeat it. Where there are more clients than rows "
        "(16 in `tone`, as many as cores in Kokoro, 4 at most) the added latency contains the wait for a row, which the bare side does not have.",
        "虚拟机，{cores} 核（{cpu}），{memory_gib} GiB，无显卡，Python {python}，{date}；其速度每小时可相差一半，请以比值为准。"
        "用 `python -m benchmarks.overhead` 和 `python -m benchmarks.footprint` 可重做。客户端多于模型空位时（`tone` 16 个；Kokoro 与核数相同，最多 4 个），增加的延迟包含等待空位的时间，裸引擎一侧没有这段等待。",
    ),
    "overhead": (
        "| engine | clients | bare engine, audio s/s | through HTTP, audio s/s | ratio | added latency, median ms |",
        "| 引擎 | 客户端 | 裸引擎，音频秒/秒 | 经 HTTP，音频秒/秒 | 比值 | 增加的延迟，中位数 ms |",
    ),
    "tone": ("tone, 4 ms a step", "tone，每步 4 毫秒"),
    "tone-fast": ("tone, 0.1 ms a step: the processor never sleeps", "tone，每步 0.1 毫秒：处理器不休眠"),
    "kokoro": ("kokoro", "kokoro"),
    "footprint": ("| Kokoro, 2 cores | free | inside 4 GB |", "| Kokoro，2 核 | 不限内存 | 限 4 GB |"),
    "install": ("installation", "安装"),
    "ready_s": ("from start to ready", "启动到就绪"),
    "zh_short_first_s": ("short Mandarin sentence, first sound, median", "普通话短句，首声，中位数"),
    "en_short_first_s": ("short English sentence, first sound, median", "英语短句，首声，中位数"),
    "zh_short_worst_s": ("short Mandarin sentence, whole, slowest of five", "普通话短句，全部，五次中最慢"),
    "long_first_s": ("320 characters, first sound", "320 字，首声"),
    "memory_idle_mib": ("memory idle, server and worker", "空闲内存，服务器与工作进程"),
    "memory_speaking_mib": ("memory speaking four long texts", "朗读四篇长文时的内存"),
}
_FIGURES = re.compile(r"(<!-- figures -->\n).*?(<!-- /figures -->)", re.DOTALL)
_LAUNCHER = re.compile(r"(<!-- launcher -->\n).*?(<!-- /launcher -->)", re.DOTALL)


def filled(text: str, help_key: str) -> str:
    """``text`` with its tables made anew."""
    text = _BLOCK.sub(lambda match: match.group(1) + "\n" + settings(help_key) + match.group(2), text)
    chinese = help_key.endswith("zh")
    text = _FIGURES.sub(lambda match: _between(match, figures(chinese)), text)
    return _LAUNCHER.sub(lambda match: _between(match, launcher(chinese)), text)


def _between(match: re.Match[str], made: str) -> str:
    return match.group(1) + "\n" + made + match.group(2)


if __name__ == "__main__":
    for name, key in READMES.items():
        path = ROOT / name
        path.write_text(filled(path.read_text("utf-8"), key), "utf-8")
    for name, chinese in FIGURES.items():
        path = ROOT / name
        path.write_text(measured.filled(path.read_text("utf-8"), chinese), "utf-8")
