"""What the launcher says, in English and Chinese; the locale chooses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from . import (
    messages_backup,
    messages_cluster,
    messages_keys,
    messages_models,
    messages_options,
    messages_supervisor,
    messages_tools,
    messages_usage,
)

# key: (English, Chinese). Errors say in one line what is wrong and what to do.
MESSAGES: dict[str, tuple[str, str]] = {
    **messages_backup.MESSAGES,
    **messages_cluster.MESSAGES,
    **messages_keys.MESSAGES,
    **messages_models.MESSAGES,
    **messages_supervisor.MESSAGES,
    **messages_tools.MESSAGES,
    **messages_usage.MESSAGES,
    "system": ("The system refused: {reason} ({path}).", "系统拒绝了操作：{reason}（{path}）。"),
    "interrupted": ("Interrupted; nothing was left behind.", "已中断，没有留下任何进程。"),
    "cannot_write": ("Cannot write {path}: {reason}.", "无法写入 {path}：{reason}。"),
    "cannot_read": ("Cannot read {path}: {reason}.", "无法读取 {path}：{reason}。"),
    "not_a_file": (
        "{path} is not a plain file: remove it (nothing was followed or overwritten).",
        "{path} 不是普通文件：请将其移走（未跟随链接，也未覆盖任何内容）。",
    ),
    "no_flock": (
        "{path}: this file system does not lock files ({reason}); put TTS_HOME on a local disk.",
        "{path}：该文件系统不支持文件锁（{reason}）；请把 TTS_HOME 放到本地磁盘。",
    ),
    "lock_timeout": (
        "Another command (pid {pid}) has held {path} for {seconds:g} s: wait for it or end it.",
        "另一条命令（pid {pid}）占用 {path} 已超过 {seconds:g} 秒：请等待或结束它。",
    ),
    "instance_locked": (
        "{path} is held by a process that cannot be identified (last holder: pid {pid}); nothing was ended.",
        "{path} 被无法识别的进程占用（最后持有者 pid {pid}）；未结束任何进程。",
    ),
    "already_supervised": (
        "This instance already runs (supervisor pid {pid}).",
        "该实例已在运行（supervisor pid {pid}）。",
    ),
    "elsewhere": (
        "This instance runs on host {host} (pid {pid}): use the command there.",
        "该实例正在主机 {host} 上运行（pid {pid}）：请在那台机器上操作。",
    ),
    "no_proc": (
        "/proc is not mounted, so no process can be identified: nothing was started or ended. Mount it first.",
        "未挂载 /proc，无法确认进程身份：未启动也未结束任何进程。请先挂载 /proc。",
    ),
    "unverified": (
        "identity unverified: /proc is not mounted, only the lock and the port were asked",
        "身份未验证：未挂载 /proc，仅依据文件锁和端口判断",
    ),
    "hung": ("it gave no sign of life for {seconds:g} s", "超过 {seconds:g} 秒没有响应"),
    "crash_loop": (
        "the server died {deaths} times in a row: {reason}",
        "服务连续崩溃 {deaths} 次：{reason}",
    ),
    "exit_code": ("it ended with exit code {code}", "退出码 {code}"),
    "by_signal": ("it was ended by {signal}", "被信号 {signal} 结束"),
    "oom": ("it was killed by {signal} (out of memory?)", "被 {signal} 杀死（内存不足？）"),
    "port_in_use": (
        "Port {port} is in use by {owner}: stop that program, or choose another port with --port.",
        "端口 {port} 被占用（{owner}）：请停止该程序，或用 --port 换一个端口。",
    ),
    "nobody_seen": ("a process of another user or container", "其他用户或容器的进程"),
    "port_denied": (
        "Port {port} is not allowed for this user: choose one above 1023 with --port.",
        "当前用户不能使用端口 {port}：请用 --port 选择 1023 以上的端口。",
    ),
    "bad_host": (
        "Cannot listen on '{host}': {reason}. Use an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
        "无法监听“{host}”：{reason}。请使用本机地址，例如 127.0.0.1 或 0.0.0.0。",
    ),
    "unexpected_argument": (
        "Unexpected argument '{argument}': options begin with --; see --help.",
        "多余的参数“{argument}”：选项以 -- 开头；见 --help。",
    ),
    "bad_toml": ("{path} cannot be read: {reason}.", "无法读取 {path}：{reason}。"),
    "bad_setting": (
        "Setting {name}: '{value}' (from {source}) is not valid.",
        "设置 {name} 的值“{value}”（来自 {source}）无效。",
    ),
    "cannot_execute": ("Cannot run {program}: {reason}.", "无法运行 {program}：{reason}。"),
    "cannot_spawn": ("Cannot start a process: {reason}.", "无法启动进程：{reason}。"),
    "not_ending": (
        "Process {pids} does not end even after SIGKILL (state D, a stuck driver?): a reboot may be needed.",
        "进程 {pids} 在 SIGKILL 后仍未结束（D 状态，驱动卡死？）：可能需要重启机器。",
    ),
    "no_report": (
        "The supervisor did not take over within {seconds:g} s: see logs/launcher.log.",
        "supervisor 未能在 {seconds:g} 秒内接管：请查看 logs/launcher.log。",
    ),
    "supervisor_died": (
        "The supervisor ended at once (code {code}): see logs/launcher.log.",
        "supervisor 立即退出（代码 {code}）：请查看 logs/launcher.log。",
    ),
    "stopped_while_starting": (
        "The instance was stopped while it was starting.",
        "实例在启动过程中被停止。",
    ),
    "start_timeout": (
        "Not ready after {seconds:g} s; stopped again. Allow more with --start-timeout, or see the logs.",
        "{seconds:g} 秒后仍未就绪，已停止。可用 --start-timeout 延长，或查看日志。",
    ),
    "fatal": ("The server does not start: {reason}.\n{tail}", "服务无法启动：{reason}。\n{tail}"),
    "other_user": (
        "The instance (pid {pid}) belongs to another user: use that account or root.",
        "该实例（pid {pid}）属于其他用户：请使用该账户或 root。",
    ),
    "not_running": ("Not running.", "未在运行。"),
    "no_logs": ("There are no logs in {path} yet.", "{path} 中还没有日志。"),
    "public_warning": (
        "WARNING: no key or password is set: everybody who can reach this address can use the service.",
        "警告：未设置密钥或密码：任何能访问该地址的人都可以使用本服务。",
    ),
    # what commands print
    "ready": ("Ready: {address} (pid {pid})", "已就绪：{address}（pid {pid}）"),
    "already": ("Already running.", "已在运行。"),
    "other_settings": (
        "It runs with other settings ({differences}); 'tts-launch restart' with your options applies them.",
        "它正在使用不同的设置（{differences}）；用 'tts-launch restart' 加上选项即可生效。",
    ),
    "share": ("  share: {address}", "  局域网地址：{address}"),
    "logs_at": ("  logs:  {path}", "  日志：{path}"),
    "stop_with": ("  stop:  {command}", "  停止：{command}"),
    "ended_leftovers": (
        "Ended {count} processes that a dead supervisor had left.",
        "已结束上次遗留的 {count} 个进程。",
    ),
    "stopped": ("Stopped.", "已停止。"),
    "loading": ("loading", "加载中"),
    "status_line": ("{name}: {state}{ready} {address}", "{name}：{state}{ready} {address}"),
    "is_ready": (", ready", "，已就绪"),
    "is_loading": (", {percent} loaded", "，已加载 {percent}"),
    "status_pids": (
        "  server pid {server}, supervisor pid {supervisor}, up {uptime}, restarts {restarts}, engine {engine}",
        "  服务 pid {server}，supervisor pid {supervisor}，已运行 {uptime}，重启 {restarts} 次，引擎 {engine}",
    ),
    "status_reason": ("  reason: {reason}", "  原因：{reason}"),
}

HELP: dict[str, tuple[str, str]] = {
    **messages_backup.HELP,
    **messages_cluster.HELP,
    **messages_keys.HELP,
    **messages_models.HELP,
    **messages_options.HELP,
    **messages_tools.HELP,
    **messages_usage.HELP,
    "main": (
        "Keeps the speech service alive. Example: tts-launch start --port 7861",
        "管理语音服务。例如：tts-launch start --port 7861",
    ),
    "start": (
        "Start the service and wait until it is ready. Other --options go to the server. "
        "Example: tts-launch start --host 0.0.0.0",
        "启动服务并等待就绪。其余 --选项 传给服务。例如：tts-launch start --host 0.0.0.0",
    ),
    "stop": (
        "Let running requests finish, then stop. Example: tts-launch stop",
        "等待进行中的请求完成后停止。例如：tts-launch stop",
    ),
    "restart": (
        "Stop and start with the previous options; new ones win. With --graceful no request is lost. "
        "Example: tts-launch restart --graceful",
        "按原有选项重启，新选项优先；--graceful 不丢失任何请求。例如：tts-launch restart --graceful",
    ),
    "status": (
        "Show the state; the exit code is 0 running, 1 dead, 3 not running, 4 unknown. "
        "Example: tts-launch status --ready",
        "显示状态；退出码 0 运行中、1 已崩溃、3 未运行、4 未知。例如：tts-launch status --ready",
    ),
    "logs": (
        "Show the logs. Example: tts-launch logs -f -n 100 --file error",
        "查看日志。例如：tts-launch logs -f -n 100 --file error",
    ),
    "run": (
        "Supervise in the foreground (systemd, containers). Example: tts-launch run --host 0.0.0.0",
        "在前台运行（systemd、容器）。例如：tts-launch run --host 0.0.0.0",
    ),
}


def is_chinese(environ: Mapping[str, str] | None = None) -> bool:
    """Whether LC_ALL, LC_MESSAGES or LANG (the first that is set) asks for Chinese."""
    environ = os.environ if environ is None else environ
    locale = next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "")
    return locale.lower().startswith("zh")


def say(key: str, **facts: Any) -> str:
    """The sentence in the user's language."""
    return MESSAGES[key][is_chinese()].format(**facts)


def help_of(command: str) -> str:
    """A command's help in the user's language."""
    return HELP[command][is_chinese()]
