"""What ps, kill-leftovers, service and completion say; see ``messages``."""

from __future__ import annotations

from . import messages_doctor

MESSAGES: dict[str, tuple[str, str]] = {
    **messages_doctor.MESSAGES,
    # GPU memory after a stop
    "gpu_held_alive": (
        "GPU {index} ({name}): {megabytes} MB are still held by pid {pid}, which has not ended; see 'tts-launch ps'.",
        "GPU {index}（{name}）：pid {pid} 尚未结束，仍占用 {megabytes} MB；见 tts-launch ps。",
    ),
    "gpu_held_dead": (
        "GPU {index} ({name}): {megabytes} MB are still held for pid {pid}, which has ended; "
        "if 'nvidia-smi' still shows it after a minute, reset the GPU or reboot.",
        "GPU {index}（{name}）：pid {pid} 已结束，但仍占用 {megabytes} MB；若一分钟后 nvidia-smi 仍显示，请重置 GPU 或重启。",
    ),
    # ps
    "ps_role": ("ROLE", "角色"),
    "ps_pid": ("PID", "进程号"),
    "ps_state": ("STATE", "状态"),
    "ps_memory": ("MEMORY", "内存"),
    "ps_gpu": ("GPU", "显存"),
    "ps_age": ("AGE", "已运行"),
    "ps_cpu": ("CPU", "CPU 时间"),
    "ps_command": ("COMMAND", "命令"),
    "ps_title": ("{name} in {home}:", "{name}，目录 {home}："),
    "ps_leftover": ("{state}, left behind", "{state}，遗留"),
    "role_supervisor": ("supervisor", "监管"),
    "role_server": ("server", "服务"),
    "role_worker": ("worker", "模型进程"),
    "role_other": ("other", "其他"),
    # kill-leftovers
    "left_ended": ("ended pid {pid}: {command}", "已结束 pid {pid}：{command}"),
    "left_would_end": ("would end pid {pid}: {command}", "将结束 pid {pid}：{command}"),
    "left_none": ("Nothing was left behind.", "没有遗留进程。"),
    "left_foreign": (
        "not ours, not touched: pid {pid} in {folder}: {command}",
        "并非由本程序启动，未触碰：pid {pid}，目录 {folder}：{command}",
    ),
    "left_foreign_maybe": (
        "perhaps a speech server, not touched: pid {pid} in {folder}: {command}",
        "可能是语音服务，未触碰：pid {pid}，目录 {folder}：{command}",
    ),
    "left_how": (
        "To end what is not ours: --unmarked (all that surely are speech servers) or --unmarked --pid PID.",
        "要结束这些进程：--unmarked（所有确认为语音服务的进程）或 --unmarked --pid PID。",
    ),
    "left_confirm": (
        "These were not started by tts-launch:\n{lines}\nEnd them?",
        "以下进程不是由 tts-launch 启动的：\n{lines}\n要结束它们吗？",
    ),
    "left_no_such_foreign": (
        "pid {pid} is not one of the foreign speech servers of this user; 'tts-launch kill-leftovers --dry-run' lists them.",
        "pid {pid} 不是当前用户的外部语音服务进程；'tts-launch kill-leftovers --dry-run' 可列出它们。",
    ),
    "left_needs_yes": (
        "--unmarked asks before it ends anything: add --yes where nobody can answer.",
        "--unmarked 会先询问：无人值守时请加 --yes。",
    ),
    "left_pid_without_unmarked": ("--pid goes with --unmarked.", "--pid 须与 --unmarked 一起使用。"),
    # service
    "unit_path": (
        "{path} cannot be written in a systemd unit ({character}): use a folder without it.",
        "{path} 无法写入 systemd unit（{character}）：请换一个不含该字符的目录。",
    ),
    "unit_foreign": (
        "{path} was not written by this command for this home: choose another --name, move it away, or use --force.",
        "{path} 不是本命令为该目录写的：请换一个 --name、移走该文件，或使用 --force。",
    ),
    "unit_active": ("{unit} runs: first '{command}'.", "{unit} 正在运行：请先执行 '{command}'。"),
    "unit_written": ("written: {path}", "已写入：{path}"),
    "unit_unchanged": ("The units are as they should be.", "unit 文件已是最新。"),
    "unit_removed": ("removed: {path}", "已删除：{path}"),
    "unit_none": ("There is no unit of this instance in {path}.", "{path} 中没有该实例的 unit。"),
    "unit_reloaded": ("systemd has read the units again.", "systemd 已重新读取 unit。"),
    "unit_not_reloaded": (
        "No systemd answers here; where it runs: {command}",
        "此处没有可用的 systemd；请在有 systemd 的环境执行：{command}",
    ),
    "unit_next": ("next: {command}", "下一步：{command}"),
    "unit_linger": ("so that it runs without a login: {command}", "若要在未登录时也运行：{command}"),
    "unit_shown": ("# {path} ({state})", "# {path}（{state}）"),
    "unit_state_absent": ("not installed", "未安装"),
    "unit_state_same": ("installed", "已安装"),
    "unit_state_other": ("installed with other content", "已安装，但内容不同"),
    "unit_state_foreign": ("a file of somebody else is there", "存在他人的同名文件"),
}

HELP: dict[str, tuple[str, str]] = {
    "doctor": (
        "Look at everything the service needs; each problem comes with a fix. Exit code 1 if anything fails. "
        "Example: tts-launch doctor",
        "检查服务所需的一切，并给出处理方法；有失败项时退出码为 1。例如：tts-launch doctor",
    ),
    "ps": (
        "List the processes of the instance, with role, memory and GPU memory. Example: tts-launch ps --all",
        "列出实例的进程：角色、内存、显存。例如：tts-launch ps --all",
    ),
    "kill-leftovers": (
        "End what a dead supervisor left; what only looks like ours is listed. "
        "Example: tts-launch kill-leftovers --dry-run",
        "结束失效 supervisor 遗留的进程；外观相似的其他进程仅列出。例如：tts-launch kill-leftovers --dry-run",
    ),
    "service": (
        "systemd units for this instance. Example: tts-launch service install --user",
        "本实例的 systemd unit。例如：tts-launch service install --user",
    ),
    "service_install": (
        "Write the units; options are those of 'run'. Example: tts-launch service install --host 0.0.0.0",
        "写入 unit；选项与 run 相同。例如：tts-launch service install --host 0.0.0.0",
    ),
    "service_uninstall": (
        "Remove the units. Example: tts-launch service uninstall --user",
        "删除 unit。例如：tts-launch service uninstall --user",
    ),
    "service_show": (
        "Print the units that install would write. Example: tts-launch service show --system",
        "显示 install 将写入的 unit。例如：tts-launch service show --system",
    ),
    "completion": (
        'Print completions for a shell. Example: eval "$(tts-launch completion bash)"',
        '输出 shell 补全脚本。例如：eval "$(tts-launch completion bash)"',
    ),
    # options
    "doctor_timeout": ("Seconds for all checks.", "全部检查的秒数上限。"),
    "ps_all": ("All instances of this user on this machine.", "当前用户在本机的所有实例。"),
    "left_all": ("Of all instances of this user on this machine.", "处理当前用户在本机的所有实例。"),
    "left_dry_run": ("Only say what would be ended.", "只显示将结束的进程。"),
    "left_unmarked": (
        "Also end speech servers that tts-launch did not start; asks first.",
        "同时结束并非由 tts-launch 启动的语音服务；会先询问。",
    ),
    "left_pid": (
        "With --unmarked: only this one (may be repeated).",
        "与 --unmarked 一起使用：只处理该进程（可重复）。",
    ),
    "left_yes": ("Do not ask.", "不再询问。"),
    "service_scope": (
        "Whose systemd (default: system for root).",
        "使用系统还是用户的 systemd（root 默认为系统）。",
    ),
    "service_backup_to": (
        "Folder for copies of the models (default: backups/cache_hub in home).",
        "模型备份目录（默认为 home 下的 backups/cache_hub）。",
    ),
    "service_root": ("Write below this folder, as for an image.", "写到该目录之下，例如制作镜像时。"),
    "service_force": ("Also where others wrote the file.", "即使文件由他人写入也覆盖。"),
}
