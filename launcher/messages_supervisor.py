"""Words of the supervisor and of graceful restarts: (English, Chinese)."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "handing_over": ("the old server finishes its requests", "旧服务正在完成已有请求"),
    "graceful_old": (
        "The running supervisor is of an older version: use 'tts-launch restart' without --graceful once.",
        "正在运行的 supervisor 版本较旧：请先使用一次不带 --graceful 的 'tts-launch restart'。",
    ),
    "graceful_socket": (
        "Another address ({host}:{port}) needs another socket: use 'tts-launch restart' without --graceful.",
        "更换地址（{host}:{port}）需要新的套接字：请使用不带 --graceful 的 'tts-launch restart'。",
    ),
    "graceful_busy": (
        "Another graceful restart is under way with other options: repeat this one when it has finished.",
        "另一个使用不同选项的平滑重启正在进行：请在其完成后重试。",
    ),
    "graceful_stopping": (
        "The instance is stopping: start it again when it has stopped.",
        "实例正在停止：请在停止后重新启动。",
    ),
    "graceful_failed": (
        "The new server did not come up, the old one goes on serving: {reason}.",
        "新服务未能启动，旧服务继续运行：{reason}。",
    ),
    "graceful_late": ("it was not prepared within {seconds:g} s", "{seconds:g} 秒内未准备就绪"),
    "graceful_no_answer": (
        "The supervisor (pid {pid}) did not take the request within {seconds:g} s: see logs/launcher.log.",
        "supervisor（pid {pid}）在 {seconds:g} 秒内未响应请求：请查看 logs/launcher.log。",
    ),
    "graceful_timeout": (
        "The new server is not ready after {seconds:g} s; it goes on loading. "
        "See 'tts-launch status', or wait longer with --start-timeout.",
        "新服务在 {seconds:g} 秒后仍未就绪，仍在加载。请查看 'tts-launch status'，或用 --start-timeout 延长等待。",
    ),
    "graceful_unattended": (
        "No longer waiting; the restart goes on: see 'tts-launch status'.",
        "不再等待，重启仍在进行：请查看 'tts-launch status'。",
    ),
    # what systemd shows
    "unit_loading": ("Loading {percent} {text}", "正在加载 {percent} {text}"),
    "unit_ready": ("Ready: {address}", "已就绪：{address}"),
    "unit_backoff": ("Waiting to start again: {reason}", "等待重新启动：{reason}"),
    "unit_stopping": ("Finishing the requests under way", "正在完成已有请求"),
    "unit_ended": ("Ended: {reason}", "已结束：{reason}"),
}
