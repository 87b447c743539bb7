"""What the commands about models say; see ``messages``."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "model_missing": (
        "The model '{model}' is not complete in {path}: run 'tts-launch models fetch {model}'.",
        "模型“{model}”在 {path} 中不完整：请运行 'tts-launch models fetch {model}'。",
    ),
    "model_damaged": (
        "{path} is not complete: {findings}. Run 'tts-launch models fetch {model}'.",
        "{path} 不完整：{findings}。请运行 'tts-launch models fetch {model}'。",
    ),
    "unknown_model": (
        "There is no model '{model}'; known: {known}.",
        "没有名为“{model}”的模型；可用：{known}。",
    ),
    "disk_full": (
        "Not enough disk space for {path}: free {megabytes} MB and run the command again; what came is kept.",
        "{path} 所在磁盘空间不足：请腾出 {megabytes} MB 后重试；已下载的部分会保留。",
    ),
    "fetch_failed": (
        "Could not fetch {file} from any source ({reasons}). Check network and proxy, then run it again.",
        "所有来源都无法下载 {file}（{reasons}）。请检查网络与代理后重试。",
    ),
    "fetching": ("Fetching the model '{model}' into {path} ...", "正在下载模型“{model}”到 {path} …"),
    "fetched": ("The model '{model}' is complete in {path}.", "模型“{model}”已完整：{path}。"),
}

HELP: dict[str, tuple[str, str]] = {
    "models": (
        "Models in cache_hub. Example: tts-launch models fetch kokoro",
        "cache_hub 中的模型。例如：tts-launch models fetch kokoro",
    ),
    "fetch": (
        "Bring a model into cache_hub. Example: tts-launch models fetch kokoro",
        "下载模型到 cache_hub。例如：tts-launch models fetch kokoro",
    ),
    "path": (
        "Print a model's folder. Example: tts-launch models path kokoro",
        "显示模型目录。例如：tts-launch models path kokoro",
    ),
    "check": (
        "See whether a model is whole. Example: tts-launch models check kokoro --deep",
        "检查模型是否完整。例如：tts-launch models check kokoro --deep",
    ),
}
