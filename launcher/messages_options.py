"""What the options of the commands are for; see ``messages``."""

from __future__ import annotations

HELP: dict[str, tuple[str, str]] = {
    "opt_fetch_first": ("Fetch the engine's model first if it is missing.", "引擎的模型缺失时先下载。"),
    "opt_graceful": (
        "Lose no request: a new server takes over the socket.",
        "不丢请求：新服务器接管同一个套接字。",
    ),
    "opt_overlap": (
        "The same without a pause: both models are loaded for a while.",
        "同上且没有停顿：两份模型会同时加载一阵。",
    ),
    "opt_force_stop": ("Do not wait for running requests.", "不等待进行中的请求。"),
    "opt_ready_only": ("Exit 1 unless it can serve now.", "除非现在就能服务，否则以 1 退出。"),
    "opt_follow": ("Go on with new lines.", "持续显示新的行。"),
    "opt_lines": ("Lines of each file.", "每个文件的行数。"),
    "opt_file": ("Only this file; may be repeated.", "只看这个文件；可重复。"),
    "opt_home": (
        "Folder of cache_hub, logs, run (TTS_HOME; default: the current folder).",
        "cache_hub、logs、run 所在目录（TTS_HOME；默认为当前目录）。",
    ),
    "opt_name": ("Name of the instance (default: default).", "实例名称（默认 default）。"),
    "opt_json": ("Print JSON.", "输出 JSON。"),
    "opt_host": (
        "Address to listen on; 0.0.0.0 opens it to the LAN (default: 127.0.0.1).",
        "监听地址；0.0.0.0 向局域网开放（默认 127.0.0.1）。",
    ),
    "opt_port": ("Port of page and API (default: 7860).", "页面与接口的端口（默认 7860）。"),
    "opt_engine": ("Speech engine (default: auto).", "语音引擎（默认 auto）。"),
    "opt_device": (
        "Device of the engine: auto, cpu, cuda:N or cuda:N,M for one worker each (default: auto).",
        "引擎所用设备：auto、cpu、cuda:N，或 cuda:N,M（每块 GPU 一个进程）（默认 auto）。",
    ),
    "opt_gpu": (
        "Short for --device cuda:N,...; alone it is the first GPU.",
        "--device cuda:N,… 的简写；不带数字表示第一块 GPU。",
    ),
    "opt_start_timeout": ("Seconds to wait until it is ready.", "等待就绪的秒数。"),
}
