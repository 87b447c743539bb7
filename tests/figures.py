"""The tables of docs/figures.md, made from benchmarks/results."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent.parent / "benchmarks" / "results"
Pair = tuple[str, str]  # English, Chinese

MACHINE: Pair = (
    "Virtual machine, {cores} cores ({cpu}), {memory_gib} GiB, no GPU, {date}.",
    "虚拟机，{cores} 核（{cpu}），{memory_gib} GiB，无显卡，{date}。",
)
MISSING: Pair = ("Not measured yet.", "尚未测量。")
NAMES: dict[str, Pair] = {
    "ours": ("this service", "本服务"),
    "flask": ("Flask, a lock", "Flask，加锁"),
    "fastapi": ("FastAPI, a thread pool", "FastAPI，线程池"),
    "gradio": ("Gradio's queue", "Gradio 队列"),
    "litserve": ("LitServe, batched", "LitServe，批处理"),
    "bentoml": ("BentoML, batched", "BentoML，批处理"),
    "ray": ("Ray Serve, batched", "Ray Serve，批处理"),
    "kokoro": ("Kokoro", "Kokoro"),
    "indextts-tiny": ("IndexTTS-2.5 with tiny random weights", "IndexTTS-2.5（微型随机权重）"),
    "tone": ("test engine `tone`", "测试引擎 `tone`"),
    "fifo": ("first come, first served", "先来先服务"),
    "chat": ("short answers", "短回答"),
    "page": ("pages of text", "整页文本"),
    "book": ("books", "整本书"),
}


def machine(chinese: bool, data: dict[str, Any]) -> str:
    """What it was measured on."""
    return MACHINE[chinese].format(**data["machine"])


def load(chinese: bool) -> str:
    """The articles' table and the sweep."""
    data = _result("load-kokoro")
    said: tuple[Pair, ...] = (
        ("first request after start", "启动后第一次请求"),
        ("a single user, whole sound (first sound)", "单个用户：全部声音（首声）"),
        ("five at once, the last one done", "五人同时：最后一个完成"),
        ("largest number at once without a refusal", "不被拒绝的最多同时人数"),
        ("50 users with pauses of 1 to 3 s", "50 个用户，间隔 1 到 3 秒"),
    )
    fifty: Pair = (
        "{requests} requests in time, p50 {p50} s, p95 {p95} s, {refused} refused (429), {failed} failed",
        "完成 {requests} 个请求，p50 {p50} 秒，p95 {p95} 秒，{refused} 个被拒绝（429），{failed} 个失败",
    )
    cells = [
        f"{data['first_request_s']} s",
        f"{data['single_s']} s ({data['single_first_sound_s']} s)",
        f"{data['five_at_once_s']} s",
        str(data["largest"]),
        fifty[chinese].format(**data["fifty"]),
    ]
    rows = [[pair[chinese], cell] for pair, cell in zip(said, cells, strict=True)]
    heads: Pair = (
        "users|requests|p50 s|p95 s|p99 s|first sound p50 s|p95 s|audio s/s|refused|failed",
        "用户|请求|p50 秒|p95 秒|p99 秒|首声 p50 秒|p95 秒|音频秒/秒|被拒绝|失败",
    )
    sweep = [list(row.values()) for row in data["sweep"]]
    return "\n".join(
        [machine(chinese, data), "", _table(["", ""], rows), "", _table(heads[chinese].split("|"), sweep)]
    )


def peers(chinese: bool) -> str:
    """The same engine behind each service."""
    said: Pair = (
        "{rounds} rounds, in turn; {seconds} s of each number of clients.",
        "共 {rounds} 轮，轮流进行；各客户端数分别 {seconds} 秒。",
    )
    heads: Pair = (
        "service|clients|requests/s|ours is × theirs|audio s/s|p50 ms|p95 ms|theirs is × ours|refused|failed",
        "服务|客户端|请求/秒|本服务为其倍数|音频秒/秒|p50 毫秒|p95 毫秒|其为本服务倍数|被拒绝|失败",
    )
    keys = ("clients", "rate", "ahead", "audio_rate", "p50_ms", "p95_ms", "slower", "refused", "failed")
    parts = []
    for subject in ("kokoro", "indextts-tiny"):
        try:
            data = _result(f"peers-{subject}")
        except FileNotFoundError:
            parts.append(f"**{NAMES[subject][chinese]}** · {MISSING[chinese]}")
            continue
        asked = ("、" if chinese else ", ").join(f"{seconds:g}" for seconds in data["seconds"])
        spent = said[chinese].format(rounds=data["rounds"], seconds=asked)
        about = f"**{NAMES[subject][chinese]}** · {machine(chinese, data)} {spent}"
        ours = {row["clients"]: row["p95_ms"] for row in data["rows"] if row["service"] == "ours"}
        for row in data["rows"]:
            row["slower"] = round(row["p95_ms"] / ours[row["clients"]], 2)
        cells = [[NAMES[row["service"]][chinese], *(row[key] for key in keys)] for row in data["rows"]]
        parts.append(f"{about}\n\n{_table(heads[chinese].split('|'), cells)}")
    return "\n\n".join(parts)


def soak(chinese: bool) -> str:
    """The second tenth beside the last."""
    data = _result("soak")
    heads: Pair = (
        "engine|requests|memory MiB: 2nd tenth, last|handles|median ms|p99 ms|requests/s",
        "引擎|请求|内存 MiB：第二个十分位，最后|句柄|中位数毫秒|p99 毫秒|请求/秒",
    )
    rows = []
    for subject in ("tone", "kokoro"):
        early, late = data[subject]["tenths"][1], data[subject]["tenths"][-1]
        keys = ("memory_mb", "handles", "p50_ms", "p99_ms", "rate")
        cells = [f"{early[key]} → {late[key]}" for key in keys]
        rows.append([NAMES[subject][chinese], late["requests"], *cells])
    return "\n".join([machine(chinese, data), "", _table(heads[chinese].split("|"), rows)])


def simulate(chinese: bool) -> str:
    """A day on a virtual clock."""
    data = _result("simulate")
    said: Pair = (
        "{requests} requests of a day, {users} users, load {load:g}, {rows} rows; simulated in {run_seconds} s.",
        "一天 {requests} 个请求，{users} 个用户，负载 {load:g}，{rows} 行；模拟用时 {run_seconds} 秒。",
    )
    heads: Pair = (
        "class|queue|requests|first sound p50 s|p95 s|p99 s|whole p50 s|p95 s",
        "类别|队列|请求|首声 p50 秒|p95 秒|p99 秒|全部 p50 秒|p95 秒",
    )
    rows = [
        [NAMES.get(kind, (kind, kind))[chinese], NAMES[line][chinese], *figures.values()]
        for kind in data["ours"]
        for line in ("fifo", "ours")
        if (figures := data[line].get(kind))
    ]
    lines = [said[chinese].format(**data["asked"], **{key: data[key] for key in ("requests", "run_seconds")})]
    return "\n".join([*lines, "", _table(heads[chinese].split("|"), rows)])


def page(chinese: bool) -> str:
    """The page in a browser."""
    data = _result("page")
    said: dict[str, Pair] = {
        "first visit: painted": ("first visit, first paint", "首次访问：首次绘制"),
        "first visit: usable": ("first visit, usable", "首次访问：可以使用"),
        "again visit: painted": ("second visit, first paint", "再次访问：首次绘制"),
        "again visit: usable": ("second visit, usable", "再次访问：可以使用"),
        "first sound, page": ("short sentence, from Speak to the first sound", "短句：从点击朗读到首声"),
        "first bytes, API": ("the same through the API, to the first bytes", "同样经 API：到首个字节"),
        "page later by": ("the page is later by", "页面晚于 API"),
    }
    rows = [[pair[chinese], data["ms"][key]] for key, pair in said.items()]
    return "\n".join([machine(chinese, data), "", _table(["", "ms" if not chinese else "毫秒"], rows)])


def scale(chinese: bool) -> str:
    """A front and its replicas; where a larger cluster is full first."""
    said: dict[str, Pair] = {
        "one process": ("one user, one process", "一个用户，单进程"),
        "front and replica": ("one user, front and replica", "一个用户，前端与副本"),
        "1 replica": ("many users, one replica", "许多用户，一个副本"),
        "2 replicas": ("many users, two replicas", "许多用户，两个副本"),
        "killed": ("a worker and a replica killed", "杀死一个 worker 与一个副本"),
    }
    heads: Pair = (
        "|requests/s|p50 ms|p99 ms|longest wait s|failed",
        "|请求/秒|p50 毫秒|p99 毫秒|最长等待 秒|失败",
    )
    ratio: Pair = ("Two replicas speak {:g} times what one does.", "两个副本的吞吐为一个的 {:g} 倍。")
    keys = ("requests_per_s", "p50_ms", "p99_ms", "longest_s", "failed")
    parts = []
    for subject in ("tone", "indextts-tiny"):
        try:
            data = _result(f"scale-{subject}")
        except FileNotFoundError:
            parts.append(f"**{NAMES[subject][chinese]}** · {MISSING[chinese]}")
            continue
        found = {**data["overhead"], **data["scaling"]["rows"], "killed": data["deaths"]}
        rows = [[said[name][chinese], *(row[key] for key in keys)] for name, row in found.items()]
        about = f"**{NAMES[subject][chinese]}** · {machine(chinese, data)} {ratio[chinese].format(data['scaling']['ratio'])}"
        parts.append(f"{about}\n\n{_table(heads[chinese].split('|'), rows)}")
    return "\n\n".join(parts)


def nodes(chinese: bool) -> str:
    """One Ray node and two, in network namespaces."""
    names: dict[str, Pair] = {"1": ("one machine", "一台机器"), "2": ("two machines", "两台机器")}
    heads: Pair = (
        "|requests/s|audio s/s|p50 ms|p99 ms|failed|two against one",
        "|请求/秒|音频 秒/秒|p50 毫秒|p99 毫秒|失败|两台相对一台",
    )
    keys = ("requests_per_s", "audio_s_per_s", "p50_ms", "p99_ms", "failed")
    parts, rows = [], []
    for subject in ("tone", "indextts-tiny"):
        data = _result(f"nodes-{subject}")
        parts.append(f"{NAMES[subject][chinese]}: {machine(chinese, data)}")
        rows += [
            [
                f"{NAMES[subject][chinese]}, {names[count][chinese]}",
                *(row[key] for key in keys),
                data["ratio"] if count == "2" else "",
            ]
            for count, row in data["rows"].items()
        ]
    return "\n".join([*(f"- {part}" for part in parts), "", _table(heads[chinese].split("|"), rows)])


def limits(chinese: bool) -> str:
    """Which part is full first, from the costs that ``scale`` measured with ``tone``."""
    names: dict[str, Pair] = {
        "front": ("the front's processor", "前端的处理器"),
        "network": ("its network card (10 Gbit/s)", "其网卡（10 Gbit/s）"),
        "queue": ("of the front: the scheduler alone", "前端中：仅调度器"),
    }
    heads: Pair = (
        "GPUs|part|load|full (80%) with|what that asks for",
        "GPU|部分|负载|达到 80% 时的 GPU 数|需要的改动",
    )
    asked: dict[str, str] = {
        "front": "多个前端，各带自己的副本（按用户固定）；在副本中编码",
        "network": "副本改传 16 位或 Opus：减到一半至十二分之一；或由副本直接回答用户",
        "queue": "按空闲额度建立通道索引，不再逐个查看；再者每个前端一个队列",
    }
    rows = [
        [
            one["gpus"],
            names[one["part"]][chinese],
            f"{one['load']:.1%}",
            one["full_at"],
            asked[one["part"]] if chinese else one["change"],
        ]
        for one in _result("scale-tone")["limits"]
    ]
    return _table(heads[chinese].split("|"), rows)


BLOCKS: dict[str, Callable[[bool], str]] = {
    "load": load,
    "peers": peers,
    "soak": soak,
    "simulate": simulate,
    "scale": scale,
    "nodes": nodes,
    "limits": limits,
    "page": page,
}


def filled(text: str, chinese: bool) -> str:
    """``text`` with the tables between ``<!-- name -->`` and ``<!-- /name -->`` made anew; a line where nothing was measured."""
    for name, make in BLOCKS.items():
        try:
            made = make(chinese)
        except FileNotFoundError:
            made = MISSING[chinese]
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        text = block.sub(lambda match, made=made: f"{match.group(1)}\n{made}\n\n{match.group(2)}", text)
    return text


def _result(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return data


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])
